import type { NodeId, SecretKey } from '@warren/base';
import { type DecidedNetwork, link, type Network, type NetworkNode, type Peer, peersOf } from '@warren/topology';
import { encodePeer } from '../codec/agent-codec.js';
import { entryHash } from './digest.js';

/** A peer entry as it goes over the wire: encoded once for everybody who sees the node alike. */
export interface Entry {
  readonly nodeId: NodeId;
  readonly bytes: Uint8Array;
  readonly hash: bigint;
  /** Tells entries apart without comparing their bytes. */
  readonly serial: number;
}

/** Views kept of one node. A bounce that never changes itself is seen in another way after each vanilla member that comes. */
export const MAX_KEPT_VIEWS = 32;

let serials = 0;
/** By the node as it was at some revision: nodes are immutable, so a changed node begins anew and old ones are collected. */
const kept = new WeakMap<NetworkNode, Map<string, Entry>>();

/** Names of preshared keys: a view is told apart by them, and its own name holds no secret. */
const keyNames = new WeakMap<SecretKey, number>();
let keys = 0;

function keyName({ presharedKey }: Peer): number {
  if (!presharedKey) return 0;
  const known = keyNames.get(presharedKey);
  if (known !== undefined) return known;
  keys += 1;
  keyNames.set(presharedKey, keys);
  return keys;
}

/** How many views of a node are kept. */
export const keptViews = (node: NetworkNode): number => kept.get(node)?.size ?? 0;

export function entryOf(peer: Peer, network: Network): Entry {
  const node = network.nodes.get(peer.id);
  const viaName = peer.via === undefined ? '' : (network.nodes.get(peer.via)?.name ?? '');
  if (!node) return encode(peer, viaName);
  const views = kept.get(node) ?? new Map<string, Entry>();
  kept.set(node, views);
  const view = `${peer.allowedIps.join()} ${peer.endpoint ?? ''} ${peer.persistentKeepalive} ${keyName(peer)} ${viaName}`;
  const known = views.get(view);
  if (known) return known;
  const entry = encode(peer, viaName);
  const oldest = views.size >= MAX_KEPT_VIEWS ? views.keys().next().value : undefined;
  if (oldest !== undefined) views.delete(oldest);
  views.set(view, entry);
  return entry;
}

/** Everything that `viewer` sees, by node id. `viewer` must be in the network. */
export function entriesOf({ network, facts }: DecidedNetwork, viewer: NodeId): Map<NodeId, Entry> {
  const entries = new Map<NodeId, Entry>();
  for (const [id, peer] of peersOf(network, facts, viewer)) entries.set(id, entryOf(peer, network));
  return entries;
}

/** The entry by which `viewer` sees `subject`, if both are there. */
export function entryBetween({ network, facts }: DecidedNetwork, viewer: NodeId, subject: NodeId): Entry | undefined {
  const [from, to] = [network.nodes.get(viewer), network.nodes.get(subject)];
  const peer = from && to && link(from, to, facts)[0];
  return peer && entryOf(peer, network);
}

/** What turns one set of entries into another, compared as bytes. */
export function diffEntries(
  before: ReadonlyMap<NodeId, Entry>,
  after: ReadonlyMap<NodeId, Entry>,
): { upsert: Entry[]; remove: NodeId[] } {
  return {
    upsert: [...after.values()].filter((entry) => before.get(entry.nodeId)?.hash !== entry.hash),
    remove: [...before.keys()].filter((id) => !after.has(id)),
  };
}

function encode(peer: Peer, viaName: string): Entry {
  const bytes = encodePeer(peer, viaName);
  serials += 1;
  return { nodeId: peer.id, bytes, hash: entryHash(bytes), serial: serials };
}
