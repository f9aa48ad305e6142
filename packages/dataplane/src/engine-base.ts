import type { Endpoint, Instant, PublicKey } from '@warren/base';
import type { Way } from '@warren/paths';
import {
  errnoName,
  type PacketMemory,
  type Readiness,
  type UdpSocket,
  type UdpSockets,
  watchReadable,
} from '@warren/udp';
import type { Device, PathId } from '@warren/wireguard';
import { MachineDriver, now } from './machine-driver.js';
import { FIRST_FRAME_TYPE, LAST_FRAME_TYPE, type PathFrames } from './path-frames.js';
import { PathSender } from './path-sender.js';
import type { PathTable } from './path-table.js';
import { setSocketNumber } from './route.js';
import { RELAY_HEADER_LENGTH, RouteSender } from './route-sender.js';
import { SocketWatch } from './socket-watch.js';
import { isTunGone } from './tun.js';

/** Longest frame of a stream: its length has 16 bits. */
const MAX_FRAME = 65_535;

export interface EngineParts<Tun extends { readonly fd: number }> {
  readonly tun: Tun;
  readonly sockets: UdpSockets;
  readonly device: Device;
  readonly paths: PathTable;
  readonly memory: PacketMemory;
  /** Absent: every peer is reached at its endpoint. */
  readonly frames?: PathFrames | undefined;
  readonly onHandshakeFailing: (peer: PublicKey) => void;
  readonly onHandshakeCompleted: (peer: PublicKey, role: 'initiator' | 'responder') => void;
  /** Where the peer is: after a handshake, and when it has moved; undefined when it is reached by a relay. */
  readonly onPeerHeard: (peer: PublicKey, endpoint: Endpoint | undefined) => void;
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
  /** Receives from a further socket, whose remote addresses are paths of their own, until `removeSocket`. */
  addSocket(number: number, socket: UdpSocket): void;
  removeSocket(number: number): void;
  /** Takes what came by a stream as if it had come by UDP. */
  receiveFrame(frame: Uint8Array, from: Way): void;
  /** Stops at once; descriptors and machine are left to their owner. */
  close(): void;
}

/** What all engines have in common: the machine's driver, watches, who gets what arrived, and the end. */
export abstract class EngineBase<Tun extends { readonly fd: number }> implements PacketEngine {
  readonly drops = new Map<string, number>();
  protected readonly sender: RouteSender;
  protected readonly driver: MachineDriver;
  protected closed = false;
  readonly #watches: Readiness[] = [];
  readonly #sockets: SocketWatch;
  /** Where frames of streams are copied to. */
  readonly #inbox: number;

  constructor(protected readonly parts: EngineParts<Tun>) {
    const { frames, memory, paths } = parts;
    const lost = (reason: string, packets: number): void => this.count(reason, packets);
    const udp = new PathSender(parts, lost);
    this.sender = new RouteSender({ paths, memory, udp, carriers: frames }, lost);
    this.driver = new MachineDriver({ ...parts, send: (path, datagram) => this.sender.send(path, datagram) });
    this.#sockets = new SocketWatch(parts.sockets, (socket, number) => this.pumpSocket(socket, number));
    this.#inbox = frames ? memory.allocate(MAX_FRAME) : 0;
  }

  /** Something waits in the TUN. */
  protected abstract pumpTun(): void;
  /** Something waits in the socket; `number` as in `Path`. */
  protected abstract pumpSocket(socket: UdpSocket, number: number): void;
  /** Opens the WireGuard datagram in packet memory; its content goes to the TUN. @returns whether it was authenticated. */
  protected abstract open(offset: number, length: number, path: PathId, ecn: number, at: Instant): boolean;
  /** After what came together. */
  protected abstract flushOpened(): void;
  /** The kernel reports an error on the TUN. */
  protected abstract tunError(): void;

  start(): void {
    this.#watches.push(
      watchReadable(
        this.parts.tun.fd,
        () => this.pumpTun(),
        () => {
          this.tunError();
          return this.closed ? 'stop' : 'continue';
        },
      ),
    );
    this.#sockets.open();
    this.settle();
  }

  rebind(action: () => void): void {
    this.#sockets.during(action);
  }

  addSocket(number: number, socket: UdpSocket): void {
    this.#sockets.add(number, socket);
  }

  removeSocket(number: number): void {
    this.#sockets.remove(number);
  }

  settle(): void {
    this.driver.settle();
    this.parts.frames?.settle();
  }

  receiveFrame(frame: Uint8Array, from: Way): void {
    const { frames, memory } = this.parts;
    if (this.closed || frames === undefined || frame.length === 0 || !isFrame(frame[0]!)) return;
    memory.bytes.set(frame, this.#inbox);
    const relay = frames.takeFrom(this.#inbox, frame.length, from);
    if (relay === undefined) return;
    this.open(this.#inbox + RELAY_HEADER_LENGTH, frame.length - RELAY_HEADER_LENGTH, relay, 0, now());
    // The next frame overwrites this one.
    this.flushOpened();
    this.driver.drain();
  }

  close(): void {
    this.closed = true;
    this.driver.close();
    this.#sockets.close();
    for (const watch of this.#watches) watch.close();
  }

  /** The path that `from` is on the socket of this number. */
  protected pathOf(from: Uint8Array, socket: number): PathId | undefined {
    if (socket !== 0) setSocketNumber(from, socket);
    const path = this.parts.paths.intern(from);
    if (path === undefined) this.count('path-table-full');
    return path;
  }

  /** Gives one datagram to whom its first byte says that it belongs. @returns whether WireGuard authenticated something. */
  protected demultiplex(offset: number, length: number, path: PathId, ecn: number, at: Instant): boolean {
    const { frames, memory } = this.parts;
    if (frames === undefined || length === 0 || !isFrame(memory.bytes[offset]!)) {
      return this.open(offset, length, path, ecn, at);
    }
    const relay = frames.take(offset, length, path);
    if (relay === undefined) return false;
    // ECN of the hop from the relay says nothing of the way before it.
    return this.open(offset + RELAY_HEADER_LENGTH, length - RELAY_HEADER_LENGTH, relay, 0, at);
  }

  protected writeFailed(errno: number, packets: number): void {
    if (isTunGone(errno)) this.tunGone();
    else this.count(`tun-write-${errnoName(errno)}`, packets);
  }

  /** Stops here; the owner hears of it when no call of ours is on the stack, since it closes descriptors and machine. */
  protected tunGone(): void {
    if (this.closed) return;
    this.close();
    setImmediate(() => this.parts.onTunGone());
  }

  protected count(reason: string, packets = 1): void {
    this.drops.set(reason, (this.drops.get(reason) ?? 0) + packets);
  }
}

const isFrame = (firstByte: number): boolean => firstByte >= FIRST_FRAME_TYPE && firstByte <= LAST_FRAME_TYPE;
