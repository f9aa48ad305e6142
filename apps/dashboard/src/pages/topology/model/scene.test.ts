import { describe, expect, it } from 'vitest';
import { cameraOver, mayCross, seen, toScreen, toWorld, zoom } from './camera.js';
import { filterMesh } from './filter.js';
import { groupNodes } from './grouping.js';
import { placeLabels } from './label-placement.js';
import { buildScene, type SceneNode } from './scene.js';
import { type Point, seedLayout } from './seed-layout.js';
import { edgeAt, SpatialIndex } from './spatial.js';
import { linkOf, meshOf, nodeOf } from './testing/mesh-of.js';

const everything = {
  tags: new Set<string>(),
  states: new Set<never>(),
  shapes: new Set<never>(),
  paths: new Set<never>(),
};
const mesh = meshOf(
  [
    nodeOf('a', { tags: ['s'] }),
    nodeOf('b', { tags: ['s'] }),
    nodeOf('c', { tags: ['t'] }),
    nodeOf('d', { tags: ['t'] }),
  ],
  [linkOf('a', 'b'), linkOf('a', 'c', { kind: 'relay' }), linkOf('b', 'd', { kind: 'relay' }), linkOf('b', 'c')],
);
const shown = filterMesh(mesh, everything);
const list = groupNodes(mesh, mesh.nodes.values(), 'tag');
const { circles, positions } = seedLayout(list);
const scene = (open: readonly string[] | undefined) =>
  buildScene({
    ...{ shown, positions, matches: ({ id }) => id !== 'd' },
    groups: open && { list, circles, open: new Set(open) },
  });

describe('a scene', () => {
  it('has a mark for each node and a line for each pair, what matters most first', () => {
    const { nodes, edges, byId } = scene(undefined);
    expect(nodes.map(({ id }) => id)).toEqual(['a', 'b', 'c', 'd']);
    expect(edges.map(({ key }) => key)).toEqual(['a c', 'b d', 'a b', 'b c']);
    expect(byId.get('d')?.faded).toBe(true);
    expect(byId.get('a')).toMatchObject(positions.get('a')!);
  });

  it('has one mark for a closed group and one line for all between two', () => {
    const { nodes, edges } = scene([]);
    expect(nodes.map(({ label }) => label)).toEqual(['s (2)', 't (2)']);
    expect(edges).toHaveLength(1);
    expect(edges[0]).toMatchObject({ count: 3, look: 'relay' });
  });

  it('has the members of an open group in its place', () => {
    const { nodes, edges, outlines } = scene(['s']);
    expect(nodes.map(({ id }) => id).sort()).toEqual(['a', 'b', 'group:t']);
    expect(edges.map(({ count }) => count)).toEqual([2, 1, 1]);
    expect(outlines.map(({ group }) => group.key)).toEqual(['s']);
  });
});

describe('the view', () => {
  const size = { width: 800, height: 600 };
  const points: Point[] = [
    { x: -400, y: 10 },
    { x: 900, y: 700 },
  ];
  it('shows all of what it is laid over', () => {
    const camera = cameraOver(points, size);
    for (const point of points) {
      const { x, y } = toScreen(camera, point);
      expect(x >= 0 && x <= 800 && y >= 0 && y <= 600).toBe(true);
      expect(toWorld(camera, { x, y }).x).toBeCloseTo(point.x);
    }
  });
  it('keeps the point under the pointer while it zooms', () => {
    const at = { x: 123, y: 456 };
    const camera = cameraOver(points, size);
    const zoomed = zoom(camera, 3, at);
    expect(toWorld(zoomed, at).x).toBeCloseTo(toWorld(camera, at).x);
    expect(zoomed.scale).toBeCloseTo(camera.scale * 3);
  });
  it('has room for one node and for none', () => {
    expect(cameraOver([{ x: 5, y: 5 }], size)).toMatchObject({ scale: 1.4 });
    expect(cameraOver([], size)).toEqual({ scale: 1, x: 400, y: 300 });
  });
  it('leaves out lines that are wholly beside it', () => {
    const box = seen({ scale: 1, x: 0, y: 0 }, size, 0);
    expect(mayCross(box, { x: -5, y: 10 }, { x: -50, y: 20 })).toBe(false);
    expect(mayCross(box, { x: -5, y: 10 }, { x: 900, y: 20 })).toBe(true);
  });
});

describe('finding what is under the pointer', () => {
  const mark = (id: string, x: number, y: number): SceneNode => ({ ...scene(undefined).nodes[0]!, id, x, y });
  const marks = [mark('a', 0, 0), mark('b', 100, 0), mark('c', 100, 90), mark('d', -300, 0)];
  const index = new SpatialIndex(marks);

  it('agrees with looking at every mark', () => {
    for (let x = -320; x < 140; x += 17)
      for (let y = -40; y < 120; y += 13) {
        const near = marks.map((node) => ({ node, gap: Math.hypot(node.x - x, node.y - y) - 8 }));
        const best = near.filter(({ gap }) => gap <= 20).sort((a, b) => a.gap - b.gap)[0]?.node;
        expect(index.at({ x, y }, 20, () => 8)?.id).toBe(best?.id);
      }
  });
  it('finds what is in a box', () => {
    const box = { left: 80, top: -20, right: 120, bottom: 100 };
    expect(
      index
        .within(box)
        .map(({ id }) => id)
        .sort(),
    ).toEqual(['b', 'c']);
  });
  it('finds the next mark in a direction', () => {
    expect(index.towards(marks[0]!, 1, 0, marks)?.id).toBe('b');
    expect(index.towards(marks[1]!, 0, 1, marks)?.id).toBe('c');
    expect(index.towards(marks[0]!, -1, 0, marks)?.id).toBe('d');
    expect(index.towards(marks[2]!, 0, 1, marks)).toBeUndefined();
  });
  it('finds a line by its nearest point, not beyond its ends', () => {
    const [edge] = scene(undefined).edges;
    const line = { ...edge!, from: marks[0]!, to: marks[1]! };
    expect(edgeAt([line], { x: 50, y: 3 }, 5)).toBe(line);
    expect(edgeAt([line], { x: 50, y: 7 }, 5)).toBeUndefined();
    expect(edgeAt([line], { x: 110, y: 0 }, 5)).toBeUndefined();
  });
});

describe('labels', () => {
  it('never cover one another, and the first comes first', () => {
    const labels = Array.from({ length: 400 }, (_, i) => ({
      ...{ text: `n${i}`, width: 30 + (i % 40), x: (i * 37) % 600, y: (i * 53) % 400 },
    }));
    const placed = placeLabels(labels, 200);
    expect(placed[0]).toBe(labels[0]);
    expect(placed.length).toBeGreaterThan(20);
    for (const [i, a] of placed.entries())
      for (const b of placed.slice(i + 1))
        expect(Math.abs(a.y - b.y) >= 15 || a.x + a.width <= b.x || b.x + b.width <= a.x).toBe(true);
  });
  it('are no more than asked for', () => {
    const labels = Array.from({ length: 9 }, (_, i) => ({ text: '', width: 5, x: 0, y: i * 100 }));
    expect(placeLabels(labels, 4)).toHaveLength(4);
  });
});
