import { describe, expect, it } from 'vitest';
import { groupNodes } from './grouping.js';
import { layoutGraph } from './layout-graph.js';
import { seedLayout } from './seed-layout.js';
import { linkOf, meshOf, nodeOf } from './testing/mesh-of.js';

const many = (count: number, facts: (i: number) => object = () => ({})) =>
  Array.from({ length: count }, (_, i) => nodeOf(`n${String(i).padStart(5, '0')}`, facts(i)));

describe('groups', () => {
  it('by bounce: home first, else the nearest with a direct path', () => {
    const mesh = meshOf(
      [
        ...[nodeOf('x', { role: 'bounce' }), nodeOf('y', { role: 'bounce' })],
        ...[nodeOf('a', { home: 'y' }), nodeOf('b'), nodeOf('c')],
      ],
      [linkOf('b', 'x', { rttMs: 30 }), linkOf('b', 'y', { rttMs: 3 }), linkOf('a', 'x', { rttMs: 1 })],
    );
    const groups = groupNodes(mesh, mesh.nodes.values(), 'bounce');
    expect(groups.map(({ name, members }) => [name, members.map(({ id }) => id).join('')])).toEqual([
      ['y', 'aby'],
      ['no bounce', 'c'],
      ['x', 'x'],
    ]);
  });

  it('by site: one public address, or a LAN between them', () => {
    const at = (host: string) => ({ reflexive: [`${host}:4000`] });
    const mesh = meshOf(
      [nodeOf('a', at('192.0.2.1')), nodeOf('b', at('192.0.2.1')), nodeOf('c', at('[2001:db8::1]')), nodeOf('d')],
      [linkOf('b', 'd', { lan: true }), linkOf('a', 'c')],
    );
    const groups = groupNodes(mesh, mesh.nodes.values(), 'site');
    expect(groups.map(({ name, members }) => [name, members.map(({ id }) => id).join('')])).toEqual([
      ['192.0.2.1', 'abd'],
      ['2001:db8::1', 'c'],
    ]);
  });

  it('by tag: the first of several', () => {
    const mesh = meshOf([nodeOf('a', { tags: ['z', 'm'] }), nodeOf('b', { tags: ['m'] }), nodeOf('c')]);
    expect(groupNodes(mesh, mesh.nodes.values(), 'tag').map(({ name }) => name)).toEqual(['m', 'no tag']);
  });
});

describe('places before anything is known', () => {
  const mesh = meshOf(many(600, (i) => ({ tags: [`t${Math.floor(Math.sqrt(i))}`] })));
  const groups = groupNodes(mesh, mesh.nodes.values(), 'tag');
  const { circles, positions } = seedLayout(groups);

  it('are the same each time', () => expect(seedLayout(groups)).toEqual({ circles, positions }));

  it('do not let two groups overlap', () => {
    const list = [...circles.values()];
    for (const [i, a] of list.entries())
      for (const b of list.slice(i + 1))
        expect(Math.hypot(a.x - b.x, a.y - b.y)).toBeGreaterThanOrEqual(a.r + b.r - 1e-6);
  });

  it('keep members within their group, and apart', () => {
    for (const { key, members } of groups) {
      const { x, y, r } = circles.get(key)!;
      const points = members.map(({ id }) => positions.get(id)!);
      for (const point of points) expect(Math.hypot(point.x - x, point.y - y)).toBeLessThanOrEqual(r);
      for (const [i, a] of points.entries())
        for (const b of points.slice(i + 1)) expect(Math.hypot(a.x - b.x, a.y - b.y)).toBeGreaterThan(20);
    }
  });

  it('hardly move when one more comes', () => {
    const more = meshOf([
      ...many(600, (i) => ({ tags: [`t${Math.floor(Math.sqrt(i))}`] })),
      nodeOf('z', { tags: ['t3'] }),
    ]);
    const after = seedLayout(groupNodes(more, more.nodes.values(), 'tag'));
    const moved = [...positions].filter(([id, { x, y }]) => {
      const now = after.positions.get(id)!;
      return Math.hypot(now.x - x, now.y - y) > 1;
    });
    expect(moved.length).toBeLessThan(600 / 4);
  });
});

describe('what the worker lays out', () => {
  it('holds those who were there, and starts the others at their seeds', () => {
    const mesh = meshOf([nodeOf('a'), nodeOf('b')], [linkOf('a', 'b')]);
    const nodes = [...mesh.nodes.values()];
    const graph = layoutGraph(mesh, nodes, new Map([['b', { x: 3, y: 4 }]]), new Map([['a', { x: 1, y: 2 }]]));
    expect([...graph.xs, ...graph.ys]).toEqual([1, 3, 2, 4]);
    expect([...graph.fixed]).toEqual([1, 0]);
    expect([...graph.links]).toEqual([0, 1]);
  });

  it('takes a few links of each in a full mesh, LAN and home first', () => {
    const nodes = many(40, (i) => ({ home: i === 0 ? null : 'n00000' }));
    const links = nodes.flatMap(({ id: a }, i) => nodes.slice(i + 1).map(({ id: b }) => linkOf(a, b)));
    const mesh = meshOf(nodes, links);
    const { lengths } = layoutGraph(mesh, nodes, new Map(), new Map());
    expect(lengths.length).toBeLessThan(40 * 4);
    expect(lengths.filter((length) => length === 85)).toHaveLength(39);
  });
});
