import { type Endpoint, isDrop, type PublicKey } from '@warren/base';
import {
  ERRNO,
  errnoName,
  type OnDatagram,
  type PacketMemory,
  type Readiness,
  type UdpSocket,
  type UdpSockets,
  watchReadable,
} from '@warren/udp';
import type { Device } from '@warren/wireguard';
import { applyOuterEcn, outerEcn } from './explicit-congestion.js';
import { MachineDriver, now } from './machine-driver.js';
import { noteSource, PathSender } from './path-sender.js';
import type { PathTable } from './path-table.js';
import { SocketWatch } from './socket-watch.js';
import { isTunGone, type Tun } from './tun.js';

/** Packets handled at one wakeup before the other direction, timers and messages get their turn. */
const BUDGET = 64;
/** Longest inner packet that TUN or a datagram can hold. */
const MAX_PACKET = 65_535;
/** Transport header and tag, and padding. */
const SEAL_OVERHEAD = 15 + 32;

export interface EngineParts {
  readonly tun: Tun;
  readonly sockets: UdpSockets;
  readonly device: Device;
  readonly paths: PathTable;
  readonly memory: PacketMemory;
  readonly onHandshakeFailing: (peer: PublicKey) => void;
  readonly onHandshakeCompleted: (peer: PublicKey, role: 'initiator' | 'responder') => void;
  /** Where the peer is: after a handshake, and when it has moved. */
  readonly onPeerHeard: (peer: PublicKey, endpoint: Endpoint) => void;
  /** The interface is gone. */
  readonly onTunGone: () => void;
}

/** What moves the packets of one interface, in whatever way. */
export interface PacketEngine {
  /** Packets lost outside the machine, by reason. */
  readonly drops: ReadonlyMap<string, number>;
  start(): void;
  /** After any call to the machine: sends what it wants sent, hears what happened, arms its timer. */
  settle(): void;
  /** Lets `action` give the sockets other descriptors; nothing reads them meanwhile. Throws what `action` throws. */
  rebind(action: () => void): void;
  /** Stops at once; descriptors and machine are left to their owner. */
  close(): void;
}

/**
 * Moves packets between TUN, the WireGuard machine and the sockets, one a system call, and keeps the machine's timer.
 * Runs on the worker's event loop; nothing here blocks.
 */
export class Engine implements PacketEngine {
  readonly drops = new Map<string, number>();
  readonly #readOffset: number;
  readonly #sealed: Uint8Array;
  readonly #openedOffset: number;
  readonly #opened: Uint8Array;
  readonly #watches: Readiness[] = [];
  readonly #sockets: SocketWatch;
  readonly #sender: PathSender;
  readonly #driver: MachineDriver;
  #closed = false;

  constructor(private readonly parts: EngineParts) {
    const { memory } = parts;
    this.#sender = new PathSender(parts, (reason) => this.#count(reason));
    this.#sockets = new SocketWatch(parts.sockets, (socket) => this.#pumpUdp(socket));
    this.#driver = new MachineDriver({ ...parts, send: (path, datagram) => this.#sender.send(path, datagram) });
    this.#readOffset = memory.allocate(MAX_PACKET);
    const sealed = memory.allocate(MAX_PACKET + SEAL_OVERHEAD);
    this.#sealed = memory.bytes.subarray(sealed, sealed + MAX_PACKET + SEAL_OVERHEAD);
    this.#openedOffset = memory.allocate(MAX_PACKET);
    this.#opened = memory.bytes.subarray(this.#openedOffset, this.#openedOffset + MAX_PACKET);
  }

  start(): void {
    const { tun } = this.parts;
    this.#watches.push(
      watchReadable(
        tun.fd,
        () => this.#pumpTun(),
        () => this.#tunError(),
      ),
    );
    this.#sockets.open();
    this.settle();
  }

  rebind(action: () => void): void {
    this.#sockets.during(action);
  }

  settle(): void {
    this.#driver.settle();
  }

  close(): void {
    this.#closed = true;
    this.#driver.close();
    this.#sockets.close();
    for (const watch of this.#watches) watch.close();
  }

  #pumpTun(): void {
    const { tun, device, memory } = this.parts;
    for (let count = 0; count < BUDGET && !this.#closed; count++) {
      const length = tun.read(this.#readOffset, MAX_PACKET);
      if (length < 0) {
        if (isTunGone(-length)) {
          this.#tunGone();
          return;
        }
        if (-length !== ERRNO.EAGAIN && -length !== ERRNO.EINTR) this.#count(`tun-read-${errnoName(-length)}`);
        break;
      }
      if (length === 0) break;
      const packet = memory.bytes.subarray(this.#readOffset, this.#readOffset + length);
      const sealed = device.sealPacket(packet, this.#sealed, now());
      // The machine counts its own drops.
      if (!isDrop(sealed) && sealed.length > 0) {
        const ecn = outerEcn(memory.bytes, this.#readOffset);
        this.#sender.send(sealed.path, this.#sealed.subarray(0, sealed.length), ecn);
      }
      this.#driver.drain();
    }
    this.#flush();
    this.#driver.armTimer();
  }

  #pumpUdp(socket: UdpSocket): void {
    socket.receive(BUDGET, this.#onDatagram);
    this.#flush();
    this.#driver.armTimer();
  }

  readonly #onDatagram: OnDatagram = (datagram, from, local, ecn) => {
    if (this.#closed) return;
    const { device, paths } = this.parts;
    const path = paths.intern(from);
    if (path === undefined) {
      this.#count('path-table-full');
      return;
    }
    const opened = device.openDatagram(datagram, path, this.#opened, now());
    noteSource(paths, path, local, !isDrop(opened));
    if (!isDrop(opened) && opened.length > 0) {
      if (ecn !== 0) applyOuterEcn(this.#opened, 0, ecn);
      this.#deliver(opened.length);
    }
    this.#driver.drain();
  };

  #deliver(length: number): void {
    const errno = this.parts.tun.write(this.#openedOffset, length);
    if (errno === 0) return;
    if (isTunGone(errno)) this.#tunGone();
    else this.#count(`tun-write-${errnoName(errno)}`);
  }

  #flush(): void {
    this.parts.sockets.v4?.flush();
    this.parts.sockets.v6?.flush();
  }

  #tunError(): 'continue' | 'stop' {
    // A read tells a deleted interface from one that is only down.
    const result = this.parts.tun.read(this.#readOffset, MAX_PACKET);
    if (result < 0 && isTunGone(-result)) {
      this.#tunGone();
      return 'stop';
    }
    return 'continue';
  }

  /** Stops here; the owner hears of it when no call of ours is on the stack, since it closes descriptors and machine. */
  #tunGone(): void {
    if (this.#closed) return;
    this.close();
    setImmediate(() => this.parts.onTunGone());
  }

  #count(reason: string): void {
    this.drops.set(reason, (this.drops.get(reason) ?? 0) + 1);
  }
}
