import type { Mesh, TopologyNode } from './mesh.js';
import type { Point } from './seed-layout.js';

/** What the worker lays out, by index. */
export interface LayoutGraph {
  readonly xs: Float32Array;
  readonly ys: Float32Array;
  /** 1: stays where it is. */
  readonly fixed: Uint8Array;
  /** Pairs of indices. */
  readonly links: Uint32Array;
  /** How long each link would like to be, world units. */
  readonly lengths: Float32Array;
}

/** In a full mesh all pull at all; a few links of each tell who belongs together. */
const LINKS_EACH = 4;
const LAN = 55;
const HOME = 85;
const OTHER = 130;

/** @param known positions of an earlier visit: those nodes stay, the new ones find a place between them. */
export function layoutGraph(
  mesh: Mesh,
  nodes: readonly TopologyNode[],
  seeds: ReadonlyMap<string, Point>,
  known: ReadonlyMap<string, Point>,
): LayoutGraph {
  const index = new Map(nodes.map(({ id }, at) => [id, at]));
  const [xs, ys] = [new Float32Array(nodes.length), new Float32Array(nodes.length)];
  const fixed = new Uint8Array(nodes.length);
  for (const [at, { id }] of nodes.entries()) {
    const { x, y } = known.get(id) ?? seeds.get(id) ?? { x: 0, y: 0 };
    xs[at] = x;
    ys[at] = y;
    fixed[at] = known.has(id) ? 1 : 0;
  }
  const chosen = chooseLinks(mesh, index);
  return {
    ...{ xs, ys, fixed },
    links: Uint32Array.from(chosen.flatMap(({ from, to }) => [from, to])),
    lengths: Float32Array.from(chosen, ({ length }) => length),
  };
}

interface Pull {
  readonly from: number;
  readonly to: number;
  readonly length: number;
}

function chooseLinks(mesh: Mesh, index: ReadonlyMap<string, number>): Pull[] {
  const pulls: (Pull & { order: number })[] = [];
  for (const { link } of mesh.links.values()) {
    const [from, to] = [index.get(link.a), index.get(link.b)];
    if (from === undefined || to === undefined || link.kind === 'none') continue;
    const home = mesh.nodes.get(link.a)!.home === link.b || mesh.nodes.get(link.b)!.home === link.a;
    const length = link.lan ? LAN : home ? HOME : OTHER;
    // By id within a kind, so that a measurement more changes nothing.
    pulls.push({ from, to, length, order: length * 1e9 + ((from * 31 + to * 17) % 1e6) });
  }
  pulls.sort((a, b) => a.order - b.order);
  const counts = new Uint16Array(index.size);
  return pulls.filter(({ from, to }) => {
    if (counts[from]! >= LINKS_EACH && counts[to]! >= LINKS_EACH) return false;
    counts[from]! += 1;
    counts[to]! += 1;
    return true;
  });
}
