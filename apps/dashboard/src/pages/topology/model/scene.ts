import { PATH_LOOKS, type PathLook, pathLook } from '../../../ui/path.js';
import type { Filtered } from './filter.js';
import type { Group } from './grouping.js';
import { type LinkEntry, linkKey, type TopologyNode } from './mesh.js';
import { type NodeShape, type NodeState, nodeShape, nodeState } from './node-look.js';
import type { Circle, Point } from './seed-layout.js';

/** What the canvas draws; `x` and `y` in world units, moved while the layout runs or somebody drags. */
export interface SceneNode {
  /** Of the node, or `group:` and the group's key. */
  readonly id: string;
  x: number;
  y: number;
  /** World units. */
  readonly r: number;
  readonly label: string;
  readonly shape: NodeShape;
  readonly state: NodeState;
  readonly warned: boolean;
  /** Not what was searched for. */
  readonly faded: boolean;
  /** Whose label goes first: the greater. */
  readonly rank: number;
  /** Of a closed group. */
  readonly group: Group | undefined;
}

export interface SceneEdge {
  readonly key: string;
  readonly from: SceneNode;
  readonly to: SceneNode;
  readonly look: PathLook;
  readonly faded: boolean;
  /** Of one pair; undefined: `count` of them between groups. */
  readonly entry: LinkEntry | undefined;
  readonly count: number;
}

export interface Scene {
  readonly nodes: readonly SceneNode[];
  readonly byId: ReadonlyMap<string, SceneNode>;
  /** Those that matter most first: where there are too many, the rest is left out. */
  readonly edges: readonly SceneEdge[];
  readonly edgesOf: ReadonlyMap<string, readonly SceneEdge[]>;
  /** Of open groups, to be drawn behind their members. */
  readonly outlines: readonly { readonly group: Group; readonly circle: Circle }[];
}

export interface SceneOptions {
  readonly shown: Filtered;
  readonly matches: (node: TopologyNode) => boolean;
  readonly positions: ReadonlyMap<string, Point>;
  /** With groups: closed ones are one mark each. */
  readonly groups:
    | {
        readonly list: readonly Group[];
        readonly open: ReadonlySet<string>;
        readonly circles: ReadonlyMap<string, Circle>;
      }
    | undefined;
}

export const emptyScene: Scene = { nodes: [], byId: new Map(), edges: [], edgesOf: new Map(), outlines: [] };

const RADII: Record<NodeShape, number> = { bounce: 11, direct: 8, client: 7.5, vanilla: 8.5 };
const SHAPE_RANKS: Record<NodeShape, number> = { bounce: 3, direct: 2, client: 1, vanilla: 1 };
export const groupId = (key: string): string => `group:${key}`;

export function buildScene(options: SceneOptions): Scene {
  const { shown, groups } = options;
  const byId = new Map<string, SceneNode>();
  const standsFor = new Map<string, SceneNode>();
  const outlines: { group: Group; circle: Circle }[] = [];
  const closed = new Set<string>();
  for (const group of groups?.list ?? []) {
    const circle = groups!.circles.get(group.key);
    if (!circle || group.members.length < 2) continue;
    if (groups!.open.has(group.key)) outlines.push({ group, circle });
    else {
      const mark = groupNode(group, circle, options);
      byId.set(mark.id, mark);
      for (const { id } of group.members) {
        standsFor.set(id, mark);
        closed.add(id);
      }
    }
  }
  for (const node of shown.nodes) {
    if (closed.has(node.id)) continue;
    const mark = nodeMark(node, options);
    byId.set(node.id, mark);
    standsFor.set(node.id, mark);
  }
  const edges = buildEdges(shown.links, standsFor);
  return { nodes: [...byId.values()], byId, edges, edgesOf: indexEdges(edges), outlines };
}

function nodeMark(node: TopologyNode, { positions, matches }: SceneOptions): SceneNode {
  const shape = nodeShape(node);
  const { x, y } = positions.get(node.id) ?? { x: 0, y: 0 };
  const { direct, relay, bounce } = node.paths;
  return {
    ...{ id: node.id, x, y, r: RADII[shape], label: node.name, shape, state: nodeState(node) },
    ...{ warned: node.warnings.length > 0, faded: !matches(node), group: undefined },
    rank: SHAPE_RANKS[shape] * 1e6 + (node.warnings.length > 0 ? 5e5 : 0) + direct + relay + bounce,
  };
}

/** A group is as its members are: offline when all of them are, and warned when one is. */
function groupNode(group: Group, circle: Circle, { matches }: SceneOptions): SceneNode {
  const states = new Set(group.members.map(nodeState));
  const state = (['online', 'unseen', 'pending', 'offline', 'disabled', 'expired'] as const).find((one) =>
    states.has(one),
  )!;
  const warned = group.members.some((node) => node.warnings.length > 0 || nodeState(node) === 'offline');
  return {
    ...{ id: groupId(group.key), x: circle.x, y: circle.y, r: Math.max(16, circle.r * 0.55) },
    ...{ label: `${group.name} (${group.members.length})`, shape: 'client', state, warned, group },
    ...{ faded: !group.members.some(matches), rank: 1e8 + group.members.length },
  };
}

/** The worse a path, the more it matters to whoever looks for what is wrong. */
const WORSE = Object.fromEntries(Object.keys(PATH_LOOKS).map((look, index) => [look, index])) as Record<
  PathLook,
  number
>;

function buildEdges(links: readonly LinkEntry[], standsFor: ReadonlyMap<string, SceneNode>): readonly SceneEdge[] {
  const single: SceneEdge[] = [];
  const bundles = new Map<string, { from: SceneNode; to: SceneNode; count: number; looks: Map<PathLook, number> }>();
  for (const entry of links) {
    const from = standsFor.get(entry.link.a);
    const to = standsFor.get(entry.link.b);
    if (!from || !to || from === to) continue;
    const look = pathLook(entry.link);
    if (!from.group && !to.group) {
      single.push({ key: entry.key, from, to, look, faded: from.faded && to.faded, entry, count: 1 });
      continue;
    }
    const key = linkKey(from.id, to.id);
    let bundle = bundles.get(key);
    if (!bundle) {
      bundle = { from, to, count: 0, looks: new Map() };
      bundles.set(key, bundle);
    }
    bundle.count += 1;
    bundle.looks.set(look, (bundle.looks.get(look) ?? 0) + 1);
  }
  const bundled = [...bundles].map(([key, { from, to, count, looks }]): SceneEdge => {
    const look = [...looks].sort((a, b) => b[1] - a[1] || WORSE[b[0]] - WORSE[a[0]])[0]![0];
    return { key, from, to, look, faded: from.faded && to.faded, entry: undefined, count };
  });
  return [...bundled.sort((a, b) => b.count - a.count), ...single.sort(byWeight)];
}

const byWeight = (a: SceneEdge, b: SceneEdge): number =>
  Number(b.entry!.link.rate > 0) - Number(a.entry!.link.rate > 0) ||
  WORSE[b.look] - WORSE[a.look] ||
  (a.key < b.key ? -1 : 1);

function indexEdges(edges: readonly SceneEdge[]): ReadonlyMap<string, readonly SceneEdge[]> {
  const index = new Map<string, SceneEdge[]>();
  for (const edge of edges) {
    for (const { id } of [edge.from, edge.to]) {
      const list = index.get(id);
      if (list) list.push(edge);
      else index.set(id, [edge]);
    }
  }
  return index;
}
