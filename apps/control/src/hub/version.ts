import { InvariantError, type NodeId } from '@warren/base';
import type { ChangeRow, NetworkState, TombstoneRow } from '@warren/db';
import { type DecidedNetwork, decideNetwork, type Network, type NetworkNode, sameSecret } from '@warren/topology';

/** A network at one revision: what the compiler needs, and where in history it stands. */
export interface Version {
  readonly decided: DecidedNetwork;
  readonly epoch: number;
  readonly revision: number;
  readonly tombstones: readonly TombstoneRow[];
}

export const versionOf = (state: NetworkState): Version => ({
  decided: decideNetwork(state.network),
  epoch: state.epoch,
  revision: state.revision,
  tombstones: state.tombstones,
});

/** A later version, and what is new in it. */
export interface Step {
  readonly version: Version;
  readonly changed: ReadonlySet<NodeId>;
  readonly tombstones: readonly TombstoneRow[];
}

/**
 * The version after `rows`, which follow `version` without a gap. None of them may have changed the network itself. With
 * `presharedKeys` where a row names a pair: those of the network now, which no log holds.
 */
export function advance(version: Version, rows: readonly ChangeRow[], presharedKeys?: PresharedKeys): Step {
  const nodes = new Map<NodeId, NetworkNode>(version.decided.network.nodes);
  const changed = new Set<NodeId>();
  const tombstones: TombstoneRow[] = [];
  let revision = version.revision;
  for (const row of rows) {
    if (row.revision <= revision) throw new InvariantError(`change ${row.revision} comes after ${revision}`);
    revision = row.revision;
    if (row.tombstone) tombstones.push(row.tombstone);
    if (row.nodeId === null) continue;
    changed.add(row.nodeId);
    if (row.after) nodes.set(row.nodeId, row.after);
    else nodes.delete(row.nodeId);
  }
  const { network } = version.decided;
  const keys = presharedKeys && { presharedKeys: keepKnown(network.presharedKeys, presharedKeys) };
  const decided = decideNetwork({ ...network, ...keys, nodes });
  return {
    version: { decided, epoch: version.epoch, revision, tombstones: [...version.tombstones, ...tombstones] },
    changed,
    tombstones,
  };
}

type PresharedKeys = NonNullable<Network['presharedKeys']>;

/** Keys that are the same stay the same objects, by which encoded entries are told apart. */
function keepKnown(known: PresharedKeys | undefined, now: PresharedKeys): PresharedKeys {
  return new Map(
    Array.from(now, ([pair, key]) => {
      const before = known?.get(pair);
      return [pair, before && sameSecret(before, key) ? before : key];
    }),
  );
}

/**
 * The network as it was before `rows`, which lead to `version`: old values put back, latest first (ADR 0010). Preshared keys stay
 * those of now: who held another one is found by its digest, and gets a snapshot.
 */
export function rewind(version: Version, rows: readonly ChangeRow[]): DecidedNetwork {
  const nodes = new Map<NodeId, NetworkNode>(version.decided.network.nodes);
  for (const row of [...rows].reverse()) {
    if (row.nodeId === null) continue;
    if (row.before) nodes.set(row.nodeId, row.before);
    else nodes.delete(row.nodeId);
  }
  return decideNetwork({ ...version.decided.network, nodes });
}
