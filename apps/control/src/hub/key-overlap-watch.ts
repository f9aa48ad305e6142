import { InvariantError, type NodeId } from '@warren/base';
import type { KeyOverlap, Store } from '@warren/db';
import { link } from '@warren/topology';
import type { Log } from '../log.js';
import type { Hubs } from './hubs.js';
import type { NetworkHub } from './network-hub.js';
import { ACTOR, unlessGone } from './presence-watch.js';
import type { Version } from './version.js';

/** Milliseconds between two looks at what is in memory. */
const INTERVAL = 500;
/** Every so many looks the database is asked in any case: for networks that nobody follows here. */
const ASK_EVERY = 20;
/** How long agents that are not connected are waited for, milliseconds: a stream that broke is back by then. */
export const ABSENT_GRACE = 60_000;

export interface KeyOverlapWatchOptions {
  readonly store: Pick<Store, 'keyOverlaps' | 'endKeyOverlap'>;
  readonly hubs: Pick<Hubs, 'opened'>;
  /** Whether there is no other replica: what agents have acknowledged elsewhere is not known here. */
  readonly alone: () => Promise<boolean>;
  /** How long an overlap may last, milliseconds. */
  readonly overlap: number;
  readonly log: Log;
}

/**
 * Ends the time in which a changed key and the one before it are both accepted: when all agents have acknowledged the change, at
 * the latest when it was said it would end (join-and-sync.md, “Rotation”). Every replica runs one; the store lets one decide.
 */
export class KeyOverlapWatch {
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #closed = false;
  #looks = 0;
  #failed = false;

  constructor(private readonly options: KeyOverlapWatchOptions) {}

  /** Looks at intervals until `close`. */
  start(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#running = this.look().then(() => this.start());
    }, INTERVAL).unref();
  }

  /** Stops; a look that is under way ends first. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  /** One look. Rejects only for a bug of ours. */
  async look(): Promise<void> {
    const { hubs, log } = this.options;
    this.#looks += 1;
    const here = hubs.opened().some(({ version }) => overlapping(version).length > 0);
    if (!here && this.#looks % ASK_EVERY !== 1) return;
    try {
      await this.#decide();
      this.#failed = false;
    } catch (error) {
      if (error instanceof InvariantError) throw error;
      if (!this.#failed) log.warn({ err: error }, 'cannot look whether replaced keys are still needed');
      this.#failed = true;
    }
  }

  async #decide(): Promise<void> {
    const { store, hubs, alone, overlap, log } = this.options;
    const overlaps = await store.keyOverlaps();
    if (overlaps.length === 0) return;
    const decidesAlone = await alone();
    for (const { nodeId, networkId, previous, leftMs } of overlaps) {
      const hub = hubs.opened().find(({ id }) => id === networkId);
      const known = decidesAlone && hub && isKnownToAll(hub, nodeId, previous, overlap - leftMs);
      if (leftMs > 0 && !known) continue;
      const ended = await unlessGone(store.endKeyOverlap(nodeId, previous, ACTOR));
      if (ended) log.info({ node: nodeId, network: networkId }, 'the key before is accepted no more');
    }
  }
}

/** Whether nobody who follows us needs the key before any more. */
export function isKnownToAll(
  { version, sessions }: Pick<NetworkHub, 'version' | 'sessions'>,
  id: NodeId,
  previous: KeyOverlap['previous'],
  elapsedMs: number,
): boolean {
  const { network, facts } = version.decided;
  const node = network.nodes.get(id);
  // Not the version that its followers have acknowledged.
  if (node?.previousKey?.publicKey !== previous) return false;
  for (const other of network.nodes.values()) {
    if (other.id === id) continue;
    // Who follows a file acknowledges nothing, and may be a person who has to be given another.
    if (other.kind === 'vanilla' && link(other, node, facts)[0]?.via === undefined) return false;
    if (other.kind === 'agent' && !sessions.has(other.id) && elapsedMs < ABSENT_GRACE) return false;
  }
  return [...sessions.values()].every((session) => session.isSettled);
}

const known = new WeakMap<Version, readonly NodeId[]>();

/** The nodes of a version that have two keys. */
function overlapping(version: Version): readonly NodeId[] {
  const found =
    known.get(version) ??
    [...version.decided.network.nodes.values()].filter(({ previousKey }) => previousKey).map(({ id }) => id);
  known.set(version, found);
  return found;
}
