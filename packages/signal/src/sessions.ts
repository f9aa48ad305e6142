import type { NetworkId, NodeId, UnixMillis } from '@warren/base';
import { TokenBucket } from '@warren/paths';
import {
  CLIENT_BURST_BYTES,
  CLIENT_BYTES_PER_SECOND,
  FORMER_GRACE,
  MAX_SESSIONS,
  NOT_HERE_BURST,
  NOT_HERE_PER_SECOND,
  TOMBSTONE_BURST,
  TOMBSTONES_PER_SECOND,
} from './limits.js';
import type { Origin } from './origin.js';

/** A power of two: destinations that a session finds without the table. */
const KNOWN_DESTINATIONS = 16;

/** Who registered. */
export interface Registrant {
  readonly network: NetworkId;
  readonly node: NodeId;
  readonly authority: number;
  readonly relayId: Uint8Array;
  readonly expiresAt: UnixMillis;
  /** X25519, 32 bytes shared with this server. */
  readonly boxKey: Uint8Array;
  /** The agent's nonce of the registration. */
  readonly nonce: Uint8Array;
  readonly origin: Origin;
}

/** All sessions of one relay id; its object outlives each of them, so that it can be remembered. */
interface Agent {
  /** Where its datagrams go: where it registered last. undefined when it has gone. */
  current: Session | undefined;
  /** One over UDP, one over a stream; the current one last. */
  readonly sessions: Session[];
}

/** The agents of one network under one authority: nobody else reaches them. */
export interface NetworkSessions {
  readonly sessions: Set<Session>;
}

/** A registration of an agent from one origin. The four words are names as they lie in a frame, read little-endian. */
export class Session {
  /** 8 bytes: its slot (16 bits), then chance. */
  readonly name: Uint8Array;
  readonly name0: number;
  readonly name1: number;
  readonly relayId0: number;
  readonly relayId1: number;
  /** The seven words of its UDP address. */
  readonly addressWords: Uint32Array;
  /** Milliseconds; the hot path writes it. */
  heardAt: number;
  /** Milliseconds; undefined unless the agent has registered anew. */
  endsAt: number | undefined;
  readonly bytes: TokenBucket;
  readonly notHere: TokenBucket;
  readonly tombstones: TokenBucket;
  readonly destinations: (Agent | undefined)[] = new Array<Agent | undefined>(KNOWN_DESTINATIONS).fill(undefined);
  readonly destinationWords = new Uint32Array(2 * KNOWN_DESTINATIONS);

  constructor(
    readonly who: Registrant,
    readonly network: NetworkSessions,
    readonly slot: number,
    making: { readonly random: Uint8Array; readonly bytesPerSecond: number },
    now: number,
  ) {
    this.name = making.random.slice(0, 8);
    this.name[0] = slot & 0xff;
    this.name[1] = slot >> 8;
    [this.name0, this.name1] = words(this.name);
    [this.relayId0, this.relayId1] = words(who.relayId);
    this.addressWords = new Uint32Array(who.origin.address.slice().buffer);
    this.heardAt = now;
    this.bytes = new TokenBucket(CLIENT_BURST_BYTES, making.bytesPerSecond);
    this.notHere = new TokenBucket(NOT_HERE_BURST, NOT_HERE_PER_SECOND);
    this.tombstones = new TokenBucket(TOMBSTONE_BURST, TOMBSTONES_PER_SECOND);
  }
}

/** All sessions: found by name, and by the relay id of their agent. Bounded by the slots. */
export class Sessions {
  readonly #slots: (Session | undefined)[];
  readonly #free: number[];
  readonly #agents = new Map<string, Agent>();
  readonly #networks = new Map<string, NetworkSessions>();
  readonly #streams = new Map<number, Session>();
  #size = 0;

  /** @param random fresh bytes each time. */
  constructor(
    private readonly random: (length: number) => Uint8Array,
    private readonly limits: { readonly bytesPerSecond?: number | undefined; readonly sessions?: number } = {},
  ) {
    const { sessions: limit = MAX_SESSIONS } = limits;
    this.#slots = new Array<Session | undefined>(limit).fill(undefined);
    this.#free = Array.from({ length: limit }, (_, i) => limit - 1 - i);
  }

  get size(): number {
    return this.#size;
  }

  get isFull(): boolean {
    return this.#free.length === 0;
  }

  /** The session of that name, from the words of a frame; its origin is the caller's to compare. */
  find(name0: number, name1: number): Session | undefined {
    const session = this.#slots[name0 & 0xffff];
    return session !== undefined && session.name0 === name0 && session.name1 === name1 ? session : undefined;
  }

  /** The agent of that relay id, if it may be reached by `from`: registered, in the same network. */
  destination(from: Session, relayId0: number, relayId1: number): Session | undefined {
    const at = relayId1 & (KNOWN_DESTINATIONS - 1);
    const known = from.destinationWords;
    let agent = from.destinations[at];
    if (agent?.current === undefined || known[2 * at] !== relayId0 || known[2 * at + 1] !== relayId1) {
      agent = this.#agents.get(agentKey(relayId0, relayId1));
      if (!agent) return undefined;
      from.destinations[at] = agent;
      known[2 * at] = relayId0;
      known[2 * at + 1] = relayId1;
    }
    const session = agent.current;
    return session !== undefined && session.network === from.network ? session : undefined;
  }

  /** Sessions of a relay id, over UDP and stream, the current one first. */
  ofAgent(relayId: Uint8Array): Session[] {
    return (
      this.#agents
        .get(agentKey(...words(relayId)))
        ?.sessions.slice()
        .reverse() ?? []
    );
  }

  /** @param authority absent: any. */
  ofNetwork(network: NetworkId, authority?: number): Session[] {
    if (this.#size === 0) return [];
    if (authority === undefined) return this.all().filter(({ who }) => who.network === network);
    return [...(this.#networks.get(networkKey(network, authority))?.sessions ?? [])];
  }

  /** The session of a connection, which has one at most. */
  ofStream(stream: number): Session | undefined {
    return this.#streams.get(stream);
  }

  all(): Session[] {
    return this.#slots.filter((session) => session !== undefined);
  }

  /**
   * A new session, to which the agent's datagrams go from now on. Its former one over the same kind of way
   * is good for what is still under way from it, and then ends: the caller has made sure that it is the same node's.
   * undefined: full.
   */
  add(who: Registrant, now: number): Session | undefined {
    for (const former of this.ofAgent(who.relayId)) {
      if (former.who.origin.kind !== who.origin.kind) continue;
      const isUdp = who.origin.kind === 'udp';
      if (!isUdp || former.endsAt !== undefined || this.isFull) this.remove(former);
      else former.endsAt = now + FORMER_GRACE;
    }
    const { origin } = who;
    const ofStream = origin.kind === 'stream' ? this.#streams.get(origin.stream) : undefined;
    if (ofStream) this.remove(ofStream);
    const slot = this.#free.pop();
    if (slot === undefined) return undefined;
    const { bytesPerSecond = CLIENT_BYTES_PER_SECOND } = this.limits;
    const session = new Session(who, this.#network(who), slot, { random: this.random(8), bytesPerSecond }, now);
    this.#slots[slot] = session;
    if (origin.kind === 'stream') this.#streams.set(origin.stream, session);
    session.network.sessions.add(session);
    const key = agentKey(session.relayId0, session.relayId1);
    const agent = this.#agents.get(key) ?? { current: undefined, sessions: [] };
    agent.sessions.push(session);
    agent.current = session;
    this.#agents.set(key, agent);
    this.#size++;
    return session;
  }

  remove(session: Session): void {
    if (this.#slots[session.slot] !== session) return;
    this.#slots[session.slot] = undefined;
    this.#free.push(session.slot);
    this.#size--;
    session.who.boxKey.fill(0);
    session.network.sessions.delete(session);
    const { network, authority, origin } = session.who;
    if (origin.kind === 'stream') this.#streams.delete(origin.stream);
    if (session.network.sessions.size === 0) this.#networks.delete(networkKey(network, authority));
    const key = agentKey(session.relayId0, session.relayId1);
    const agent = this.#agents.get(key)!;
    agent.sessions.splice(agent.sessions.indexOf(session), 1);
    agent.current = agent.sessions.findLast(({ endsAt }) => endsAt === undefined) ?? agent.sessions.at(-1);
    if (!agent.current) this.#agents.delete(key);
  }

  #network({ network, authority }: Registrant): NetworkSessions {
    const key = networkKey(network, authority);
    const known = this.#networks.get(key) ?? { sessions: new Set() };
    this.#networks.set(key, known);
    return known;
  }
}

const networkKey = (network: NetworkId, authority: number): string => `${authority}\n${network}`;

/** Four UTF-16 units: cheaper to make and to hash than digits. */
const agentKey = (word0: number, word1: number): string =>
  String.fromCharCode(word0 & 0xffff, word0 >>> 16, word1 & 0xffff, word1 >>> 16);

/** The two little-endian words of eight bytes. */
export function words(bytes: Uint8Array, at = 0): [number, number] {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, 8);
  return [view.getUint32(0, true), view.getUint32(4, true)];
}
