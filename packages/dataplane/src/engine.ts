import { type Instant, isDrop } from '@warren/base';
import { ERRNO, errnoName, type OnDatagram, type UdpSocket } from '@warren/udp';
import type { PathId } from '@warren/wireguard';
import { EngineBase, type EngineParts } from './engine-base.js';
import { applyOuterEcn, outerEcn } from './explicit-congestion.js';
import { now } from './machine-driver.js';
import { noteSource } from './path-sender.js';
import { isTunGone, type Tun } from './tun.js';

/** Packets handled at one wakeup before the other direction, timers and messages get their turn. */
const BUDGET = 64;
/** Longest inner packet that TUN or a datagram can hold. */
const MAX_PACKET = 65_535;
/** Transport header and tag, and padding. */
const SEAL_OVERHEAD = 15 + 32;

/**
 * Moves packets between TUN, the WireGuard machine and the sockets, one a system call, and keeps the machine's timer.
 * Runs on the worker's event loop; nothing here blocks.
 */
export class Engine extends EngineBase<Tun> {
  readonly #readOffset: number;
  readonly #sealed: Uint8Array;
  readonly #openedOffset: number;
  readonly #opened: Uint8Array;
  /** Number of the socket that is being received from. */
  #receiving = 0;

  constructor(parts: EngineParts<Tun>) {
    super(parts);
    const { memory } = parts;
    this.#readOffset = memory.allocate(MAX_PACKET);
    const sealed = memory.allocate(MAX_PACKET + SEAL_OVERHEAD);
    this.#sealed = memory.bytes.subarray(sealed, sealed + MAX_PACKET + SEAL_OVERHEAD);
    this.#openedOffset = memory.allocate(MAX_PACKET);
    this.#opened = memory.bytes.subarray(this.#openedOffset, this.#openedOffset + MAX_PACKET);
  }

  protected pumpTun(): void {
    const { tun, device, memory } = this.parts;
    for (let count = 0; count < BUDGET && !this.closed; count++) {
      const length = tun.read(this.#readOffset, MAX_PACKET);
      if (length < 0) {
        if (isTunGone(-length)) {
          this.tunGone();
          return;
        }
        if (-length !== ERRNO.EAGAIN && -length !== ERRNO.EINTR) this.count(`tun-read-${errnoName(-length)}`);
        break;
      }
      if (length === 0) break;
      const packet = memory.bytes.subarray(this.#readOffset, this.#readOffset + length);
      const sealed = device.sealPacket(packet, this.#sealed, now());
      // The machine counts its own drops.
      if (!isDrop(sealed) && sealed.length > 0) {
        const ecn = outerEcn(memory.bytes, this.#readOffset);
        this.sender.send(sealed.path, this.#sealed.subarray(0, sealed.length), ecn);
      }
      this.driver.drain();
    }
    this.#flush();
    this.settle();
  }

  protected pumpSocket(socket: UdpSocket, number: number): void {
    this.#receiving = number;
    socket.receive(BUDGET, this.#onDatagram);
    this.#flush();
    this.settle();
  }

  readonly #onDatagram: OnDatagram = (datagram, from, local, ecn) => {
    if (this.closed) return;
    const path = this.pathOf(from, this.#receiving);
    if (path === undefined) return;
    // What is received lies in packet memory.
    const authenticated = this.demultiplex(datagram.byteOffset, datagram.length, path, ecn, now());
    noteSource(this.parts.paths, path, local, authenticated);
    this.driver.drain();
  };

  protected open(offset: number, length: number, path: PathId, ecn: number, at: Instant): boolean {
    const { device, memory, frames } = this.parts;
    const opened = device.openDatagram(memory.bytes.subarray(offset, offset + length), path, this.#opened, at);
    if (isDrop(opened)) return false;
    frames?.received(path, opened.peer, at);
    if (opened.length === 0) return true;
    if (ecn !== 0) applyOuterEcn(this.#opened, 0, ecn);
    const errno = this.parts.tun.write(this.#openedOffset, opened.length);
    if (errno !== 0) this.writeFailed(errno, 1);
    return true;
  }

  protected flushOpened(): void {
    // every packet was written in `open`
  }

  protected tunError(): void {
    // A read tells a deleted interface from one that is only down.
    const result = this.parts.tun.read(this.#readOffset, MAX_PACKET);
    if (result < 0 && isTunGone(-result)) this.tunGone();
  }

  #flush(): void {
    this.parts.sockets.v4?.flush();
    this.parts.sockets.v6?.flush();
  }
}
