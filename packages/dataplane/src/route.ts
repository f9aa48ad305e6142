import type { Path } from '@warren/paths';
import { SOCKET_ADDRESS_LENGTH, socketAddressFamily } from '@warren/udp';
import type { PathId } from '@warren/wireguard';

/** What there is to the path of an agent besides an address. Only the path driver makes and changes them. */
export interface Route {
  /** The path manager's own object, with the peer that it leads to. */
  readonly path: Path;
  /** A copy of each datagram goes there. */
  also: PathId | undefined;
  /** When the manager was last told that something was sent, and received; see `PathDriver`. */
  sentAt: number;
  receivedAt: number;
}

/** First byte of what stands for a relay among socket addresses; no address family of Linux. */
const RELAY_FAMILY = 0xf0;

/** What stands for the relay path of this number: 28 bytes, new. */
export function relayAddress(number: number): Uint8Array {
  const address = new Uint8Array(SOCKET_ADDRESS_LENGTH);
  address[0] = RELAY_FAMILY;
  new DataView(address.buffer).setUint32(4, number);
  return address;
}

export const isRelayAddress = (address: Uint8Array): boolean => address[0] === RELAY_FAMILY;

/**
 * Writes the number of a socket of its own into a socket address, so that the same remote address is another path there. The bytes
 * are ones that the kernel ignores when it sends, and zeroes when it receives (sin_zero, sin6_flowinfo).
 */
export function setSocketNumber(address: Uint8Array, socket: number): void {
  const at = numberAt(address);
  address[at] = socket >>> 24;
  address[at + 1] = socket >>> 16;
  address[at + 2] = socket >>> 8;
  address[at + 3] = socket;
}

/** 0: the data plane's own sockets. */
export function socketNumberOf(address: Uint8Array): number {
  const at = numberAt(address);
  return ((address[at]! << 24) | (address[at + 1]! << 16) | (address[at + 2]! << 8) | address[at + 3]!) >>> 0;
}

const numberAt = (address: Uint8Array): number => (socketAddressFamily(address) === 6 ? 4 : 12);
