import { type PathLook, pathLook } from '../../../ui/path.js';
import type { LinkEntry, Mesh, TopologyNode } from './mesh.js';
import { type NodeShape, type NodeState, nodeShape, nodeState } from './node-look.js';

/** What is shown; an empty set lets everything pass. */
export interface Filter {
  readonly tags: ReadonlySet<string>;
  readonly states: ReadonlySet<NodeState>;
  readonly shapes: ReadonlySet<NodeShape>;
  readonly paths: ReadonlySet<PathLook>;
}

export interface Filtered {
  readonly nodes: readonly TopologyNode[];
  readonly links: readonly LinkEntry[];
}

/** `a,b` in an address, and back; undefined: nothing is chosen. */
export const readSet = <T extends string>(text: string | undefined): ReadonlySet<T> =>
  new Set((text ?? '').split(',').filter(Boolean) as T[]);
export const writeSet = (set: ReadonlySet<string>): string | undefined =>
  set.size === 0 ? undefined : [...set].sort().join(',');

export function toggled<T extends string>(set: ReadonlySet<T>, value: T): ReadonlySet<T> {
  const next = new Set(set);
  if (!next.delete(value)) next.add(value);
  return next;
}

const passes = <T>(set: ReadonlySet<T>, value: T): boolean => set.size === 0 || set.has(value);

/** With paths chosen, nodes that have no such path go, too. */
export function filterMesh(mesh: Mesh, filter: Filter): Filtered {
  const chosen = new Map<string, TopologyNode>();
  for (const node of mesh.nodes.values()) {
    if (!passes(filter.states, nodeState(node)) || !passes(filter.shapes, nodeShape(node))) continue;
    if (filter.tags.size > 0 && !node.tags.some((tag) => filter.tags.has(tag))) continue;
    chosen.set(node.id, node);
  }
  const links: LinkEntry[] = [];
  const linked = new Set<string>();
  for (const entry of mesh.links.values()) {
    const { link } = entry;
    if (!chosen.has(link.a) || !chosen.has(link.b) || !passes(filter.paths, pathLook(link))) continue;
    links.push(entry);
    linked.add(link.a).add(link.b);
  }
  const nodes = [...chosen.values()];
  return { nodes: filter.paths.size === 0 ? nodes : nodes.filter(({ id }) => linked.has(id)), links };
}

/** Whether a node is meant by what was typed: each word is in its name, an address, a tag, its id or its version. */
export function matcher(query: string | undefined): (node: TopologyNode) => boolean {
  const words = (query ?? '').toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return () => true;
  return (node) => {
    const texts = [node.name, node.id, node.endpoint ?? '', ...node.addresses, ...node.reflexive, ...node.tags];
    const all = texts.join('\n').toLowerCase();
    return words.every((word) => all.includes(word));
  };
}

/** How many there are of each, of all that is there. */
export function countLooks(mesh: Mesh): {
  readonly paths: ReadonlyMap<PathLook, number>;
  readonly states: ReadonlyMap<NodeState, number>;
  readonly shapes: ReadonlyMap<NodeShape, number>;
  readonly tags: ReadonlyMap<string, number>;
} {
  const paths = new Map<PathLook, number>();
  const states = new Map<NodeState, number>();
  const shapes = new Map<NodeShape, number>();
  const tags = new Map<string, number>();
  for (const { link } of mesh.links.values()) add(paths, pathLook(link));
  for (const node of mesh.nodes.values()) {
    add(states, nodeState(node));
    add(shapes, nodeShape(node));
    for (const tag of node.tags) add(tags, tag);
  }
  return { paths, states, shapes, tags };
}

const add = <K>(counts: Map<K, number>, key: K): void => void counts.set(key, (counts.get(key) ?? 0) + 1);
