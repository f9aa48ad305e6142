import type { NetworkId, NodeId } from '@warren/base';
import type { NodePresence, Store } from '@warren/db';
import { ACTOR, type Observation, PresenceWatch, type PresenceWatchOptions, unlessGone } from './presence-watch.js';

/** How long a bounce may be without a stream before its members are moved, milliseconds. */
export const BOUNCE_GRACE = 15_000;

/** All times of the watch, from the one that matters; milliseconds. */
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

/** What is to be decided. */
export interface Judgement {
  readonly withdraw: readonly NodePresence[];
  readonly restore: readonly NodePresence[];
}

/**
 * Which bounces are dead, and which are back (ADR 0006). None is withdrawn unless another one, available and connected,
 * can take its members; one that is back is made to wait only while there is such another one.
 */
export function judgeBounces({ presences, connected, watchedMs }: Observation, times: BounceTimes): Judgement {
  const isConnected = ({ id, unseenMs }: NodePresence): boolean => connected.has(id) || unseenMs < times.fresh;
  const carriers = new Map<NetworkId, Set<NodeId>>();
  for (const bounce of presences) {
    if (bounce.unavailable || !isConnected(bounce)) continue;
    carriers.set(bounce.networkId, (carriers.get(bounce.networkId) ?? new Set()).add(bounce.id));
  }
  const hasOther = ({ id, networkId }: NodePresence): boolean =>
    [...(carriers.get(networkId) ?? [])].some((carrier) => carrier !== id);
  const patient = watchedMs >= times.patience;
  const isDead = (bounce: NodePresence): boolean =>
    patient && !connected.has(bounce.id) && bounce.unseenMs >= times.grace && hasOther(bounce);
  const isBack = (bounce: NodePresence): boolean => {
    const milliseconds = connected.get(bounce.id);
    return milliseconds !== undefined && (milliseconds >= times.stable || !hasOther(bounce));
  };
  return {
    withdraw: presences.filter((bounce) => !bounce.unavailable && isDead(bounce)),
    restore: presences.filter((bounce) => bounce.unavailable && isBack(bounce)),
  };
}

export type BounceWatchOptions = Pick<PresenceWatchOptions, 'connectedMs' | 'log' | 'now'> & {
  readonly store: Pick<Store, 'noteSeen' | 'presences' | 'withdrawBounce' | 'restoreBounce'>;
  readonly times: BounceTimes;
};

/** Decides where nobody shall be homed. The decision is a change of the network like any other. */
export function watchBounces(options: BounceWatchOptions): PresenceWatch {
  const { store, times, log } = options;
  const say = (node: NodeId, network: NetworkId, what: string): void =>
    log.warn({ node, network }, `a bounce ${what}: members get new homes`);
  const decide = async (observation: Observation): Promise<void> => {
    const judgement = judgeBounces(observation, times);
    // First those that are back: they may be the ones that take over.
    for (const { id, networkId } of judgement.restore) {
      if (await unlessGone(store.restoreBounce(id, ACTOR))) say(id, networkId, 'is back');
    }
    const condition = { unseenMs: times.grace, freshMs: times.fresh };
    for (const { id, networkId } of judgement.withdraw) {
      if (await unlessGone(store.withdrawBounce(id, condition, ACTOR))) say(id, networkId, 'is down');
    }
  };
  return new PresenceWatch({ ...options, kind: 'bounce', decide, interval: times.interval, gap: times.grace });
}
