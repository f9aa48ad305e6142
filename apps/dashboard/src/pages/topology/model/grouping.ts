import type { Mesh, TopologyNode } from './mesh.js';

export type GroupBy = 'bounce' | 'tag' | 'site';

export const GROUPINGS: Readonly<Record<GroupBy, string>> = { bounce: 'Bounce', tag: 'Tag', site: 'Site' };

/** More nodes than this are shown in groups unless somebody wants otherwise. */
export const GROUPED_FROM = 1_500;

export interface Group {
  readonly key: string;
  readonly name: string;
  readonly members: readonly TopologyNode[];
}

/** Puts each node into one group; the largest group first, within it by id. */
export function groupNodes(mesh: Mesh, nodes: Iterable<TopologyNode>, by: GroupBy): readonly Group[] {
  const keyOf = { bounce: byBounce, tag: byTag, site: bySite }[by](mesh);
  const groups = new Map<string, { key: string; name: string; members: TopologyNode[] }>();
  for (const node of nodes) {
    const { key, name } = keyOf(node);
    const group = groups.get(key);
    if (group) group.members.push(node);
    else groups.set(key, { key, name, members: [node] });
  }
  const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  for (const { members } of groups.values()) members.sort((a, b) => compare(a.id, b.id));
  return [...groups.values()].sort((a, b) => b.members.length - a.members.length || compare(a.key, b.key));
}

type KeyOf = (node: TopologyNode) => { readonly key: string; readonly name: string };

/** The bounce itself, the bounce through which a node is reached, or the nearest that it talks to directly. */
function byBounce(mesh: Mesh): KeyOf {
  const nearest = nearestBounces(mesh);
  return (node) => {
    const id = node.role === 'bounce' ? node.id : (node.home ?? nearest.get(node.id));
    const bounce = id === undefined ? undefined : mesh.nodes.get(id);
    return bounce ? { key: bounce.id, name: bounce.name } : { key: '', name: 'no bounce' };
  };
}

function nearestBounces(mesh: Mesh): ReadonlyMap<string, string> {
  const nearest = new Map<string, { id: string; rtt: number }>();
  const offer = (id: string, bounce: string, rtt: number): void => {
    const best = nearest.get(id);
    if (!best || rtt < best.rtt || (rtt === best.rtt && bounce < best.id)) nearest.set(id, { id: bounce, rtt });
  };
  for (const { link } of mesh.links.values()) {
    if (link.kind !== 'direct') continue;
    const rtt = link.rttMs ?? Number.MAX_VALUE;
    if (mesh.nodes.get(link.a)?.role === 'bounce') offer(link.b, link.a, rtt);
    if (mesh.nodes.get(link.b)?.role === 'bounce') offer(link.a, link.b, rtt);
  }
  return new Map([...nearest].map(([id, best]) => [id, best.id]));
}

const byTag = (): KeyOf => (node) => {
  const tag = [...node.tags].sort()[0];
  return tag === undefined ? { key: '', name: 'no tag' } : { key: tag, name: tag };
};

const hostOf = (endpoint: string): string => endpoint.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');

/** Nodes with one public address, and nodes that reach each other over a LAN, are at one site. */
function bySite(mesh: Mesh): KeyOf {
  const parent = new Map<string, string>();
  const find = (id: string): string => {
    let at = id;
    for (let up = parent.get(at); up !== undefined; up = parent.get(at)) at = up;
    if (at !== id) parent.set(id, at);
    return at;
  };
  const join = (a: string, b: string): void => {
    const [first, second] = [find(a), find(b)].sort() as [string, string];
    if (first !== second) parent.set(second, first);
  };
  const addresses = new Map<string, string>();
  for (const { id, reflexive, endpoint } of mesh.nodes.values()) {
    const outer = reflexive[0] ?? endpoint;
    if (outer === undefined || outer === null) continue;
    const host = hostOf(outer);
    const there = addresses.get(host);
    if (there === undefined) addresses.set(host, id);
    else join(there, id);
  }
  for (const { link } of mesh.links.values()) if (link.lan) join(link.a, link.b);
  const names = new Map([...addresses].map(([host, id]) => [find(id), host]));
  return ({ id, name }) => {
    const key = find(id);
    return { key, name: names.get(key) ?? mesh.nodes.get(key)?.name ?? name };
  };
}
