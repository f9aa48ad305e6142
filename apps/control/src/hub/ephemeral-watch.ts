import type { NetworkId } from '@warren/base';
import type { NodePresence, Store } from '@warren/db';
import { ACTOR, type Observation, PresenceWatch, type PresenceWatchOptions, unlessGone } from './presence-watch.js';

/** How long an ephemeral node may be without a stream before it is removed, milliseconds. */
export const EPHEMERAL_GRACE = 5 * 60_000;
/** Milliseconds between two looks at most: a network that wants it faster is noticed with one of them. */
const LONGEST_INTERVAL = 10_000;

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

/**
 * Which ephemeral nodes are gone: none with a stream here, and none before all had time to come back.
 * @param timesOf of the node's network.
 */
export const goneNodes = (
  { presences, connected, watchedMs }: Observation,
  timesOf: (node: NodePresence) => EphemeralTimes,
): readonly NodePresence[] =>
  presences.filter((node) => {
    const { patience, unseen } = timesOf(node);
    return watchedMs >= patience && !connected.has(node.id) && node.unseenMs >= unseen;
  });

export type EphemeralWatchOptions = Pick<PresenceWatchOptions, 'connectedMs' | 'log' | 'now'> & {
  readonly store: Pick<Store, 'noteSeen' | 'presences' | 'removeEphemeral'>;
  /** Where a network says nothing else. */
  readonly times: EphemeralTimes;
  /** Milliseconds that other replicas may take to note as often as a network's new setting wants it; 0: there are none. */
  readonly settleMs?: number;
};

/** Removes ephemeral nodes that have gone, also those that went while no control plane ran. */
export function watchEphemeral(options: EphemeralWatchOptions): PresenceWatch {
  const { store, times, log } = options;
  const networks = new NetworkTimes(options);
  const decide = async (observation: Observation): Promise<void> => {
    networks.note(observation.presences);
    for (const node of goneNodes(observation, (one) => networks.of(one))) {
      if (!networks.hasSettled(node)) continue;
      const removed = await unlessGone(store.removeEphemeral(node.id, networks.of(node).unseen, ACTOR));
      if (removed) log.info({ node: node.id, network: node.networkId }, 'an ephemeral node is gone: removed');
    }
  };
  const interval = (): number => Math.min(LONGEST_INTERVAL, times.interval, networks.shortest().interval);
  const gap = (): number => Math.min(times.gap, networks.shortest().gap);
  return new PresenceWatch({ ...options, kind: 'ephemeral', decide, interval, gap });
}

/** What each network says of the absence of its nodes, and since when it says so. */
class NetworkTimes {
  #networks = new Map<NetworkId, { readonly after: number | null; readonly since: number }>();

  constructor(private readonly options: EphemeralWatchOptions) {}

  note(presences: readonly NodePresence[]): void {
    const noted = new Map(this.#networks);
    for (const { networkId, ephemeralAfterMs: after } of presences) {
      if (noted.get(networkId)?.after !== after) noted.set(networkId, { after, since: this.options.now() });
    }
    const present = new Set(presences.map(({ networkId }) => networkId));
    this.#networks = new Map([...noted].filter(([id]) => present.has(id)));
  }

  of({ ephemeralAfterMs }: NodePresence): EphemeralTimes {
    return ephemeralAfterMs === null ? this.options.times : ephemeralTimes(ephemeralAfterMs);
  }

  shortest(): EphemeralTimes {
    const given = [...this.#networks.values()].flatMap(({ after }) => after ?? []);
    return given.length === 0 ? this.options.times : ephemeralTimes(Math.min(...given));
  }

  hasSettled({ networkId, ephemeralAfterMs }: NodePresence): boolean {
    const since = this.#networks.get(networkId)?.since ?? 0;
    return ephemeralAfterMs === null || this.options.now() - since >= (this.options.settleMs ?? 0);
  }
}
