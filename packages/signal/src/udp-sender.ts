import {
  ERRNO,
  errnoName,
  MAX_BATCH,
  MAX_DATAGRAM,
  type PacketMemory,
  socketAddressFamily,
  type UdpSocket,
} from '@warren/udp';
import type { DropCounts } from './drop-counts.js';
import type { Origin } from './origin.js';
import { PendingDatagrams } from './pending-datagrams.js';
import type { Session } from './sessions.js';

/** A power of two: destinations that datagrams are gathered for at the same time. */
const STAGES = 16;

type UdpOrigin = Origin & { readonly kind: 'udp' };

/** Datagrams of one length for one agent, one after the other; only the last may be shorter. */
interface Stage {
  /** In packet memory, room for `MAX_DATAGRAM`. */
  readonly offset: number;
  to: Session | undefined;
  length: number;
  count: number;
  segmentLength: number;
  ecn: number;
  /** A shorter one has come: nothing may follow. */
  isComplete: boolean;
}

export interface UdpSenderOptions {
  readonly sockets: { readonly v4: UdpSocket | undefined; readonly v6: UdpSocket | undefined };
  readonly memory: PacketMemory;
  readonly drops: DropCounts;
  /** The sockets take no more: call `retry` soon. */
  readonly onBlocked: () => void;
}

/**
 * Sends to agents: whole batches at once, single datagrams gathered into batches, and what the sockets do not take later, fairly.
 */
export class UdpSender {
  datagrams = 0;
  bytes = 0;
  readonly #pending: PendingDatagrams;
  readonly #stages: readonly Stage[];
  /** Stages that hold something. */
  readonly #filled: Stage[] = [];

  constructor(private readonly options: UdpSenderOptions) {
    const { memory, drops } = options;
    this.#pending = new PendingDatagrams(drops);
    this.#stages = Array.from({ length: STAGES }, () => ({
      offset: memory.allocate(MAX_DATAGRAM),
      to: undefined,
      length: 0,
      count: 0,
      segmentLength: 0,
      ecn: 0,
      isComplete: false,
    }));
  }

  /** One datagram of any length to where somebody asked from; lost when the socket is full, as he will ask again. */
  answer(to: UdpOrigin, datagram: Uint8Array): void {
    const socket = this.#socketFor(to);
    const errno = socket?.send(datagram, to.address, to.local) ?? ERRNO.EAFNOSUPPORT;
    if (errno !== 0) this.#failed(errno, 1);
  }

  /** Datagrams in packet memory, as `UdpSocket.sendBatch` takes them. In the order of calls for each agent. */
  deliver(to: Session, offset: number, length: number, segmentLength: number, ecn: number): void {
    const stage = this.#stages[to.slot & (STAGES - 1)]!;
    if (stage.to === to) this.#flushStage(stage);
    this.#send(to, offset, length, segmentLength, ecn);
  }

  /**
   * Room in packet memory for one datagram for an agent, which the caller fills at once; it goes out by `flush`, or before,
   * with others of that length.
   */
  gather(to: Session, length: number, ecn: number): number {
    const stage = this.#stages[to.slot & (STAGES - 1)]!;
    const fits =
      stage.to === to &&
      !stage.isComplete &&
      stage.ecn === ecn &&
      length <= stage.segmentLength &&
      stage.count < MAX_BATCH &&
      stage.length + length <= MAX_DATAGRAM;
    if (!fits) {
      if (stage.to !== undefined) this.#flushStage(stage);
      stage.to = to;
      stage.segmentLength = length;
      stage.ecn = ecn;
      this.#filled.push(stage);
    }
    const at = stage.offset + stage.length;
    stage.length += length;
    stage.count++;
    stage.isComplete = length < stage.segmentLength;
    return at;
  }

  /** Sends what was gathered. */
  flush(): void {
    for (const stage of this.#filled) if (stage.to !== undefined) this.#flushStage(stage);
    this.#filled.length = 0;
  }

  /** Sends what waits, one batch an agent in turn. @returns whether something still waits. */
  retry(): boolean {
    const { memory } = this.options;
    this.flush(); // the stages are room to send from
    return this.#pending.drain((to, batch) => {
      const room = this.#stages[to.slot & (STAGES - 1)]!;
      memory.bytes.set(batch.bytes, room.offset);
      return !isFull(this.#try(to, room.offset, batch.bytes.length, batch.segmentLength, batch.ecn));
    });
  }

  #flushStage(stage: Stage): void {
    const { to, offset, length, segmentLength, ecn } = stage;
    stage.to = undefined;
    stage.length = 0;
    stage.count = 0;
    stage.isComplete = false;
    if (to !== undefined) this.#send(to, offset, length, segmentLength, ecn);
  }

  #send(to: Session, offset: number, length: number, segmentLength: number, ecn: number): void {
    // What came first goes first.
    const waits = this.#pending.size > 0 && this.#pending.has(to);
    if (!waits && !isFull(this.#try(to, offset, length, segmentLength, ecn))) return;
    const { bytes } = this.options.memory;
    if (this.#pending.size === 0) this.options.onBlocked();
    this.#pending.add(to, { bytes: bytes.slice(offset, offset + length), segmentLength, ecn });
  }

  /** @returns the error number when the socket is full, else 0: what cannot be sent at all is lost, and counted. */
  #try(to: Session, offset: number, length: number, segmentLength: number, ecn: number): number {
    const origin = to.who.origin as UdpOrigin;
    const count = Math.ceil(length / segmentLength);
    const socket = this.#socketFor(origin);
    let errno =
      socket?.sendBatch(offset, length, segmentLength, origin.address, origin.local, ecn) ?? ERRNO.EAFNOSUPPORT;
    if (origin.local !== undefined && (errno === ERRNO.EINVAL || errno === ERRNO.ENETUNREACH)) {
      // Our address may have gone. The agent will not hear us under another one, unless its NAT lets us through.
      errno = socket?.sendBatch(offset, length, segmentLength, origin.address, undefined, ecn) ?? errno;
    }
    if (isFull(errno)) return errno;
    if (errno !== 0) this.#failed(errno, count);
    else {
      this.datagrams += count;
      this.bytes += length;
    }
    return 0;
  }

  #socketFor({ address }: UdpOrigin): UdpSocket | undefined {
    const { v4, v6 } = this.options.sockets;
    return socketAddressFamily(address) === 4 ? v4 : v6;
  }

  #failed(errno: number, count: number): void {
    this.options.drops.add(`udp-send-${errnoName(errno)}`, count);
  }
}

const isFull = (errno: number): boolean => errno === ERRNO.EAGAIN || errno === ERRNO.ENOBUFS;
