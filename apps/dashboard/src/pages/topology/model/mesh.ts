import type { Schemas } from '@warren/client';

export type TopologyNode = Schemas['TopologyNode'];
export type TopologyLink = Schemas['TopologyLink'];
export type Topology = Schemas['Topology'];

/** A link that keeps its identity while what is said of it changes. */
export interface LinkEntry {
  readonly key: string;
  link: TopologyLink;
}

/** A network as the page knows it: by node id, and by `linkKey`. */
export interface Mesh {
  readonly nodes: Map<string, TopologyNode>;
  readonly links: Map<string, LinkEntry>;
}

/** What a batch did; what can be seen of it moves on the graph. */
export interface MeshChange {
  /** Nodes or links came or went, or look otherwise: what is derived from them is derived anew. */
  readonly structure: boolean;
  readonly appeared: readonly string[];
  readonly vanished: readonly string[];
  /** Keys of links that came, or whose path is another one. */
  readonly changedLinks: readonly string[];
  readonly goneLinks: readonly string[];
}

export type LinksEvent = {
  readonly networkId: string;
  readonly links: readonly TopologyLink[];
  readonly gone: readonly (readonly [string, string])[];
};
export type NodesEvent = {
  readonly networkId: string;
  readonly nodes: readonly (Pick<TopologyNode, 'id'> & Partial<TopologyNode>)[];
};

export const linkKey = (a: string, b: string): string => (a < b ? `${a} ${b}` : `${b} ${a}`);
export const emptyMesh = (): Mesh => ({ nodes: new Map(), links: new Map() });

const sameLook = (a: TopologyLink, b: TopologyLink): boolean =>
  a.kind === b.kind && a.lan === b.lan && a.family === b.family && a.transport === b.transport;

const sameNodeLook = (a: TopologyNode, b: TopologyNode): boolean =>
  a.online === b.online &&
  a.name === b.name &&
  a.role === b.role &&
  a.status === b.status &&
  a.disabled === b.disabled &&
  a.home === b.home &&
  a.warnings.length === b.warnings.length &&
  a.tags.join() === b.tags.join() &&
  a.reflexive[0] === b.reflexive[0];

/** Makes `mesh` what the control plane says it is, and tells what is different. */
export function replaceMesh(mesh: Mesh, { nodes, links }: Pick<Topology, 'nodes' | 'links'>): MeshChange {
  const appeared: string[] = [];
  const left = new Set(mesh.nodes.keys());
  let structure = false;
  for (const node of nodes) {
    const old = mesh.nodes.get(node.id);
    if (!old) appeared.push(node.id);
    else if (!sameNodeLook(old, node)) structure = true;
    left.delete(node.id);
    mesh.nodes.set(node.id, node);
  }
  for (const id of left) mesh.nodes.delete(id);
  const changed = putLinks(mesh, links);
  const there = new Set(links.map(({ a, b }) => linkKey(a, b)));
  const goneLinks = [...mesh.links.keys()].filter((key) => !there.has(key));
  for (const key of goneLinks) mesh.links.delete(key);
  structure ||= appeared.length + left.size + changed.length + goneLinks.length > 0;
  return { structure, appeared, vanished: [...left], changedLinks: changed, goneLinks };
}

/** Links of nodes that are not known are kept back: the answer that names the nodes names their links, too. */
export function mergeLinks(mesh: Mesh, event: LinksEvent): MeshChange {
  const known = event.links.filter(({ a, b }) => mesh.nodes.has(a) && mesh.nodes.has(b));
  const changedLinks = putLinks(mesh, known);
  const goneLinks = event.gone.map(([a, b]) => linkKey(a, b)).filter((key) => mesh.links.delete(key));
  const structure = changedLinks.length + goneLinks.length > 0;
  return { structure, appeared: [], vanished: [], changedLinks, goneLinks };
}

export function mergeNodes(mesh: Mesh, event: NodesEvent): MeshChange {
  let structure = false;
  for (const part of event.nodes) {
    const old = mesh.nodes.get(part.id);
    if (!old) continue;
    const node = { ...old, ...part };
    structure ||= !sameNodeLook(old, node);
    mesh.nodes.set(node.id, node);
  }
  return { structure, appeared: [], vanished: [], changedLinks: [], goneLinks: [] };
}

/** @returns the keys of those that came or look otherwise. */
function putLinks(mesh: Mesh, links: readonly TopologyLink[]): string[] {
  const changed: string[] = [];
  for (const link of links) {
    const key = linkKey(link.a, link.b);
    const entry = mesh.links.get(key);
    if (!entry) mesh.links.set(key, { key, link });
    else {
      if (sameLook(entry.link, link)) {
        entry.link = link;
        continue;
      }
      entry.link = link;
    }
    changed.push(key);
  }
  return changed;
}

/** Links of one node, the best paths first. */
export function linksOf(mesh: Mesh, id: string): TopologyLink[] {
  const found: TopologyLink[] = [];
  for (const { link } of mesh.links.values()) if (link.a === id || link.b === id) found.push(link);
  return found;
}

export const otherEnd = (link: TopologyLink, id: string): string => (link.a === id ? link.b : link.a);
