import { describe, expect, it } from 'vitest';
import { countLooks, type Filter, filterMesh, matcher, readSet, toggled, writeSet } from './filter.js';
import { linkOf, meshOf, nodeOf } from './testing/mesh-of.js';

const all: Filter = { tags: new Set(), states: new Set(), shapes: new Set(), paths: new Set() };
const mesh = meshOf(
  [
    nodeOf('a', { role: 'bounce', tags: ['prod'] }),
    nodeOf('b', { tags: ['lab', 'prod'], addresses: ['100.64.0.9'] }),
    nodeOf('c', { online: false }),
    nodeOf('d', { kind: 'vanilla', online: null }),
  ],
  [linkOf('a', 'b', { lan: true }), linkOf('b', 'c', { kind: 'relay', transport: 'tls' }), linkOf('a', 'd')],
);
const shown = (filter: Partial<Filter>) => {
  const { nodes, links } = filterMesh(mesh, { ...all, ...filter });
  return [nodes.map(({ id }) => id).join(''), links.map(({ link }) => link.a + link.b).join()];
};

describe('what is shown', () => {
  it('is everything without a filter', () => expect(shown({})).toEqual(['abcd', 'ab,bc,ad']));
  it('follows tags, any of them', () => expect(shown({ tags: new Set(['prod']) })).toEqual(['ab', 'ab']));
  it('follows states', () => expect(shown({ states: new Set(['offline', 'unseen']) })).toEqual(['cd', '']));
  it('follows shapes', () => expect(shown({ shapes: new Set(['bounce', 'vanilla']) })).toEqual(['ad', 'ad']));
  it('leaves nodes without such a path out', () => expect(shown({ paths: new Set(['tls']) })).toEqual(['bc', 'bc']));

  it('is counted by look', () => {
    const { paths, states, shapes, tags } = countLooks(mesh);
    expect(Object.fromEntries(paths)).toEqual({ lan: 1, tls: 1, direct: 1 });
    expect(Object.fromEntries(states)).toEqual({ online: 2, offline: 1, unseen: 1 });
    expect(Object.fromEntries(shapes)).toEqual({ bounce: 1, client: 2, vanilla: 1 });
    expect(Object.fromEntries(tags)).toEqual({ prod: 2, lab: 1 });
  });
});

describe('a search', () => {
  const found = (query: string) => [...mesh.nodes.values()].filter(matcher(query)).map(({ id }) => id);
  it('means every word, wherever it is', () => expect(found(' LAB 64.0.9 ')).toEqual(['b']));
  it('means everybody when it is empty', () => expect(found('  ')).toHaveLength(4));
  it('means nobody when nothing matches', () => expect(found('nowhere')).toEqual([]));
});

describe('a set in an address', () => {
  it('comes back as it was written', () => {
    const set = toggled(toggled(readSet<string>(undefined), 'tls'), 'lan');
    expect(writeSet(set)).toBe('lan,tls');
    expect(readSet(writeSet(set))).toEqual(set);
  });
  it('goes when it is empty', () => expect(writeSet(toggled(readSet<string>('x'), 'x'))).toBeUndefined());
});
