import type { NodeId, SecretKey } from '@warren/base';
import { decide } from './decide.js';
import { link } from './link.js';
import type { DecidedNetwork, Facts, Network, Peer, PeerMapDelta } from './model.js';
import { compareText, sortedText } from './order.js';
import { samePeer, sameSecret, sameTexts } from './peer-map.js';

/** `decide` and keep the result beside the network. */
export const decideNetwork = (network: Network): DecidedNetwork => ({ network, facts: decide(network) });

/**
 * What a change means for each node that sees it: for every node of `after`, `diffPeers` of its peers before and after,
 * nodes without a difference left out. Evaluates only the pairs that the change touches: those of the nodes in `changed`
 * (added, removed or different), and those that a changed fact names (docs/ARCHITECTURE.md, “Life of a change”).
 *
 * @param changed must name every node that differs; more does no harm.
 */
export function compileChange(
  before: Network | DecidedNetwork,
  after: Network | DecidedNetwork,
  changed: ReadonlySet<NodeId>,
): Map<NodeId, PeerMapDelta> {
  const [old, now] = [decided(before), decided(after)];
  const touched = new TouchedPairs(old, now);
  const everybody = new Set([...old.network.nodes.keys(), ...now.network.nodes.keys()]);
  for (const id of nodesToCompare(old, now, changed)) for (const other of everybody) touched.touch(id, other);
  for (const [a, b] of pairsOfChangedFacts(old.facts, now.facts)) touched.touch(a, b);
  if (old.facts.persistentKeepalive !== now.facts.persistentKeepalive) {
    for (const a of everybody) for (const b of everybody) touched.touch(a, b);
  }
  return touched.deltas();
}

const decided = (value: Network | DecidedNetwork): DecidedNetwork => ('facts' in value ? value : decideNetwork(value));

/** Changed nodes, and those whose home moved: by way of it they reach everybody, so all that they see may differ. */
function nodesToCompare(old: DecidedNetwork, now: DecidedNetwork, changed: ReadonlySet<NodeId>): Set<NodeId> {
  const nodes = new Set(changed);
  for (const [id, home] of now.facts.homes) if (old.facts.homes.get(id) !== home) nodes.add(id);
  for (const id of old.facts.homes.keys()) if (!now.facts.homes.has(id)) nodes.add(id);
  // What is routed to a bounce is seen by nearly everybody.
  for (const [bounce, routes] of now.facts.routes) {
    if (!sameTexts(old.facts.routes.get(bounce) ?? [], routes)) nodes.add(bounce);
  }
  return nodes;
}

/** Pairs of nodes that did not change themselves, but whose AllowedIPs depend on a fact that did. */
function* pairsOfChangedFacts(old: Facts, now: Facts): Generator<readonly [NodeId, NodeId]> {
  if (!sameTexts(old.cidrs, now.cidrs)) yield* now.homes;
  yield* pairsOfChangedKeys(old, now);
}

function* pairsOfChangedKeys(
  { presharedKeys: old = NO_KEYS }: Facts,
  { presharedKeys: now = NO_KEYS }: Facts,
): Generator<readonly [NodeId, NodeId]> {
  if (old === now) return;
  for (const pair of new Set([...old.keys(), ...now.keys()])) {
    if (!sameSecret(old.get(pair), now.get(pair))) yield pair.split(' ') as [NodeId, NodeId];
  }
}

const NO_KEYS: ReadonlyMap<string, SecretKey> = new Map();

/** Collects both directions of each pair once. */
class TouchedPairs {
  readonly #seen = new Map<NodeId, Set<NodeId>>();
  readonly #upserts = new Map<NodeId, Peer[]>();
  readonly #removes = new Map<NodeId, NodeId[]>();

  constructor(
    private readonly old: DecidedNetwork,
    private readonly now: DecidedNetwork,
  ) {}

  touch(a: NodeId, b: NodeId): void {
    if (a === b || this.#wasSeen(a < b ? a : b, a < b ? b : a)) return;
    const [aBefore, bBefore] = this.#link(this.old, a, b);
    const [aAfter, bAfter] = this.#link(this.now, a, b);
    this.#compare(a, b, aBefore, aAfter);
    this.#compare(b, a, bBefore, bAfter);
  }

  deltas(): Map<NodeId, PeerMapDelta> {
    const deltas = new Map<NodeId, PeerMapDelta>();
    for (const id of sortedText(new Set([...this.#upserts.keys(), ...this.#removes.keys()]))) {
      const upsert = (this.#upserts.get(id) ?? []).sort((a, b) => compareText(a.id, b.id));
      deltas.set(id, { upsert, remove: sortedText(this.#removes.get(id) ?? []) });
    }
    return deltas;
  }

  #wasSeen(low: NodeId, high: NodeId): boolean {
    const partners = this.#seen.get(low);
    if (partners?.has(high)) return true;
    if (partners) partners.add(high);
    else this.#seen.set(low, new Set([high]));
    return false;
  }

  #link({ network, facts }: DecidedNetwork, a: NodeId, b: NodeId): ReturnType<typeof link> {
    const [nodeA, nodeB] = [network.nodes.get(a), network.nodes.get(b)];
    return nodeA && nodeB ? link(nodeA, nodeB, facts) : [undefined, undefined];
  }

  /** Nodes that are no longer in the network need no delta: they are told that they are out. */
  #compare(viewer: NodeId, subject: NodeId, before: Peer | undefined, after: Peer | undefined): void {
    if (!this.now.network.nodes.has(viewer)) return;
    if (after && !(before && samePeer(before, after))) append(this.#upserts, viewer, after);
    else if (before && !after) append(this.#removes, viewer, subject);
  }
}

function append<T>(lists: Map<NodeId, T[]>, id: NodeId, item: T): void {
  const list = lists.get(id);
  if (list) list.push(item);
  else lists.set(id, [item]);
}
