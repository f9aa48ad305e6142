import { InvariantError, type NetworkId, type NodeId } from '@warren/base';
import type { NodePresence, Store, WatchedKind } from '@warren/db';
import type { Log } from '../log.js';

/** What one look sees. */
export interface Observation {
  /** From the database: what all replicas have seen. */
  readonly presences: readonly NodePresence[];
  /** Of these, the ones whose stream is open here, and for how many milliseconds. */
  readonly connected: ReadonlyMap<NodeId, number>;
  /** For how many milliseconds we have been looking without interruption. */
  readonly watchedMs: number;
}

export interface PresenceWatchOptions {
  readonly kind: WatchedKind;
  readonly store: Pick<Store, 'noteSeen' | 'presences'>;
  /** Milliseconds since the node's stream was opened here; undefined: there is none. */
  readonly connectedMs: (network: NetworkId, node: NodeId) => number | undefined;
  /** Does what follows from a look. */
  readonly decide: (observation: Observation) => Promise<void>;
  /** Milliseconds between two looks; every replica notes at each what it sees. */
  readonly interval: number | (() => number);
  /** More milliseconds than this between two looks are an interruption. */
  readonly gap: number | (() => number);
  readonly log: Log;
  readonly now: () => number;
}

/**
 * Notes now and then which nodes of a kind have a stream here, and has it decided what follows for those that are gone
 * or back. Every replica runs one: what each sees is noted in the database, and the store lets only one of them decide.
 */
export class PresenceWatch {
  #watchingSince: number;
  #lookedAt: number;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(private readonly options: PresenceWatchOptions) {
    this.#watchingSince = options.now();
    this.#lookedAt = this.#watchingSince;
  }

  /** Looks at intervals until `close`. */
  start(): void {
    if (this.#closed) return;
    const interval = current(this.options.interval);
    this.#timer = setTimeout(() => {
      this.#running = this.look().then(() => this.start());
    }, interval).unref();
  }

  /** Stops; a look that is under way ends first. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  /** One look. Rejects only for a bug of ours. */
  async look(): Promise<void> {
    const { gap, now, log, kind } = this.options;
    // A suspended machine has not been looking, and its agents need time to come back.
    if (now() - this.#lookedAt > current(gap)) this.#watchingSince = now();
    try {
      await this.#look();
    } catch (error) {
      if (error instanceof InvariantError) throw error;
      log.warn({ err: error, kind }, 'cannot look which nodes are connected');
      this.#watchingSince = now();
    }
    this.#lookedAt = now();
  }

  async #look(): Promise<void> {
    const { store, kind, decide, now } = this.options;
    const presences = await store.presences(kind);
    // First: what is decided next counts on it.
    await store.noteSeen([...this.#connected(presences).keys()]);
    await decide({ presences, connected: this.#connected(presences), watchedMs: now() - this.#watchingSince });
  }

  #connected(presences: readonly NodePresence[]): Map<NodeId, number> {
    const connected = new Map<NodeId, number>();
    for (const { id, networkId } of presences) {
      const milliseconds = this.options.connectedMs(networkId, id);
      if (milliseconds !== undefined) connected.set(id, milliseconds);
    }
    return connected;
  }
}

const current = (value: number | (() => number)): number => (typeof value === 'number' ? value : value());

/** A node that was deleted since we looked needs no decision. */
export async function unlessGone(decision: Promise<boolean>): Promise<boolean> {
  try {
    return await decision;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'not-found') return false;
    throw error;
  }
}

/** Who decides, in the audit log. */
export const ACTOR = 'control';
