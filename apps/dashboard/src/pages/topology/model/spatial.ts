import { type Quadtree, quadtree } from 'd3-quadtree';
import { type Box, mayCross } from './camera.js';
import type { SceneEdge, SceneNode } from './scene.js';
import type { Point } from './seed-layout.js';

/** Which marks are where. */
export class SpatialIndex {
  readonly #tree: Quadtree<SceneNode>;
  readonly #largest: number;

  constructor(nodes: readonly SceneNode[]) {
    this.#tree = quadtree<SceneNode>(
      nodes as SceneNode[],
      ({ x }) => x,
      ({ y }) => y,
    );
    this.#largest = nodes.reduce((most, { r }) => Math.max(most, r), 0);
  }

  /** Marks whose centre is within `box` or so near that they reach into it. */
  within({ left, top, right, bottom }: Box): SceneNode[] {
    const found: SceneNode[] = [];
    const by = this.#largest;
    this.#tree.visit((branch, x0, y0, x1, y1) => {
      if (!branch.length) {
        for (let leaf: typeof branch | undefined = branch; leaf; leaf = leaf.next) {
          const { x, y } = leaf.data;
          if (x >= left - by && x <= right + by && y >= top - by && y <= bottom + by) found.push(leaf.data);
        }
      }
      return x0 > right + by || x1 < left - by || y0 > bottom + by || y1 < top - by;
    });
    return found;
  }

  /** The mark at a point: the nearest whose edge is at most `slack` away. @param size of a mark as drawn, world units */
  at(point: Point, slack: number, size: (node: SceneNode) => number): SceneNode | undefined {
    const reach = this.#largest + slack;
    const { x, y } = point;
    const near = this.within({ left: x - reach, top: y - reach, right: x + reach, bottom: y + reach });
    let best: SceneNode | undefined;
    let least = slack;
    for (const node of near) {
      const gap = Math.hypot(node.x - x, node.y - y) - size(node);
      if (gap > least || (best !== undefined && gap === least)) continue;
      best = node;
      least = gap;
    }
    return best;
  }

  /** The next mark in a direction: near, and not far off the line. */
  towards(from: SceneNode, dx: number, dy: number, nodes: readonly SceneNode[]): SceneNode | undefined {
    let best: SceneNode | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const node of nodes) {
      const along = (node.x - from.x) * dx + (node.y - from.y) * dy;
      const aside = Math.abs((node.x - from.x) * dy) + Math.abs((node.y - from.y) * dx);
      if (node === from || along <= 0 || aside > along * 2) continue;
      const cost = along + aside * 1.5;
      if (cost < least) [best, least] = [node, cost];
    }
    return best;
  }
}

/** The edge whose line is nearest to a point, within `slack` world units; the last drawn wins. */
export function edgeAt(edges: readonly SceneEdge[], point: Point, slack: number): SceneEdge | undefined {
  const box = { left: point.x - slack, top: point.y - slack, right: point.x + slack, bottom: point.y + slack };
  let best: SceneEdge | undefined;
  let least = slack;
  for (const edge of edges) {
    if (!mayCross(box, edge.from, edge.to)) continue;
    const distance = distanceToLine(point, edge.from, edge.to);
    if (distance < least) [best, least] = [edge, distance];
  }
  return best;
}

function distanceToLine(point: Point, a: Point, b: Point): number {
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const length = dx * dx + dy * dy;
  const along = length === 0 ? 0 : Math.min(1, Math.max(0, ((point.x - a.x) * dx + (point.y - a.y) * dy) / length));
  return Math.hypot(point.x - a.x - along * dx, point.y - a.y - along * dy);
}
