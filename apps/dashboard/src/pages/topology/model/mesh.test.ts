import { describe, expect, it } from 'vitest';
import { linkKey, mergeLinks, mergeNodes, replaceMesh } from './mesh.js';
import { linkOf, meshOf, nodeOf } from './testing/mesh-of.js';

describe('a mesh that events change', () => {
  it('tells which links are on another path, and keeps the identity of the rest', () => {
    const mesh = meshOf(
      [nodeOf('a'), nodeOf('b'), nodeOf('c')],
      [linkOf('a', 'b', { kind: 'relay' }), linkOf('b', 'c')],
    );
    const before = mesh.links.get(linkKey('b', 'c'));
    const change = mergeLinks(mesh, {
      networkId: 'n',
      links: [linkOf('a', 'b'), linkOf('b', 'c', { rate: 5 })],
      gone: [],
    });
    expect(change.changedLinks).toEqual([linkKey('a', 'b')]);
    expect(mesh.links.get(linkKey('b', 'c'))).toBe(before);
    expect(before?.link.rate).toBe(5);
  });

  it('does not call a measurement a change of structure', () => {
    const mesh = meshOf([nodeOf('a'), nodeOf('b')], [linkOf('a', 'b')]);
    const links = [linkOf('a', 'b', { rttMs: 7, rate: 1 })];
    expect(mergeLinks(mesh, { networkId: 'n', links, gone: [] }).structure).toBe(false);
    expect(mergeNodes(mesh, { networkId: 'n', nodes: [{ id: 'a', rxRate: 3 }] }).structure).toBe(false);
    expect(mergeNodes(mesh, { networkId: 'n', nodes: [{ id: 'a', online: false }] }).structure).toBe(true);
    expect(mesh.nodes.get('a')).toMatchObject({ rxRate: 3, online: false, name: 'a' });
  });

  it('takes away pairs that are gone, whichever way they are named', () => {
    const mesh = meshOf([nodeOf('a'), nodeOf('b')], [linkOf('a', 'b')]);
    expect(mergeLinks(mesh, { networkId: 'n', links: [], gone: [['b', 'a']] }).goneLinks).toEqual([linkKey('a', 'b')]);
    expect(mesh.links.size).toBe(0);
  });

  it('ignores links and nodes that it does not know', () => {
    const mesh = meshOf([nodeOf('a')]);
    const change = mergeLinks(mesh, { networkId: 'n', links: [linkOf('a', 'stranger')], gone: [['x', 'y']] });
    expect(change).toMatchObject({ structure: false, goneLinks: [] });
    mergeNodes(mesh, { networkId: 'n', nodes: [{ id: 'stranger', online: true }] });
    expect([...mesh.nodes.keys()]).toEqual(['a']);
  });

  it('says who came and who went between two answers', () => {
    const mesh = meshOf([nodeOf('a'), nodeOf('b')], [linkOf('a', 'b')]);
    const change = replaceMesh(mesh, { nodes: [nodeOf('a'), nodeOf('c')], links: [linkOf('a', 'c')] });
    expect(change).toEqual({
      structure: true,
      appeared: ['c'],
      vanished: ['b'],
      changedLinks: [linkKey('a', 'c')],
      goneLinks: [linkKey('a', 'b')],
    });
    expect(replaceMesh(mesh, { nodes: [nodeOf('a'), nodeOf('c')], links: [linkOf('a', 'c')] }).structure).toBe(false);
  });
});
