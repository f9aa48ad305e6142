import { type IpAddress, ipToBytes, parseEndpoint, parseIpAddress, toHex } from '@warren/base';

/** Bytes before the IPv4 address in an IPv6 one (RFC 4291 §2.5.5.2): how a socket for both families names its callers. */
const MAPPED = '00000000000000000000ffff';

/** A caller's address as people write it, without the port that some proxies add; what is no address stays as it is. */
export function plainAddress(text: string): string {
  const address = parseIpAddress(text) ?? parseEndpoint(text)?.address;
  return address === undefined ? text : unmapped(address);
}

/**
 * By what callers are counted: an IPv4 address, or an IPv6 network of 64 bits, as a host has all of one. What is no address
 * is one caller, however many ways there are to write it.
 *
 * @param text null: there is none, as over the local socket
 */
export function callerKey(text: string | null): string {
  const plain = parseIpAddress(plainAddress(text ?? ''));
  if (plain === undefined) return text ? 'unknown' : 'local';
  return plain.includes(':') ? toHex(ipToBytes(plain).subarray(0, 8)) : plain;
}

function unmapped(address: IpAddress): string {
  const bytes = ipToBytes(address);
  return toHex(bytes.subarray(0, 12)) === MAPPED ? [...bytes.subarray(12)].join('.') : address;
}
