import { decodeFrame, encodeFrame, FRAME_TYPE, RELAY_HEADER_LENGTH } from '@warren/paths';
import { MAX_DATAGRAM, type PacketMemory, type UdpSocket } from '@warren/udp';
import type { DropCounts } from './drop-counts.js';
import { DATAGRAM_OVERHEAD } from './limits.js';
import { isSameOrigin, type Origin } from './origin.js';
import type { Registrations } from './registrations.js';
import type { Session, Sessions } from './sessions.js';
import type { StreamHub } from './stream-hub.js';
import type { UdpSender } from './udp-sender.js';

/** Batches that are received before other events have their turn. */
const BATCHES_PER_TURN = 64;

export interface RelayOptions {
  readonly memory: PacketMemory;
  readonly sessions: Sessions;
  readonly registrations: Registrations;
  readonly udp: UdpSender;
  readonly drops: DropCounts;
  readonly streams: Pick<StreamHub, 'deliver' | 'send'>;
  /** Anything on UDP that is no frame of ours: STUN. */
  readonly handleOther: (datagram: Uint8Array, from: Uint8Array, local: Uint8Array | undefined) => void;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

/**
 * Makes *send* of one agent *deliver* for another. A batch of datagrams for one agent goes on as one batch: sixteen bytes of each
 * are written over in place, and nothing is allocated.
 */
export class Relay {
  readonly #view: DataView;
  readonly #words: Uint32Array;
  #now = 0;

  constructor(private readonly options: RelayOptions) {
    this.#view = options.memory.view;
    this.#words = options.memory.words;
  }

  /** Handles what waits at a socket, as much as is one turn's. */
  pump(socket: UdpSocket): void {
    this.#now = this.options.now();
    for (let turn = 0; turn < BATCHES_PER_TURN; turn++) {
      const length = socket.receiveBatch();
      if (length < 0) break;
      if (length > 0) this.#handleBatch(socket, length);
    }
    this.options.udp.flush();
  }

  /** One frame of a stream; call `UdpSender.flush` after the last one. Its bytes are the relay's to change. */
  handleStreamFrame(frame: Uint8Array, from: Origin & { readonly kind: 'stream' }): void {
    this.#now = this.options.now();
    const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
    if (frame.length < RELAY_HEADER_LENGTH || view.getUint32(0, true) !== FRAME_TYPE.send) {
      this.#handleControl(frame, from);
      return;
    }
    const session = this.options.sessions.find(view.getUint32(4, true), view.getUint32(8, true));
    if (session === undefined || !isSameOrigin(session.who.origin, from)) {
      this.options.registrations.unknownSession(frame.slice(4, 12), from);
      return;
    }
    const to = this.#destination(session, frame.length, view.getUint32(12, true), view.getUint32(16, true));
    if (to === undefined) return;
    rewriteHeader(view, 0, session, to);
    if (to.who.origin.kind === 'stream') this.options.streams.deliver(to.who.origin.stream, frame);
    else if (frame.length > MAX_DATAGRAM)
      this.options.drops.add('too-long'); // a stream's frames may be
    else this.options.memory.bytes.set(frame, this.options.udp.gather(to, frame.length, 0));
  }

  /** Runs of *send* for one agent go on together; whatever else comes ends a run. */
  #handleBatch(socket: UdpSocket, length: number): void {
    const { offset, segmentLength, ecn } = socket.batch;
    const end = offset + length;
    let runStart = offset;
    let runTo: Session | undefined;
    for (let at = offset; at < end; at += segmentLength) {
      const next = Math.min(at + segmentLength, end);
      const to = this.#takeDatagram(socket, at, next);
      if (to === runTo && to !== undefined) continue;
      if (runTo !== undefined) this.#forward(runTo, runStart, at - runStart, segmentLength, ecn);
      runStart = at;
      runTo = to;
    }
    if (runTo !== undefined) this.#forward(runTo, runStart, end - runStart, segmentLength, ecn);
  }

  #forward(to: Session, offset: number, length: number, segmentLength: number, ecn: number): void {
    const { memory, udp } = this.options;
    if (length > segmentLength) udp.deliver(to, offset, length, segmentLength, ecn);
    else memory.bytes.copyWithin(udp.gather(to, length, ecn), offset, offset + length);
  }

  /** @returns whom to send it to over UDP, its header being written; undefined when it is dealt with. */
  #takeDatagram(socket: UdpSocket, at: number, end: number): Session | undefined {
    const view = this.#view;
    const { from, local } = socket.batch;
    if (end - at < RELAY_HEADER_LENGTH || view.getUint32(at, true) !== FRAME_TYPE.send) {
      this.#handleOther(at, end, from, local);
      return undefined;
    }
    const session = this.options.sessions.find(view.getUint32(at + 4, true), view.getUint32(at + 8, true));
    if (session === undefined || !this.#isFrom(session, from)) {
      const name = this.options.memory.bytes.slice(at + 4, at + 12);
      this.options.registrations.unknownSession(name, { kind: 'udp', address: from, local });
      return undefined;
    }
    const to = this.#destination(session, end - at, view.getUint32(at + 12, true), view.getUint32(at + 16, true));
    if (to === undefined) return undefined;
    rewriteHeader(view, at, session, to);
    const { origin } = to.who;
    if (origin.kind === 'udp') return to;
    this.options.streams.deliver(origin.stream, this.options.memory.bytes.subarray(at, end));
    return undefined;
  }

  /** Whether `from`, the socket address of a batch in packet memory, is where the session registered. */
  #isFrom(session: Session, from: Uint8Array): boolean {
    const words = this.#words;
    const expected = session.addressWords;
    const at = from.byteOffset >> 2;
    for (let i = 0; i < 7; i++) if (words[at + i] !== expected[i]) return false;
    return session.who.origin.kind === 'udp';
  }

  #destination(from: Session, length: number, relayId0: number, relayId1: number): Session | undefined {
    const { drops, sessions } = this.options;
    const now = this.#now;
    from.heardAt = now;
    if (!from.bytes.take(now, length + DATAGRAM_OVERHEAD)) {
      drops.add('rate-limit');
      return undefined;
    }
    const to = sessions.destination(from, relayId0, relayId1);
    if (to === undefined) this.#notHere(from, relayId0, relayId1);
    return to;
  }

  #notHere(from: Session, relayId0: number, relayId1: number): void {
    this.options.drops.add('not-here');
    if (!from.notHere.take(this.#now)) return;
    const destination = new Uint8Array(8);
    const view = new DataView(destination.buffer);
    view.setUint32(0, relayId0, true);
    view.setUint32(4, relayId1, true);
    this.#answer(from.who.origin, encodeFrame({ type: 'not-here', session: from.name, destination }));
  }

  #handleOther(at: number, end: number, from: Uint8Array, local: Uint8Array | undefined): void {
    const datagram = this.options.memory.bytes.subarray(at, end);
    const first = datagram[0]!;
    if (first >= FRAME_TYPE.hello && first <= 0xaf)
      this.#handleControl(datagram, { kind: 'udp', address: from, local });
    else this.options.handleOther(datagram, from, local);
  }

  #handleControl(bytes: Uint8Array, from: Origin): void {
    const frame = decodeFrame(bytes);
    if (frame) this.options.registrations.handle(frame, from);
    else this.options.drops.add('malformed');
  }

  #answer(to: Origin, frame: Uint8Array): void {
    if (to.kind === 'udp') this.options.udp.answer(to, frame);
    else this.options.streams.send(to.stream, frame);
  }
}

/** `send` of one becomes `deliver` for the other: type, receiver's session, source. The rest stays as it is. */
function rewriteHeader(view: DataView, at: number, from: Session, to: Session): void {
  view.setUint32(at, FRAME_TYPE.deliver, true);
  view.setUint32(at + 4, to.name0, true);
  view.setUint32(at + 8, to.name1, true);
  view.setUint32(at + 12, from.relayId0, true);
  view.setUint32(at + 16, from.relayId1, true);
}
