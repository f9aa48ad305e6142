import type { Node } from '../../api/queries.js';
import type { TopologyNode } from '../../api/telemetry.js';
import { type NodeState, stateOf } from './node-state.js';

/** A row of the list: what is kept of a node, and what is seen of it. */
export interface NodeEntry {
  readonly node: Node;
  readonly seen: TopologyNode | undefined;
  readonly state: NodeState;
}

/** What of the list is shown; all of it is in the address. */
export interface NodeFilter {
  readonly q?: string;
  readonly tag?: string;
  /** A state, or `all`; absent: all but revoked ones. */
  readonly state?: string;
  readonly role?: string;
  /** A key of `SORTS`, with `-` in front for the other direction. */
  readonly sort?: string;
}

const SHOWN_STATES: Readonly<Record<NodeState, number>> = {
  pending: 0,
  expired: 1,
  offline: 2,
  unseen: 3,
  disabled: 4,
  online: 5,
  revoked: 6,
};
const ROLE_ORDER: Readonly<Record<Node['role'], number>> = { bounce: 0, direct: 1, client: 2 };

/** By name, with numbers as numbers: `web-2` before `web-10`. */
const collator = new Intl.Collator('en', { numeric: true });
export const byName = (nodes: readonly Node[]): Node[] => [...nodes].sort((a, b) => collator.compare(a.name, b.name));

const rate = ({ seen }: NodeEntry): number => (seen ? seen.rxRate + seen.txRate : 0);
const lastSeen = ({ node, seen, state }: NodeEntry): number => {
  if (state === 'online') return Number.MAX_SAFE_INTEGER;
  const at = seen?.lastSeenAt ?? node.lastSeenAt;
  return at === null ? 0 : Date.parse(at);
};
/** What is not direct counts first: those are looked for. */
const indirect = ({ seen }: NodeEntry): number =>
  seen ? seen.paths.none * 1_000_000 + (seen.paths.relay + seen.paths.bounce) * 1_000 + seen.paths.direct : -1;

type Order = (a: NodeEntry, b: NodeEntry) => number;
const versionOf = ({ node, seen }: NodeEntry): string => seen?.version ?? node.agentVersion ?? '';

/** Entries come in the order of names, and stay in it where these say nothing. */
export const SORTS: Readonly<Record<string, { readonly name: string; readonly order: Order | undefined }>> = {
  name: { name: 'Name', order: undefined },
  state: { name: 'State', order: (a, b) => SHOWN_STATES[a.state] - SHOWN_STATES[b.state] },
  role: { name: 'Role', order: (a, b) => ROLE_ORDER[a.node.role] - ROLE_ORDER[b.node.role] },
  address: {
    name: 'Address',
    order: (a, b) => collator.compare(a.node.addresses[0] ?? '', b.node.addresses[0] ?? ''),
  },
  paths: { name: 'Paths', order: (a, b) => indirect(b) - indirect(a) },
  seen: { name: 'Last seen', order: (a, b) => lastSeen(b) - lastSeen(a) },
  version: { name: 'Version', order: (a, b) => collator.compare(versionOf(a), versionOf(b)) },
  traffic: { name: 'Traffic', order: (a, b) => rate(b) - rate(a) },
};

/** The order that `sort` of an address names; `name` for one that is none. */
export function parseSort(sort: string | undefined): { readonly key: string; readonly reversed: boolean } {
  const reversed = sort?.startsWith('-') ?? false;
  const key = reversed ? sort!.slice(1) : (sort ?? 'name');
  return Object.hasOwn(SORTS, key) ? { key, reversed } : { key: 'name', reversed: false };
}

/** @param nodes in the order of their names. */
export const entriesOf = (nodes: readonly Node[], seen: ReadonlyMap<string, TopologyNode>): NodeEntry[] =>
  nodes.map((node) => {
    const there = seen.get(node.id);
    return { node, seen: there, state: stateOf(node, there) };
  });

/** What the list shows, in its order. */
export function selectEntries(entries: readonly NodeEntry[], filter: NodeFilter): NodeEntry[] {
  const words = (filter.q ?? '').toLowerCase().split(/\s+/).filter(Boolean);
  const kept = entries.filter(
    ({ node, state }) =>
      (filter.state === undefined ? state !== 'revoked' : filter.state === 'all' || state === filter.state) &&
      (filter.role === undefined || node.role === filter.role || node.kind === filter.role) &&
      (filter.tag === undefined || node.tags.includes(filter.tag)) &&
      words.every((word) => mentions(node, word)),
  );
  const { key, reversed } = parseSort(filter.sort);
  const { order } = SORTS[key]!;
  if (order) kept.sort(order);
  return reversed ? kept.reverse() : kept;
}

/** Name, tag, address, endpoint, version or id in part; a key as a whole (in part it would match by chance). */
const mentions = (node: Node, word: string): boolean =>
  node.name.includes(word) ||
  node.id.startsWith(word) ||
  node.tags.some((tag) => tag.includes(word)) ||
  node.addresses.some((address) => address.includes(word)) ||
  (node.endpoint?.toLowerCase().includes(word) ?? false) ||
  (node.agentVersion?.includes(word) ?? false) ||
  node.publicKey?.toLowerCase() === word;

/** All tags there are, with how many nodes have each. */
export function tagsOf(nodes: readonly Node[]): readonly (readonly [tag: string, count: number])[] {
  const counts = new Map<string, number>();
  for (const node of nodes) for (const tag of node.tags) counts.set(tag, (counts.get(tag) ?? 0) + 1);
  return [...counts].sort(([a], [b]) => collator.compare(a, b));
}
