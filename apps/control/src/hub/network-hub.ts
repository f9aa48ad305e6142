import { InvariantError, type NetworkId, type NodeId } from '@warren/base';
import type { ChangeRow, Store } from '@warren/db';
import { decodeTombstone } from '@warren/identity';
import type { Position } from '@warren/proto';
import { compileChange, type Network } from '@warren/topology';
import { selfConfig } from '../codec/agent-codec.js';
import type { Log } from '../log.js';
import { isDigest, moveDigest } from './digest.js';
import { diffEntries, type Entry, entriesOf, entryBetween, entryOf } from './entries.js';
import { type DeltaCache, REMOVED, type Session } from './session.js';
import { advance, rewind, type Step, type Version, versionOf } from './version.js';

/** What an agent said in its `Hello` about what it holds. */
export interface Held {
  readonly position: Position | undefined;
  readonly digest: Uint8Array;
}

/** Same-generation reconnects within a minute beyond which two copies of one state directory are fighting. */
const MOST_RECONNECTS = 6;
const RECONNECT_WINDOW = 60_000;

/**
 * One network as this process knows it, and the agents that follow it here. Holds a replica of the network's state,
 * follows the change log, and sends each agent what the change means for it. Only what is committed gets in
 * (invariant 11): everything is read back from the log.
 */
export class NetworkHub {
  readonly #sessions = new Map<NodeId, Session>();
  readonly #reconnects = new Map<NodeId, { since: number; count: number }>();
  #version: Version;
  /** One task after another: a session is attached at exactly one revision. */
  #queue: Promise<void> = Promise.resolve();
  #waiting: Promise<void> | undefined;
  readonly #waiters = new Set<() => void>();

  private constructor(
    readonly id: NetworkId,
    version: Version,
    private readonly store: Store,
    private readonly log: Log,
    private readonly now: () => number,
  ) {
    this.#version = version;
  }

  /** @returns undefined for a network that does not exist. */
  static async open(id: NetworkId, store: Store, log: Log, now: () => number): Promise<NetworkHub | undefined> {
    const state = await store.loadNetwork(id);
    return state && new NetworkHub(id, versionOf(state), store, log, now);
  }

  get version(): Version {
    return this.#version;
  }
  get sessions(): ReadonlyMap<NodeId, Session> {
    return this.#sessions;
  }

  /** Reads the log up to now and tells everybody. Calls while one waits share it. */
  catchUp(): Promise<void> {
    this.#waiting ??= this.#enqueue(async () => {
      this.#waiting = undefined;
      await this.#readLog();
    });
    return this.#waiting;
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

  /** Takes in an agent that said hello: as a clone, from where it stands, or from zero. */
  attach(session: Session, held: Held): Promise<void> {
    return this.#enqueue(async () => {
      if (!(await this.store.claimGeneration(session.nodeId, session.startGeneration, true))) {
        await this.#readLog();
        // A node that was removed while it said hello claims nothing either.
        if (this.#version.decided.network.nodes.has(session.nodeId)) session.farewell('clone', CLONE);
        else this.#dismiss(session);
        return;
      }
      if (this.#isFighting(session)) return session.farewell('clone', CLONE);
      await this.#readLog();
      const rows = await this.#rowsSince(held.position);
      if (!session.open) return;
      if (!this.#version.decided.network.nodes.has(session.nodeId)) return this.#dismiss(session);
      this.#replace(session);
      this.#begin(session, held, rows);
    });
  }

  detach(session: Session): void {
    session.lost();
    if (this.#sessions.get(session.nodeId) === session) this.#sessions.delete(session.nodeId);
  }

  /** Compares digests at equal positions, carries the agent's position forward, and answers. */
  heartbeat(session: Session, held: Held): void {
    if (this.#sessions.get(session.nodeId) !== session) return;
    session.acknowledge(held.position);
    if (session.agrees(held.position, held.digest) === false) {
      this.log.warn({ node: session.nodeId, revision: session.position.revision }, 'digests differ: resynchronising');
      session.farewell('resync', 'what the agent holds differs from what it was sent: connect again from zero');
      return;
    }
    if (session.position.revision < this.#version.revision) {
      session.sendDelta({ to: this.#position(), upsert: [], remove: [], tombstones: [], digest: session.digest });
    }
    session.sendHeartbeatReply();
  }

  checkProgress(): void {
    for (const session of this.#sessions.values()) session.checkProgress();
  }

  /** The process stops: agents come back to another replica, or later. */
  drain(): void {
    for (const session of this.#sessions.values()) session.farewell('draining', 'the control plane stops: come back');
    this.#sessions.clear();
  }

  #enqueue(task: () => Promise<void>): Promise<void> {
    const done = this.#queue.then(task);
    // A failed task is its caller's to report; the next one starts from a clean state all the same.
    this.#queue = done.catch(() => undefined);
    return done;
  }

  async #readLog(): Promise<void> {
    const rows = await this.store.changesSince(this.id, this.#version.revision);
    if (rows?.length === 0) return;
    if (!rows || rows.some((row) => row.networkChanged)) return this.#reload();
    const before = this.#version;
    const step = advance(before, rows);
    this.#version = step.version;
    this.#publish(before, step);
    this.#notify();
  }

  /** From zero: the log does not reach back, or the network itself changed. */
  async #reload(): Promise<void> {
    const state = await this.store.loadNetwork(this.id);
    if (!state) {
      for (const session of this.#sessions.values()) session.farewell('node-revoked', 'the network was deleted');
      this.#sessions.clear();
      return;
    }
    this.#version = versionOf(state);
    for (const session of this.#sessions.values()) {
      if (this.#version.decided.network.nodes.has(session.nodeId)) this.#sendSnapshot(session);
      else this.#dismiss(session);
    }
    this.#notify();
  }

  #publish(before: Version, step: Step): void {
    const { decided } = step.version;
    // Entries name the bounce that they lead through, and the compiler knows only its id.
    const renamed = [...step.changed].some((id) => isRenamedBounce(before, step.version, id));
    const deltas = renamed ? undefined : compileChange(before.decided, decided, step.changed);
    const cache: DeltaCache = new Map();
    for (const session of bouncesFirst(this.#sessions, decided.network)) {
      const { nodeId } = session;
      const node = decided.network.nodes.get(nodeId);
      if (!node) {
        this.#dismiss(session);
        continue;
      }
      const own = deltas?.get(nodeId) ?? { upsert: [], remove: [] };
      const delta = deltas
        ? { upsert: own.upsert.map((peer) => entryOf(peer, decided.network)), remove: own.remove }
        : diffEntries(entriesOf(before.decided, nodeId), entriesOf(decided, nodeId));
      const self = step.changed.has(nodeId) ? { self: selfConfig(node, decided.network) } : {};
      if (delta.upsert.length + delta.remove.length + step.tombstones.length === 0 && !step.changed.has(nodeId))
        continue;
      const digest = digestAfter(session.digest, before, nodeId, delta);
      session.sendDelta({ to: this.#position(), ...delta, ...self, tombstones: step.tombstones, digest }, cache);
    }
  }

  /** The rows between an agent's position and ours; undefined when only a snapshot will do. */
  async #rowsSince(position: Position | undefined): Promise<readonly ChangeRow[] | undefined> {
    const { epoch, revision } = this.#version;
    if (!position || position.revision <= 0 || position.epoch !== epoch || position.revision > revision)
      return undefined;
    if (position.revision === revision) return [];
    const rows = await this.store.changesSince(this.id, position.revision);
    if (!rows || rows.some((row) => row.networkChanged)) return undefined;
    return rows.filter((row) => row.revision <= revision);
  }

  #begin(session: Session, held: Held, rows: readonly ChangeRow[] | undefined): void {
    const { decided } = this.#version;
    const node = decided.network.nodes.get(session.nodeId);
    const old = rows && rewind(this.#version, rows);
    const before = old?.network.nodes.has(session.nodeId) ? entriesOf(old, session.nodeId) : undefined;
    if (!node || !rows || !before || !held.position || !isDigest(sum(before.values()), held.digest)) {
      this.#sendSnapshot(session);
      return;
    }
    const after = entriesOf(decided, session.nodeId);
    session.resumeAt(held.position, sum(before.values()));
    session.sendDelta({
      to: this.#position(),
      ...diffEntries(before, after),
      self: selfConfig(node, decided.network),
      tombstones: rows.flatMap((row) => row.tombstone ?? []),
      digest: sum(after.values()),
    });
  }

  #sendSnapshot(session: Session): void {
    const { decided, tombstones } = this.#version;
    const node = decided.network.nodes.get(session.nodeId);
    if (!node) throw new InvariantError(`node ${session.nodeId} is in the network that it is sent`);
    const entries = [...entriesOf(decided, session.nodeId).values()];
    session.sendSnapshot(this.#position(), selfConfig(node, decided.network), entries, tombstones, sum(entries));
  }

  /** The node is out: its agent hears it, with the tombstone if it was revoked, and else that it may join again. */
  #dismiss(session: Session): void {
    const tombstone = this.#version.tombstones.find((row) => decodeTombstone(row.tombstone)?.nodeId === session.nodeId);
    if (tombstone) session.farewell('node-revoked', 'this node was revoked', tombstone);
    else session.farewell('node-removed', REMOVED);
    this.#reconnects.delete(session.nodeId);
    this.detach(session);
  }

  #replace(session: Session): void {
    const previous = this.#sessions.get(session.nodeId);
    // The same start of the agent: its old stream is half dead, and it may still read what comes from there.
    if (previous?.startGeneration === session.startGeneration) previous.close();
    else previous?.farewell('clone', CLONE);
    this.#sessions.set(session.nodeId, session);
  }

  #isFighting(session: Session): boolean {
    const live = this.#sessions.get(session.nodeId);
    if (live?.startGeneration !== session.startGeneration || !live.open) return false;
    const known = this.#reconnects.get(session.nodeId);
    const fresh = known && this.now() - known.since < RECONNECT_WINDOW;
    const entry = fresh ? known : { since: this.now(), count: 0 };
    entry.count += 1;
    this.#reconnects.set(session.nodeId, entry);
    return entry.count > MOST_RECONNECTS;
  }

  #position(): Position {
    return { epoch: this.#version.epoch, revision: this.#version.revision };
  }

  #notify(): void {
    for (const wake of [...this.#waiters]) wake();
  }
}

const CLONE = 'another copy of this state directory is connected: stop one of them, or join it anew';

/** A home that knows its new member before the member calls answers its first handshake, not the one 5 s later. */
function bouncesFirst(sessions: ReadonlyMap<NodeId, Session>, network: Network): Session[] {
  const isBounce = ({ nodeId }: Session): boolean => network.nodes.get(nodeId)?.role === 'bounce';
  const all = [...sessions.values()];
  return [...all.filter(isBounce), ...all.filter((session) => !isBounce(session))];
}

function isRenamedBounce(before: Version, after: Version, id: NodeId): boolean {
  const [old, now] = [before.decided.network.nodes.get(id), after.decided.network.nodes.get(id)];
  return old !== undefined && now !== undefined && old.name !== now.name && now.role === 'bounce';
}

function digestAfter(
  digest: bigint,
  before: Version,
  viewer: NodeId,
  delta: { upsert: readonly Entry[]; remove: readonly NodeId[] },
): bigint {
  const hashBefore = (subject: NodeId): bigint => entryBetween(before.decided, viewer, subject)?.hash ?? 0n;
  let moved = digest;
  for (const entry of delta.upsert) moved = moveDigest(moved, hashBefore(entry.nodeId), entry.hash);
  for (const id of delta.remove) moved = moveDigest(moved, hashBefore(id), 0n);
  return moved;
}

function sum(entries: Iterable<Entry>): bigint {
  let digest = 0n;
  for (const entry of entries) digest = moveDigest(digest, 0n, entry.hash);
  return digest;
}
