import { describe, expect, it } from 'vitest';
import { findAttention } from './attention.js';
import { sortRows } from './sorting.js';
import { countMesh, describeMesh } from './summary.js';
import { linkOf, meshOf, nodeOf } from './testing/mesh-of.js';

const clash = { code: 'lan-clash', message: 'its LAN 10.0.0.0/24 overlaps the network' };

describe('what needs attention', () => {
  it('is nothing in a network where all is well', () => {
    const mesh = meshOf([nodeOf('a'), nodeOf('b')], [linkOf('a', 'b')]);
    expect(findAttention(mesh)).toEqual([]);
    expect(describeMesh(countMesh(mesh), [])).toBe('2 nodes, 2 online. 1 pair: 1 direct. Nothing needs attention.');
  });

  it('is named by kind, what is broken first', () => {
    const mesh = meshOf(
      [
        ...[nodeOf('a'), nodeOf('b', { warnings: [clash] }), nodeOf('c', { online: false })],
        ...[
          nodeOf('d', { status: 'pending', online: false }),
          nodeOf('e', { warnings: [{ code: 'clone', message: 'x' }] }),
        ],
      ],
      [linkOf('a', 'b', { kind: 'none', reason: 'no answer' }), linkOf('a', 'c', { kind: 'none' })],
    );
    const found = findAttention(mesh);
    expect(found.map(({ code, title }) => [code, title])).toEqual([
      ['no-path', '1 pair without a path'],
      ['offline', '1 node offline'],
      ['clone', '1 node may have been cloned'],
      ['pending', '1 node waiting for approval'],
      ['lan-clash', '1 node on a LAN that overlaps the network'],
    ]);
    expect(found[0]?.pairs).toEqual([linkOf('a', 'b', { kind: 'none', reason: 'no answer' })]);
  });

  it('does not miss who was never there, nor who was disabled', () => {
    const never = nodeOf('a', { online: false, lastSeenAt: null });
    const phone = nodeOf('b', { kind: 'vanilla', online: null });
    const disabled = nodeOf('c', { status: 'pending', disabled: true, online: false });
    expect(findAttention(meshOf([never, phone, disabled]))).toEqual([]);
  });

  it('says the message of a warning that it does not know', () => {
    const mesh = meshOf([nodeOf('a', { warnings: [{ code: 'new', message: 'the disk is full' }] })]);
    expect(findAttention(mesh)[0]?.title).toBe('1 node: the disk is full');
  });
});

describe('rows in order', () => {
  const columns = [{ id: 'v', value: (row: { v: string | number | null }) => row.v }];
  const rows = [{ v: 'host-10' }, { v: null }, { v: 'host-9' }];
  it('counts numbers in names', () =>
    expect(sortRows(rows, columns, 'v').map(({ v }) => v)).toEqual(['host-9', 'host-10', null]));
  it('puts what is not known last both ways', () =>
    expect(sortRows(rows, columns, '-v').map(({ v }) => v)).toEqual(['host-10', 'host-9', null]));
  it('stays as it is for a column that is not there', () => expect(sortRows(rows, columns, 'x')).toBe(rows));
});
