import { ERRNO, errnoName, type UdpSocket, type UdpSockets } from '@warren/udp';
import type { PathId } from '@warren/wireguard';
import type { PathTable } from './path-table.js';

export interface PathSenderParts {
  readonly sockets: UdpSockets;
  readonly paths: PathTable;
}

/**
 * Sends datagrams to the socket addresses of paths, from the address of this host at which the other end last reached us. When that address has
 * gone, what was to be sent goes out at once from where the route prefers: nothing waits for a handshake.
 */
export class PathSender {
  constructor(
    private readonly parts: PathSenderParts,
    private readonly count: (reason: string, packets: number) => void,
  ) {}

  /** @param ecn see `UdpSocket.send`. @param own absent: the data plane's socket of the family. */
  send(path: PathId, datagram: Uint8Array, ecn = 0, own?: UdpSocket): void {
    const { paths } = this.parts;
    const address = paths.address(path);
    const socket = own ?? (address && this.#socketOf(address));
    if (!address || !socket) {
      this.count(address ? 'no-socket-of-family' : 'path-gone', 1);
      return;
    }
    const source = paths.source(path);
    let errno = socket.send(datagram, address, source, ecn);
    if (source && isSourceGone(errno)) {
      paths.setSource(path, undefined);
      errno = socket.send(datagram, address, undefined, ecn);
    }
    if (errno !== 0) this.count(`udp-send-${errnoName(errno)}`, 1);
  }

  /** See `UdpSocket.sendBatch` and `send`. */
  sendBatch(path: PathId, offset: number, length: number, segmentLength: number, ecn = 0, own?: UdpSocket): void {
    const { paths } = this.parts;
    const address = paths.address(path);
    const socket = own ?? (address && this.#socketOf(address));
    if (!address || !socket) {
      this.count(address ? 'no-socket-of-family' : 'path-gone', Math.ceil(length / segmentLength));
      return;
    }
    const source = paths.source(path);
    let errno = socket.sendBatch(offset, length, segmentLength, address, source, ecn);
    if (source && isSourceGone(errno)) {
      paths.setSource(path, undefined);
      errno = socket.sendBatch(offset, length, segmentLength, address, undefined, ecn);
    }
    if (errno !== 0) this.count(`udp-send-${errnoName(errno)}`, Math.ceil(length / segmentLength));
  }

  #socketOf(address: Uint8Array): UdpSocket | undefined {
    const { v4, v6 } = this.parts.sockets;
    return address[0] === 2 ? v4 : v6;
  }
}

/**
 * After a datagram came on `path` to the address `local` of this host: answers go out from there. A stranger's datagram
 * must not move where an authenticated one came to.
 */
export function noteSource(
  paths: PathTable,
  path: PathId,
  local: Uint8Array | undefined,
  authenticated: boolean,
): void {
  if (local && (authenticated || !paths.source(path))) paths.setSource(path, local);
}

/** Linux says the one or the other, by family and route, when the sticky source address is not this host's any more. */
const isSourceGone = (errno: number): boolean =>
  errno === ERRNO.EINVAL || errno === ERRNO.ENETUNREACH || errno === ERRNO.EADDRNOTAVAIL;
