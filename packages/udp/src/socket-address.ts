import { type Endpoint, formatEndpoint, type IpAddress, type IpFamily, ipFromBytes, ipToBytes } from '@warren/base';

/**
 * A UDP address as the kernel lays it out: `sockaddr_in6` of 28 bytes, or `sockaddr_in` of 16 bytes followed by
 * zeros (ip(7), ipv6(7)). All have 28 bytes, so equal addresses are equal bytes.
 */
export const SOCKET_ADDRESS_LENGTH = 28;
const SOCKADDR_IN_LENGTH = 16;

export const AF_INET = 2;
export const AF_INET6 = 10;

/** A new array of 28 bytes. */
export function encodeSocketAddress(address: IpAddress, port: number): Uint8Array {
  const encoded = new Uint8Array(SOCKET_ADDRESS_LENGTH);
  const bytes = ipToBytes(address);
  encoded[0] = bytes.length === 4 ? AF_INET : AF_INET6;
  encoded[2] = port >> 8;
  encoded[3] = port & 0xff;
  encoded.set(bytes, bytes.length === 4 ? 4 : 8);
  return encoded;
}

export const socketAddressFamily = (encoded: Uint8Array): IpFamily => (encoded[0] === AF_INET6 ? 6 : 4);

/** What the kernel wants as `namelen`. */
export const socketAddressLength = (encoded: Uint8Array): number =>
  encoded[0] === AF_INET6 ? SOCKET_ADDRESS_LENGTH : SOCKADDR_IN_LENGTH;

export const socketAddressPort = (encoded: Uint8Array): number => (encoded[2]! << 8) | encoded[3]!;

/** `address:port` in text; the zone of a link-local address is left out. */
export function socketAddressEndpoint(encoded: Uint8Array): Endpoint {
  const bytes = socketAddressFamily(encoded) === 4 ? encoded.subarray(4, 8) : encoded.subarray(8, 24);
  return formatEndpoint(ipFromBytes(bytes), socketAddressPort(encoded));
}

/** Address, then port in network byte order: 6 or 18 bytes, a new array. */
export function socketAddressAndPort(encoded: Uint8Array): Uint8Array {
  const v6 = socketAddressFamily(encoded) === 6;
  const bytes = new Uint8Array(v6 ? 18 : 6);
  bytes.set(v6 ? encoded.subarray(8, 24) : encoded.subarray(4, 8));
  bytes.set(encoded.subarray(2, 4), v6 ? 16 : 4);
  return bytes;
}
