import { setTimeout as delay } from 'node:timers/promises';
import { InvariantError, type NetworkId, type NodeId } from '@warren/base';
import type { ChangeRow, NodeRow, Store } from '@warren/db';
import type { Position, SelfConfig, SignalServer } from '@warren/proto';
import { compileChange, type Network, type NetworkNode } from '@warren/topology';
import { selfConfig } from '../codec/agent-codec.js';
import type { Log } from '../log.js';
import { sameServers, signalServersOf } from '../signal/server-list.js';
import { type SignTicket, ticketLife } from '../signal/tickets.js';
import { isDigest } from './digest.js';
import { diffEntries, entriesOf, entryOf } from './entries.js';
import { type Fate, fateOf } from './fates.js';
import { PresenceMap } from './presence-map.js';
import { ACTOR } from './presence-watch.js';
import { bouncesFirst, digestAfter, digestOf, isRenamedBounce } from './publication.js';
import type { DeltaCache, Session } from './session.js';
import { advance, rewind, type Step, type Version, versionOf } from './version.js';

/** What an agent said in its `Hello` about what it holds. */
export interface Held {
  readonly position: Position | undefined;
  readonly digest: Uint8Array;
  /** Where its stream comes from, for people. */
  readonly from?: string;
}

/** What all hubs share. */
export interface HubParts {
  readonly store: Store;
  readonly log: Log;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** The signal servers that agents of every network are told of. */
  readonly signals: { readonly servers: readonly SignalServer[] };
  readonly signTicket: SignTicket;
  /** Told of the active members when they are others than before; of a network that is gone there are none. */
  readonly onMembers?: (network: NetworkId, members: Network['nodes']) => void;
  /** Told when an agent's stream begins here, and when its last one ended. */
  readonly onPresence?: (network: NetworkId, node: NodeId, online: boolean) => void;
}

/** Tickets are renewed in a seventh of their life, daily as a rule, so that who is cut off has one that is good for long. */
const TICKET_PARTS = 7;
/** What a change may wait for others to come with it; milliseconds. */
const LONGEST_REST = 100;
/** Same-generation reconnects within a minute beyond which two copies of one state directory are fighting. */
const MOST_RECONNECTS = 6;
const RECONNECT_WINDOW = 60_000;
/** How long an agent that was started before may take to show that it still runs, milliseconds. */
const ANSWER_TIME = 4_000;

/**
 * One network as this process knows it, and the agents that follow it here. Holds a replica of the network's state,
 * follows the change log, and sends each agent what the change means for it. Only what is committed gets in
 * (invariant 11): everything is read back from the log.
 */
export class NetworkHub {
  readonly #sessions: PresenceMap<Session>;
  /** Agents of pending nodes: they know themselves and nobody, and are known to nobody. */
  readonly #waiting: PresenceMap<Session>;
  readonly #reconnects = new Map<NodeId, { since: number; count: number }>();
  #version: Version;
  #signalServers: readonly SignalServer[];
  /** One task after another: a session is attached at exactly one revision. */
  #queue: Promise<void> = Promise.resolve();
  #catchingUp: Promise<void> | undefined;
  #following: Promise<void> | undefined;
  /** By the clock of `now`. */
  #restUntil = 0;
  readonly #waiters = new Set<() => void>();

  private constructor(
    readonly id: NetworkId,
    version: Version,
    private readonly parts: HubParts,
  ) {
    this.#version = version;
    // Who moves from one to the other is in both for a moment, and neither comes nor goes.
    const tell = (nodeId: NodeId, online: boolean): void => {
      const twice = this.#sessions.has(nodeId) || this.#waiting.has(nodeId);
      if (online ? this.#sessions.has(nodeId) !== this.#waiting.has(nodeId) : !twice)
        parts.onPresence?.(id, nodeId, online);
    };
    this.#sessions = new PresenceMap(tell);
    this.#waiting = new PresenceMap(tell);
    this.#signalServers = signalServersOf(version.decided.network, parts.signals.servers);
  }

  /** @returns undefined for a network that does not exist. */
  static async open(id: NetworkId, parts: HubParts): Promise<NetworkHub | undefined> {
    const state = await parts.store.loadNetwork(id);
    return state && new NetworkHub(id, versionOf(state), { ...parts, log: parts.log.child({ network: id }) });
  }

  get version(): Version {
    return this.#version;
  }
  get sessions(): ReadonlyMap<NodeId, Session> {
    return this.#sessions;
  }

  /** Agents whose nodes wait for approval. */
  get waiting(): ReadonlyMap<NodeId, Session> {
    return this.#waiting;
  }

  /** What agents of this network are told of signal servers. */
  get signalServers(): readonly SignalServer[] {
    return this.#signalServers;
  }

  /** Reads the log up to now and tells everybody. Calls while one waits share it. */
  catchUp(): Promise<void> {
    this.#catchingUp ??= this.#enqueue(async () => {
      this.#catchingUp = undefined;
      await this.#readLog();
    });
    return this.#catchingUp;
  }

  /**
   * Catches up at once, or in a moment if telling everybody of the last change took long: in a crowd of changes
   * several go out together, and at most half of our time goes into it.
   */
  follow(): Promise<void> {
    const rest = this.#restUntil - this.parts.now();
    if (rest <= 0) return this.catchUp();
    this.#following ??= delay(rest, undefined, { ref: false }).then(() => {
      this.#following = undefined;
      return this.catchUp();
    });
    return this.#following;
  }

  /** Resolves at the next revision, or when `signal` aborts. */
  nextChange(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        signal.removeEventListener('abort', wake);
        this.#waiters.delete(wake);
        resolve();
      };
      if (signal.aborted) return resolve();
      this.#waiters.add(wake);
      signal.addEventListener('abort', wake);
    });
  }

  /** Takes in an agent that said hello: as a clone, as one that waits, from where it stands, or from zero. */
  async attach(session: Session, held: Held): Promise<void> {
    const live = this.#liveSession(session.nodeId);
    // Not in the queue: the answer may take seconds, and no revocation may wait for it.
    if (live && (await isCopyOf(live, session))) return this.#refuseClone(session, held);
    return this.#enqueue(() => this.#takeIn(session, held, live));
  }

  async #takeIn(session: Session, held: Held, asked: Session | undefined): Promise<void> {
    const live = this.#liveSession(session.nodeId);
    if (live && live !== asked && live.startGeneration !== session.startGeneration) {
      // Connected while another one was asked: ask this one, too.
      return session.farewell('resync', 'another stream of this node began at the same moment: connect again');
    }
    if (!(await this.parts.store.claimGeneration(session.nodeId, session.startGeneration, true))) {
      await this.#readLog();
      const fate = await this.#fateOf(session.nodeId);
      // A node that was removed while it said hello claims nothing either.
      if (!fate || 'waits' in fate) return this.#refuseClone(session, held);
      return this.#settle(session, fate);
    }
    if (this.#isFighting(session)) return this.#refuseClone(session, held);
    await this.#readLog();
    const rows = await this.#rowsSince(held.position);
    const fate = await this.#fateOf(session.nodeId);
    if (!session.open) return;
    this.#replace(session);
    if (fate) return this.#settle(session, fate);
    this.#sessions.set(session.nodeId, session);
    this.#begin(session, held, rows);
  }

  detach(session: Session): void {
    session.lost();
    for (const sessions of [this.#sessions, this.#waiting]) {
      if (sessions.get(session.nodeId) === session) sessions.delete(session.nodeId);
    }
  }

  /** Compares digests at equal positions, carries the agent's position forward, and answers. */
  heartbeat(session: Session, held: Held): void {
    const follows = this.#sessions.get(session.nodeId) === session;
    if (!follows && this.#waiting.get(session.nodeId) !== session) return;
    session.acknowledge(held.position);
    if (session.agrees(held.position, held.digest) === false) {
      this.parts.log.warn(
        { node: session.nodeId, revision: session.position.revision },
        'digests differ: resynchronising',
      );
      session.farewell('resync', 'what the agent holds differs from what it was sent: connect again from zero');
      return;
    }
    if (follows && session.position.revision < this.#version.revision) {
      session.sendDelta({ to: this.#position(), upsert: [], remove: [], tombstones: [], digest: session.digest });
    }
    session.sendHeartbeatReply();
  }

  checkProgress(): void {
    const renewal = ticketLife(this.#version.decided.network) / TICKET_PARTS;
    for (const session of this.#everybody()) {
      session.checkProgress();
      if (session.ticketAge >= renewal) this.#sendTicket(session);
    }
  }

  /** The servers that all networks share are others now: everybody hears of it, where everybody stands. */
  signalsChanged(): void {
    if (!this.#noteSignalServers()) return;
    for (const session of this.#sessions.values()) {
      const node = this.#version.decided.network.nodes.get(session.nodeId);
      if (!node) continue; // its farewell is on its way
      const { position: to, digest } = session;
      session.sendDelta({ to, upsert: [], remove: [], tombstones: [], self: this.#self(node), digest });
    }
  }

  /** The process stops: agents come back to another replica, or later. */
  drain(): void {
    for (const session of this.#everybody()) session.farewell('draining', 'the control plane stops: come back');
    this.#sessions.clear();
    this.#waiting.clear();
  }

  #enqueue(task: () => Promise<void>): Promise<void> {
    const done = this.#queue.then(task);
    // A failed task is its caller's to report; the next one starts from a clean state all the same.
    this.#queue = done.catch(() => undefined);
    return done;
  }

  async #readLog(): Promise<void> {
    const rows = await this.parts.store.changesSince(this.id, this.#version.revision);
    if (rows?.length === 0) return;
    if (!rows || rows.some((row) => row.networkChanged)) return this.#reload();
    const before = this.#version;
    const began = this.parts.now();
    const keys = rows.some((row) => row.pair !== undefined) ? await this.parts.store.presharedKeys(this.id) : undefined;
    const step = advance(before, rows, keys);
    // Before the version is ours: who cannot be looked up now is looked up with the next try.
    const fates = await this.#fates(step.version, step.changed);
    this.#version = step.version;
    this.#publish(before, step);
    this.#settleAll(fates);
    this.#notify();
    const ended = this.parts.now();
    this.#restUntil = ended + Math.min(ended - began, LONGEST_REST);
  }

  /** From zero: the log does not reach back, or the network itself changed. */
  async #reload(): Promise<void> {
    const state = await this.parts.store.loadNetwork(this.id);
    if (!state) {
      for (const session of this.#everybody()) session.farewell('node-revoked', 'the network was deleted');
      this.#sessions.clear();
      this.#waiting.clear();
      this.parts.onMembers?.(this.id, new Map());
      return;
    }
    const version = versionOf(state);
    const fates = await this.#fates(version);
    this.#version = version;
    this.#noteSignalServers();
    for (const session of this.#sessions.values()) {
      if (version.decided.network.nodes.has(session.nodeId)) this.#sendSnapshot(session);
    }
    this.#settleAll(fates);
    this.#notify();
  }

  #publish(before: Version, step: Step): void {
    const { decided } = step.version;
    const serversChanged = this.#noteSignalServers();
    if (this.#sessions.size === 0) return;
    const renamed = [...step.changed].some((id) => isRenamedBounce(before, step.version, id));
    const deltas = renamed ? undefined : compileChange(before.decided, decided, step.changed);
    const cache: DeltaCache = new Map();
    for (const session of bouncesFirst(this.#sessions, decided.network)) {
      const { nodeId } = session;
      const node = decided.network.nodes.get(nodeId);
      if (!node) continue; // its fate is settled after this
      const own = deltas?.get(nodeId) ?? { upsert: [], remove: [] };
      const delta = deltas
        ? { upsert: own.upsert.map((peer) => entryOf(peer, decided.network)), remove: own.remove }
        : diffEntries(entriesOf(before.decided, nodeId), entriesOf(decided, nodeId));
      const tellsSelf = serversChanged || step.changed.has(nodeId);
      const self = tellsSelf ? { self: this.#self(node) } : {};
      if (delta.upsert.length + delta.remove.length + step.tombstones.length === 0 && !tellsSelf) continue;
      const digest = digestAfter(session.digest, before, nodeId, delta);
      session.sendDelta({ to: this.#position(), ...delta, ...self, tombstones: step.tombstones, digest }, cache);
      // A ticket is for a path key: who has another one needs another ticket.
      if (before.decided.network.nodes.get(nodeId)?.record !== node.record) this.#sendTicket(session);
    }
  }

  /** The rows between an agent's position and ours; undefined when only a snapshot will do. */
  async #rowsSince(position: Position | undefined): Promise<readonly ChangeRow[] | undefined> {
    const { epoch, revision } = this.#version;
    if (!position || position.revision <= 0 || position.epoch !== epoch || position.revision > revision)
      return undefined;
    if (position.revision === revision) return [];
    const rows = await this.parts.store.changesSince(this.id, position.revision);
    if (!rows || rows.some((row) => row.networkChanged)) return undefined;
    return rows.filter((row) => row.revision <= revision);
  }

  #begin(session: Session, held: Held, rows: readonly ChangeRow[] | undefined): void {
    const { decided } = this.#version;
    const node = decided.network.nodes.get(session.nodeId);
    const old = rows && rewind(this.#version, rows);
    const before = old?.network.nodes.has(session.nodeId) ? entriesOf(old, session.nodeId) : undefined;
    if (!node || !rows || !before || !held.position || !isDigest(digestOf(before.values()), held.digest)) {
      this.#sendSnapshot(session);
      return;
    }
    const after = entriesOf(decided, session.nodeId);
    session.resumeAt(held.position, digestOf(before.values()));
    session.sendDelta({
      to: this.#position(),
      ...diffEntries(before, after),
      self: this.#self(node),
      tombstones: rows.flatMap((row) => row.tombstone ?? []),
      digest: digestOf(after.values()),
    });
    this.#sendTicket(session);
  }

  #sendSnapshot(session: Session): void {
    const { decided, tombstones } = this.#version;
    const node = decided.network.nodes.get(session.nodeId);
    if (!node) throw new InvariantError(`node ${session.nodeId} is in the network that it is sent`);
    const entries = [...entriesOf(decided, session.nodeId).values()];
    session.sendSnapshot(this.#position(), this.#self(node), entries, tombstones, digestOf(entries));
    this.#sendTicket(session);
  }

  #self(node: NetworkNode): SelfConfig {
    return selfConfig(node, this.#version.decided.network, this.#signalServers);
  }

  #sendTicket(session: Session): void {
    const node = this.#version.decided.network.nodes.get(session.nodeId);
    const ticket = node && this.parts.signTicket(this.#version.decided.network, node);
    if (ticket) session.sendTicket(ticket);
  }

  /** @returns whether the list that agents are told of is another one now. */
  #noteSignalServers(): boolean {
    const servers = signalServersOf(this.#version.decided.network, this.parts.signals.servers);
    if (sameServers(servers, this.#signalServers)) return false;
    this.#signalServers = servers;
    return true;
  }

  /** Of those who follow or wait, and are not among the active nodes of `version`; without `changed` of all of them. */
  async #fates(version: Version, changed?: ReadonlySet<NodeId>): Promise<Map<NodeId, Fate>> {
    const { nodes } = version.decided.network;
    const waiting = [...this.#waiting.keys()].filter((id) => !changed || changed.has(id));
    const out = [...this.#sessions.keys(), ...waiting].filter((id) => !nodes.has(id));
    const fates = out.map(async (id) => [id, fateOf(id, await this.#row(id, version), version.tombstones)] as const);
    return new Map(await Promise.all(fates));
  }

  /** Undefined: it is an active node. */
  async #fateOf(id: NodeId): Promise<Fate | undefined> {
    if (this.#version.decided.network.nodes.has(id)) return undefined;
    return fateOf(id, await this.#row(id, this.#version), this.#version.tombstones);
  }

  async #row(id: NodeId, { decided }: Version): Promise<NodeRow | undefined> {
    const row = await this.parts.store.findNode(id);
    return row?.networkId === decided.network.id ? row : undefined;
  }

  /** Who is out hears it; who waited and was let in gets everything. */
  #settleAll(fates: ReadonlyMap<NodeId, Fate>): void {
    for (const [id, fate] of fates) {
      const session = this.#sessions.get(id) ?? this.#waiting.get(id);
      if (session) this.#settle(session, fate);
    }
    for (const [id, session] of [...this.#waiting]) {
      if (!this.#version.decided.network.nodes.has(id)) continue;
      this.#sessions.set(id, session);
      this.#waiting.delete(id);
      this.#sendSnapshot(session);
    }
  }

  #settle(session: Session, fate: Fate): void {
    const { nodeId } = session;
    if (!('waits' in fate)) {
      session.farewell(fate.farewell, fate.message, fate.tombstone);
      this.#reconnects.delete(nodeId);
      this.detach(session);
      return;
    }
    this.#waiting.set(nodeId, session);
    this.#sessions.delete(nodeId);
    // Approved after the revision that we have: what that means comes with the next one.
    if (fate.waits.status !== 'pending') return;
    const self = selfConfig(fate.waits, this.#version.decided.network, []);
    session.sendSnapshot(this.#position(), self, [], [], 0n);
  }

  #replace(session: Session): void {
    const previous = this.#liveSession(session.nodeId);
    if (!previous) return;
    // Of the same start of the agent, or of one that answers no more: nobody reads there.
    previous.close();
    this.detach(previous);
  }

  #liveSession(id: NodeId): Session | undefined {
    return this.#sessions.get(id) ?? this.#waiting.get(id);
  }

  #everybody(): Session[] {
    return [...this.#sessions.values(), ...this.#waiting.values()];
  }

  /** Who is connected stays; which of the two is the right one only the operator can know. */
  async #refuseClone(session: Session, { from }: Held): Promise<void> {
    const { nodeId, startGeneration } = session;
    session.farewell('clone', CLONE);
    const { store, log } = this.parts;
    log.warn({ node: nodeId, startGeneration, from }, 'a second copy of a state directory connected: refused');
    try {
      await store.noteClone(nodeId, { startGeneration, from: from ?? null }, ACTOR);
    } catch (error) {
      if (error instanceof InvariantError) throw error;
      log.warn({ err: error, node: nodeId }, 'cannot note a clone');
    }
  }

  #isFighting(session: Session): boolean {
    const live = this.#liveSession(session.nodeId);
    if (live?.startGeneration !== session.startGeneration || !live.open) return false;
    const known = this.#reconnects.get(session.nodeId);
    const fresh = known && this.parts.now() - known.since < RECONNECT_WINDOW;
    const entry = fresh ? known : { since: this.parts.now(), count: 0 };
    entry.count += 1;
    this.#reconnects.set(session.nodeId, entry);
    return entry.count > MOST_RECONNECTS;
  }

  #position(): Position {
    return { epoch: this.#version.epoch, revision: this.#version.revision };
  }

  #notify(): void {
    this.parts.onMembers?.(this.id, this.#version.decided.network.nodes);
    for (const wake of [...this.#waiters]) wake();
  }
}

/**
 * Whether a stream comes from a copy of the state directory of `live`. A later start of the same directory ends the
 * process before it, so an older start that still answers is another process.
 */
async function isCopyOf(live: Session, { startGeneration }: Session): Promise<boolean> {
  if (!live.open || live.startGeneration === startGeneration) return false;
  return startGeneration < live.startGeneration || live.answers(ANSWER_TIME);
}

const CLONE = 'another copy of this state directory is connected: stop one of them, or join it anew';
