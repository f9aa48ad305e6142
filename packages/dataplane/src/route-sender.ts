import type { Path, RelayPath, Way } from '@warren/paths';
import { MAX_DATAGRAM, type PacketMemory, type UdpSocket } from '@warren/udp';
import type { PathId } from '@warren/wireguard';
import type { PathSender } from './path-sender.js';
import type { PathTable } from './path-table.js';
import type { Route } from './route.js';

/** What `send` and `deliver` have before the datagram (docs/protocol/signalling.md). Not taken from `paths`, which loads libsodium. */
export const RELAY_HEADER_LENGTH = 20;

/** What carries datagrams of agents besides the data plane's own sockets. */
export interface Carriers {
  /** The socket of that number, if it is open. */
  socket(number: number): UdpSocket | undefined;
  /** The path of a signal server's UDP endpoint. */
  serverPath(way: Way): PathId | undefined;
  /** Sends one frame of two parts, copied, on the stream to a server. @returns false when there is none. */
  sendOnStream(way: Way, header: Uint8Array, datagram: Uint8Array): boolean;
  /** Something was sent on a route. */
  noteSent(route: Route): void;
}

export interface RouteSenderParts {
  readonly paths: PathTable;
  readonly memory: PacketMemory;
  readonly udp: PathSender;
  /** Absent: no path has a route. */
  readonly carriers: Carriers | undefined;
}

/**
 * Sends datagrams on any path. What is a socket address and nothing else costs one look; what goes by a relay gets its header,
 * segment by segment, and goes out in one batch all the same.
 */
export class RouteSender {
  /** Where segments get their headers. */
  readonly #staging: number;

  constructor(
    private readonly parts: RouteSenderParts,
    private readonly count: (reason: string, packets: number) => void,
  ) {
    this.#staging = parts.carriers ? parts.memory.allocate(MAX_DATAGRAM) : 0;
  }

  /** @param ecn see `UdpSocket.send`. */
  send(path: PathId, datagram: Uint8Array, ecn = 0): void {
    const route = this.parts.paths.route(path);
    if (route === undefined) {
      this.parts.udp.send(path, datagram, ecn);
      return;
    }
    this.parts.carriers?.noteSent(route);
    this.#sendOne(path, route.path, datagram, ecn);
    const copied = route.also === undefined ? undefined : this.parts.paths.route(route.also);
    if (copied && route.also !== undefined) this.#sendOne(route.also, copied.path, datagram, ecn);
  }

  /** See `UdpSocket.sendBatch`. */
  sendBatch(path: PathId, offset: number, length: number, segmentLength: number, ecn = 0): void {
    const route = this.parts.paths.route(path);
    if (route === undefined) {
      this.parts.udp.sendBatch(path, offset, length, segmentLength, ecn);
      return;
    }
    this.parts.carriers?.noteSent(route);
    this.#sendMany(path, route.path, offset, length, segmentLength, ecn);
    const copied = route.also === undefined ? undefined : this.parts.paths.route(route.also);
    if (copied && route.also !== undefined) {
      this.#sendMany(route.also, copied.path, offset, length, segmentLength, ecn);
    }
  }

  #sendOne(path: PathId, to: Path, datagram: Uint8Array, ecn: number): void {
    const { udp, memory } = this.parts;
    if (to.kind === 'udp') {
      const own = this.#ownSocket(to.socket, 1);
      if (own !== 'closed') udp.send(path, datagram, ecn, own);
    } else if (to.way.kind === 'tls') this.#onStream(to, datagram);
    else if (datagram.length > MAX_DATAGRAM - RELAY_HEADER_LENGTH) this.count('relay-datagram-too-long', 1);
    else {
      const server = this.#serverPath(to.way, 1);
      if (server === undefined) return;
      memory.bytes.set(to.header, this.#staging);
      memory.bytes.set(datagram, this.#staging + RELAY_HEADER_LENGTH);
      // No ECN by a relay: marks made on one half of the way would not reach the other.
      const end = this.#staging + RELAY_HEADER_LENGTH + datagram.length;
      udp.send(server, memory.bytes.subarray(this.#staging, end));
    }
  }

  #sendMany(path: PathId, to: Path, offset: number, length: number, segmentLength: number, ecn: number): void {
    const { udp, memory } = this.parts;
    if (to.kind === 'udp') {
      const own = this.#ownSocket(to.socket, Math.ceil(length / segmentLength));
      if (own !== 'closed') udp.sendBatch(path, offset, length, segmentLength, ecn, own);
    } else if (to.way.kind === 'tls') {
      const end = offset + length;
      for (let at = offset; at < end; at += segmentLength) {
        this.#onStream(to, memory.bytes.subarray(at, Math.min(at + segmentLength, end)));
      }
    } else this.#relayBatch(to, to.way, offset, length, segmentLength);
  }

  /** The headers make a full batch too long for one call: then it takes two. */
  #relayBatch({ header }: RelayPath, way: Way, offset: number, length: number, segmentLength: number): void {
    const { udp, memory } = this.parts;
    const server = this.#serverPath(way, Math.ceil(length / segmentLength));
    if (server === undefined) return;
    const framed = segmentLength + RELAY_HEADER_LENGTH;
    const end = offset + length;
    let to = this.#staging;
    for (let at = offset; at < end; at += segmentLength) {
      const size = Math.min(segmentLength, end - at);
      if (to + RELAY_HEADER_LENGTH + size > this.#staging + MAX_DATAGRAM) {
        if (to === this.#staging) {
          this.count('relay-datagram-too-long', 1);
          continue;
        }
        udp.sendBatch(server, this.#staging, to - this.#staging, framed);
        to = this.#staging;
      }
      memory.bytes.set(header, to);
      memory.bytes.copyWithin(to + RELAY_HEADER_LENGTH, at, at + size);
      to += RELAY_HEADER_LENGTH + size;
    }
    if (to > this.#staging) udp.sendBatch(server, this.#staging, to - this.#staging, framed);
  }

  #onStream({ way, header }: RelayPath, datagram: Uint8Array): void {
    if (this.parts.carriers?.sendOnStream(way, header, datagram) !== true) this.count('relay-stream-closed', 1);
  }

  #serverPath(way: Way, packets: number): PathId | undefined {
    const path = this.parts.carriers?.serverPath(way);
    if (path === undefined) this.count('relay-unreachable', packets);
    return path;
  }

  /** undefined: the data plane's own. */
  #ownSocket(number: number, packets: number): UdpSocket | 'closed' | undefined {
    if (number === 0) return undefined;
    const socket = this.parts.carriers?.socket(number);
    if (!socket) this.count('socket-closed', packets);
    return socket ?? 'closed';
  }
}
