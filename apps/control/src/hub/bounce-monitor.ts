import { InvariantError, type NetworkId, type NodeId } from '@warren/base';
import type { BouncePresence, Store } from '@warren/db';
import type { Log } from '../log.js';

/** How long a bounce may be without a stream before its members are moved, milliseconds. */
export const BOUNCE_GRACE = 15_000;

/** All times of the monitor, from the one that matters; milliseconds. */
export interface BounceTimes {
  /** Without a stream for this long: withdrawn. */
  readonly grace: number;
  /** With one stream for this long without a break: restored. Longer than `grace`, so that who flaps stays out. */
  readonly stable: number;
  /** Between two looks; every replica notes at each what it sees. */
  readonly interval: number;
  /** Seen more recently than this, a bounce counts as connected, to whichever replica. */
  readonly fresh: number;
  /**
   * Nothing is withdrawn before this much time of looking without interruption: after a start agents need up to their
   * longest delay (10 s) to come back.
   */
  readonly patience: number;
}

export const bounceTimes = (grace: number): BounceTimes => ({
  grace,
  stable: grace * 2,
  interval: grace / 5,
  fresh: grace / 2,
  patience: grace * 2,
});

/** What one look sees. */
export interface Observation {
  /** From the database: what all replicas have seen. */
  readonly presences: readonly BouncePresence[];
  /** Streams that are open here, and since when. */
  readonly connected: ReadonlyMap<NodeId, number>;
  readonly now: number;
  /** Since when we have been looking without interruption. */
  readonly watchingSince: number;
}

/** What is to be decided. */
export interface Judgement {
  readonly withdraw: readonly BouncePresence[];
  readonly restore: readonly BouncePresence[];
}

/**
 * Which bounces are dead, and which are back (ADR 0006). None is withdrawn unless another one, available and connected,
 * can take its members; one that is back is made to wait only while there is such another one.
 */
export function judgeBounces({ presences, connected, now, watchingSince }: Observation, times: BounceTimes): Judgement {
  const isConnected = ({ id, unseenMs }: BouncePresence): boolean => connected.has(id) || unseenMs < times.fresh;
  const carriers = new Map<NetworkId, Set<NodeId>>();
  for (const bounce of presences) {
    if (bounce.unavailable || !isConnected(bounce)) continue;
    carriers.set(bounce.networkId, (carriers.get(bounce.networkId) ?? new Set()).add(bounce.id));
  }
  const hasOther = ({ id, networkId }: BouncePresence): boolean =>
    [...(carriers.get(networkId) ?? [])].some((carrier) => carrier !== id);
  const patient = now - watchingSince >= times.patience;
  const isDead = (bounce: BouncePresence): boolean =>
    patient && !connected.has(bounce.id) && bounce.unseenMs >= times.grace && hasOther(bounce);
  const isBack = (bounce: BouncePresence): boolean => {
    const since = connected.get(bounce.id);
    return since !== undefined && (now - since >= times.stable || !hasOther(bounce));
  };
  return {
    withdraw: presences.filter((bounce) => !bounce.unavailable && isDead(bounce)),
    restore: presences.filter((bounce) => bounce.unavailable && isBack(bounce)),
  };
}

export interface BounceMonitorOptions {
  readonly store: Pick<Store, 'noteBouncesSeen' | 'bouncePresences' | 'withdrawBounce' | 'restoreBounce'>;
  /** Bounces with an open stream here, and since when. */
  readonly connected: () => ReadonlyMap<NodeId, number>;
  readonly times: BounceTimes;
  readonly log: Log;
  /** The clock of `connected`. */
  readonly now: () => number;
}

/**
 * Decides now and then where nobody shall be homed. Every replica runs one: what each sees is noted in the database,
 * and the store lets only one of them decide. The decision is a change of the network like any other.
 */
export class BounceMonitor {
  #watchingSince: number;
  #lookedAt: number;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(private readonly options: BounceMonitorOptions) {
    this.#watchingSince = options.now();
    this.#lookedAt = this.#watchingSince;
  }

  /** Looks at intervals until `close`. */
  start(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#running = this.look().then(() => this.start());
    }, this.options.times.interval).unref();
  }

  /** Stops; a look that is under way ends first. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  /** One look. Rejects only for a bug of ours. */
  async look(): Promise<void> {
    const { times, now, log } = this.options;
    // A suspended machine has not been looking, and its agents need time to come back.
    if (now() - this.#lookedAt > times.grace) this.#watchingSince = now();
    try {
      await this.#decide();
    } catch (error) {
      if (error instanceof InvariantError) throw error;
      log.warn({ err: error }, 'cannot look after bounces');
      this.#watchingSince = now();
    }
    this.#lookedAt = now();
  }

  async #decide(): Promise<void> {
    const { store, times, now } = this.options;
    await store.noteBouncesSeen([...this.options.connected().keys()]);
    const presences = await store.bouncePresences();
    const observation = { presences, connected: this.options.connected(), now: now() };
    const judgement = judgeBounces({ ...observation, watchingSince: this.#watchingSince }, times);
    // First those that are back: they may be the ones that take over.
    for (const { id, networkId } of judgement.restore) {
      if (await this.#unlessGone(store.restoreBounce(id, ACTOR))) this.#say(id, networkId, 'is back');
    }
    const condition = { unseenMs: times.grace, freshMs: times.fresh };
    for (const { id, networkId } of judgement.withdraw) {
      if (await this.#unlessGone(store.withdrawBounce(id, condition, ACTOR))) this.#say(id, networkId, 'is down');
    }
  }

  /** A node that was deleted since we looked needs no decision. */
  async #unlessGone(decision: Promise<boolean>): Promise<boolean> {
    try {
      return await decision;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'not-found') return false;
      throw error;
    }
  }

  #say(node: NodeId, network: NetworkId, what: string): void {
    this.options.log.warn({ node, network }, `a bounce ${what}: members get new homes`);
  }
}

const ACTOR = 'control';
