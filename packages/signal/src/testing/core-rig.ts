import { createHash } from 'node:crypto';
import { type Endpoint, formatEndpoint, type IpAddress } from '@warren/base';
import { sealBox } from '@warren/crypto/boxes';
import type { SignedTombstone } from '@warren/identity';
import { decodeFrame, encodeFrame, type RelayFrame } from '@warren/paths';
import {
  ERRNO,
  MAX_DATAGRAM,
  PacketMemory,
  type ReceivedBatch,
  SOCKET_ADDRESS_LENGTH,
  socketAddressEndpoint,
  type UdpSocket,
} from '@warren/udp';
import { Authorities } from '../authorities.js';
import { DropCounts } from '../drop-counts.js';
import { endpointBytes } from '../origin.js';
import { Registrations } from '../registrations.js';
import { Relay } from '../relay.js';
import { Sessions } from '../sessions.js';
import { UdpSender } from '../udp-sender.js';
import { AUTHORITY_KEY, type FrameOf, random, SERVER_KEY, type TestAgent } from './test-agent.js';

/** One `sendBatch` or `send`. */
export interface Sent {
  readonly to: Endpoint;
  readonly bytes: Uint8Array;
  readonly segmentLength: number;
  readonly ecn: number;
}

/** A socket whose network is two lists. */
export class FakeSocket implements UdpSocket {
  readonly fd = -1;
  readonly path = 'offload';
  readonly errors = new Map<string, number>();
  readonly batch: ReceivedBatch;
  readonly sent: Sent[] = [];
  /** How many batches it still takes before it is full. */
  room = Number.POSITIVE_INFINITY;
  readonly #waiting: { bytes: Uint8Array; segmentLength: number; from: Uint8Array; ecn: number }[] = [];

  constructor(
    readonly family: 4 | 6,
    private readonly memory: PacketMemory,
  ) {
    const name = memory.allocate(SOCKET_ADDRESS_LENGTH);
    const from = memory.bytes.subarray(name, name + SOCKET_ADDRESS_LENGTH);
    this.batch = { offset: memory.allocate(MAX_DATAGRAM), segmentLength: 0, from, local: undefined, ecn: 0 };
  }

  arrive(bytes: Uint8Array, from: Endpoint, segmentLength = bytes.length, ecn = 0): void {
    this.#waiting.push({ bytes, segmentLength, from: endpointBytes(from), ecn });
  }

  receiveBatch(): number {
    const next = this.#waiting.shift();
    if (!next) return -ERRNO.EAGAIN;
    this.memory.bytes.set(next.bytes, this.batch.offset);
    this.batch.from.set(next.from);
    this.batch.segmentLength = next.segmentLength;
    this.batch.ecn = next.ecn;
    return next.bytes.length;
  }

  sendBatch(offset: number, length: number, segmentLength: number, to: Uint8Array, _?: Uint8Array, ecn = 0): number {
    if (this.room <= 0) return ERRNO.EAGAIN;
    this.room--;
    const bytes = this.memory.bytes.slice(offset, offset + length);
    this.sent.push({ to: socketAddressEndpoint(to), bytes, segmentLength, ecn });
    return 0;
  }

  send(datagram: Uint8Array, to: Uint8Array): number {
    this.sent.push({ to: socketAddressEndpoint(to), bytes: datagram.slice(), segmentLength: datagram.length, ecn: 0 });
    return 0;
  }

  receive(): number {
    return 0;
  }

  flush(): void {
    // nothing is kept back
  }
}

/** A server without its threads, sockets and clocks. */
export class CoreRig {
  now = 1_000;
  wall = Date.now();
  readonly drops = new DropCounts();
  readonly memory = new PacketMemory(20);
  readonly v4 = new FakeSocket(4, this.memory);
  readonly v6 = new FakeSocket(6, this.memory);
  readonly sessions: Sessions;
  readonly udp: UdpSender;
  readonly registrations: Registrations;
  readonly relay: Relay;
  readonly brought: SignedTombstone[] = [];
  readonly toStreams: { readonly stream: number; readonly frame: Uint8Array }[] = [];
  readonly others: Uint8Array[] = [];
  blocked = 0;

  constructor(
    options: {
      readonly authorities?: readonly Uint8Array[];
      readonly maxSessions?: number;
      readonly bytesPerSecond?: number;
    } = {},
  ) {
    const { drops, memory } = this;
    const [now, wallClock] = [() => this.now, () => this.wall];
    const { maxSessions, bytesPerSecond } = options;
    this.sessions = new Sessions(random, {
      bytesPerSecond,
      ...(maxSessions === undefined ? {} : { sessions: maxSessions }),
    });
    this.udp = new UdpSender({ sockets: this, memory, drops, onBlocked: () => this.blocked++ });
    const toStream = (stream: number, frame: Uint8Array): boolean =>
      this.toStreams.push({ stream, frame: frame.slice() }) > 0;
    this.registrations = new Registrations({
      key: SERVER_KEY.expose(),
      authorities: new Authorities(options.authorities ?? [AUTHORITY_KEY]),
      sessions: this.sessions,
      drops,
      random,
      now,
      wallClock,
      send: (to, frame) => (to.kind === 'udp' ? this.udp.answer(to, frame) : toStream(to.stream, frame)),
      onTombstone: (tombstone) => this.brought.push(tombstone),
    });
    this.relay = new Relay({
      memory,
      sessions: this.sessions,
      registrations: this.registrations,
      udp: this.udp,
      drops,
      streams: { deliver: toStream, send: toStream },
      handleOther: (datagram) => this.others.push(datagram.slice()),
      now,
    });
  }

  /** Lets bytes arrive as one batch. @returns what was sent thereupon. */
  take(bytes: Uint8Array, from: Endpoint, segmentLength = bytes.length, ecn = 0): Sent[] {
    const socket = from.startsWith('[') ? this.v6 : this.v4;
    socket.arrive(bytes, from, segmentLength, ecn);
    this.relay.pump(socket);
    return this.sent();
  }

  takeFrame(frame: RelayFrame, from: Endpoint): Sent[] {
    return this.take(encodeFrame(frame), from);
  }

  sent(): Sent[] {
    return [...this.v4.sent.splice(0), ...this.v6.sent.splice(0)];
  }

  /** The first answer as a frame of that type. */
  ask<T extends RelayFrame['type']>(frame: RelayFrame, from: Endpoint, type: T): FrameOf<T> {
    const [first] = this.takeFrame(frame, from);
    const answer = first && decodeFrame(first.bytes);
    if (answer?.type !== type) throw new Error(`expected ${type}, not ${answer?.type}`);
    return answer as FrameOf<T>;
  }

  /** A register with everything right, for a cookie of that address. */
  registerFrame(agent: TestAgent, from: Endpoint, nonce = random(8)): FrameOf<'register'> {
    const { cookie } = this.ask({ type: 'hello', nonce }, from, 'challenge');
    return registerWith(agent, nonce, cookie);
  }

  /** @returns the session's name. */
  register(agent: TestAgent, from: Endpoint): Uint8Array {
    this.ask(this.registerFrame(agent, from), from, 'registered');
    return this.sessions.ofAgent(agent.relayId)[0]!.name;
  }

  /** The same over a connection. Leaves `toStreams` empty. */
  registerOverStream(agent: TestAgent, stream: number): Uint8Array {
    const from = { kind: 'stream', stream, address: endpointBytes(at(200, 1 + stream)) } as const;
    const nonce = random(8);
    this.relay.handleStreamFrame(encodeFrame({ type: 'hello', nonce }), from);
    const challenge = decodeFrame(this.toStreams.pop()!.frame);
    if (challenge?.type !== 'challenge') throw new Error(`expected a challenge, not ${challenge?.type}`);
    this.relay.handleStreamFrame(encodeFrame(registerWith(agent, nonce, challenge.cookie)), from);
    this.toStreams.length = 0;
    return this.sessions.ofStream(stream)!.name;
  }
}

export function registerWith(agent: TestAgent, nonce: Uint8Array, cookie: Uint8Array): FrameOf<'register'> {
  const boxNonce = random(24);
  const hash = createHash('sha256').update(agent.ticket).digest().subarray(0, 16);
  const sealed = sealBox(agent.boxKey, boxNonce, Uint8Array.of(1, ...nonce, ...cookie, ...hash));
  return { type: 'register', nonce, cookie, ticket: agent.ticket, box: Uint8Array.of(...boxNonce, ...sealed) };
}

export const at = (host: number, port = 4_000): Endpoint => formatEndpoint(`198.51.100.${host}` as IpAddress, port);
