import type { NodePresence, Store } from '@warren/db';
import { ACTOR, type Observation, PresenceWatch, type PresenceWatchOptions, unlessGone } from './presence-watch.js';

/** How long an ephemeral node may be without a stream before it is removed, milliseconds. */
export const EPHEMERAL_GRACE = 5 * 60_000;

/** All times of the watch, from the one that matters; milliseconds. */
export interface EphemeralTimes {
  /** Noted as seen longer ago than this: removed. */
  readonly unseen: number;
  readonly interval: number;
  readonly gap: number;
  /** Nothing is removed before this much time of looking without interruption: nobody could come back before. */
  readonly patience: number;
}

/** A node was last noted up to an interval before its stream ended, and has the whole of `grace` from then. */
export const ephemeralTimes = (grace: number): EphemeralTimes => ({
  unseen: grace + grace / 10,
  interval: grace / 10,
  gap: grace / 2,
  patience: grace,
});

/** Which ephemeral nodes are gone: none with a stream here, and none before all had time to come back. */
export const goneNodes = (
  { presences, connected, watchedMs }: Observation,
  { patience, unseen }: EphemeralTimes,
): readonly NodePresence[] =>
  watchedMs < patience ? [] : presences.filter(({ id, unseenMs }) => !connected.has(id) && unseenMs >= unseen);

export type EphemeralWatchOptions = Pick<PresenceWatchOptions, 'connectedMs' | 'log' | 'now'> & {
  readonly store: Pick<Store, 'noteSeen' | 'presences' | 'removeEphemeral'>;
  readonly times: EphemeralTimes;
};

/** Removes ephemeral nodes that have gone, also those that went while no control plane ran. */
export function watchEphemeral(options: EphemeralWatchOptions): PresenceWatch {
  const { store, times, log } = options;
  const { interval, gap } = times;
  const decide = async (observation: Observation): Promise<void> => {
    for (const { id, networkId } of goneNodes(observation, times)) {
      const removed = await unlessGone(store.removeEphemeral(id, times.unseen, ACTOR));
      if (removed) log.info({ node: id, network: networkId }, 'an ephemeral node is gone: removed');
    }
  };
  return new PresenceWatch({ ...options, kind: 'ephemeral', decide, interval, gap });
}
