import { describe, expect, it } from 'vitest';
import type { Node } from '../../api/queries.js';
import type { TopologyNode } from '../../api/telemetry.js';
import { byName, entriesOf, type NodeFilter, parseSort, selectEntries, tagsOf } from './node-list.js';

const node = (name: string, fields: Partial<Node> = {}): Node =>
  ({
    ...{ id: `id-${name}`, name, role: 'client', kind: 'agent', status: 'active', online: true, disabledAt: null },
    ...{
      tags: [],
      addresses: ['10.44.0.9'],
      endpoint: null,
      publicKey: 'AbC=',
      agentVersion: '0.1.0',
      lastSeenAt: null,
    },
    ...fields,
  }) as Node;
const seen = (fields: Partial<TopologyNode>): TopologyNode =>
  ({
    rxRate: 0,
    txRate: 0,
    paths: { direct: 0, relay: 0, bounce: 0, none: 0 },
    lastSeenAt: null,
    ...fields,
  }) as TopologyNode;

const nodes = byName([
  node('web-10', { tags: ['web'], role: 'direct', endpoint: 'Web.example.org:51820' }),
  node('web-2', { tags: ['web', 'eu'], online: false }),
  node('gate', { role: 'bounce', addresses: ['10.44.0.1', 'fd00::1'] }),
  node('phone', { kind: 'vanilla', online: null }),
  node('gone', { status: 'revoked' }),
  node('new', { status: 'pending' }),
  node('off', { status: 'pending', disabledAt: '2026-11-22T12:00:00Z' }),
]);
const entries = entriesOf(nodes, new Map());
const names = (filter: NodeFilter, of = entries) => selectEntries(of, filter).map((entry) => entry.node.name);

describe('the list of nodes', () => {
  it('is in the order of names with numbers as numbers, without revoked ones unless they are asked for', () => {
    expect(names({})).toEqual(['gate', 'new', 'off', 'phone', 'web-2', 'web-10']);
    expect(names({ state: 'revoked' })).toEqual(['gone']);
    expect(names({ state: 'all' })).toHaveLength(7);
  });

  it.each([
    ['gat', ['gate']],
    ['fd00::1', ['gate']],
    ['web eu', ['web-2']],
    ['example.org', ['web-10']],
    ['id-pho', ['phone']],
    ['ABC=', ['gate', 'new', 'off', 'phone', 'web-2', 'web-10']],
    ['bc=', []],
  ])('finds %j in what a node is called by', (q, found) => expect(names({ q })).toEqual(found));

  it('filters by tag, role, kind and state together', () => {
    expect(names({ tag: 'web' })).toEqual(['web-2', 'web-10']);
    expect(names({ tag: 'web', state: 'offline' })).toEqual(['web-2']);
    expect(names({ role: 'bounce' })).toEqual(['gate']);
    expect(names({ role: 'vanilla' })).toEqual(['phone']);
    expect(names({ state: 'disabled' })).toEqual(['off']);
    expect(names({ state: 'pending' })).toEqual(['new']);
  });

  it('orders by what is seen, and turns round', () => {
    const busy = entriesOf(
      nodes,
      new Map([
        ['id-phone', seen({ online: true, rxRate: 5 })],
        ['id-web-2', seen({ online: false, txRate: 9, paths: { direct: 1, relay: 0, bounce: 0, none: 2 } })],
      ]),
    );
    expect(names({ sort: 'traffic' }, busy).slice(0, 2)).toEqual(['web-2', 'phone']);
    expect(names({ sort: '-traffic' }, busy).slice(-2)).toEqual(['phone', 'web-2']);
    expect(names({ sort: 'paths' }, busy)[0]).toBe('web-2');
    expect(names({ sort: 'role' }, busy)[0]).toBe('gate');
    expect(names({ state: 'online' }, busy)).toEqual(['gate', 'phone', 'web-10']);
    expect(names({ sort: '-name' }, busy)[0]).toBe('web-10');
  });

  it('orders by name when the address names no order', () => {
    expect(parseSort('toString')).toEqual({ key: 'name', reversed: false });
    expect(parseSort('-seen')).toEqual({ key: 'seen', reversed: true });
    expect(parseSort(undefined)).toEqual({ key: 'name', reversed: false });
  });

  it('counts tags', () => {
    expect(tagsOf(nodes)).toEqual([
      ['eu', 1],
      ['web', 2],
    ]);
  });
});
