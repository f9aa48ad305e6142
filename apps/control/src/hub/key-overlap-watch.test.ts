import { type NetworkId, networkId, nodeId, type Prefix, type PublicKey, WarrenError } from '@warren/base';
import type { KeyOverlap } from '@warren/db';
import { decideNetwork, type NetworkNode } from '@warren/topology';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { ABSENT_GRACE, isKnownToAll, KeyOverlapWatch } from './key-overlap-watch.js';
import type { NetworkHub } from './network-hub.js';

const NET = networkId('net');
const OLD = 'old' as PublicKey;
const OVERLAP = 600_000;

const node = (name: string, change: Partial<NetworkNode> = {}): NetworkNode => ({
  id: nodeId(name),
  name,
  role: 'client',
  kind: 'agent',
  publicKey: `key-${name}` as PublicKey,
  addresses: [],
  ...change,
});
const changed = (change: Partial<NetworkNode> = {}) => node('changed', { previousKey: { publicKey: OLD }, ...change });

/** A hub whose followers are named with whether they have acknowledged everything. */
function hubOf(nodes: readonly NetworkNode[], followers: Record<string, boolean>): NetworkHub {
  const byId = new Map(nodes.map((each) => [each.id, each]));
  const network = { id: NET, name: 'net', cidrs: ['10.44.0.0/16' as Prefix], mtu: 1400, nodes: byId };
  const version = { decided: decideNetwork(network), epoch: 1, revision: 1, tombstones: [] };
  const sessions = new Map(Object.entries(followers).map(([name, isSettled]) => [nodeId(name), { isSettled }]));
  return { id: NET, version, sessions } as unknown as NetworkHub;
}

describe('the key before is needed no more', () => {
  const knows = (nodes: NetworkNode[], followers: Record<string, boolean>, elapsed = 0) =>
    isKnownToAll(hubOf(nodes, followers), nodeId('changed'), OLD, elapsed);

  it('when every agent has acknowledged all', () => {
    expect(knows([changed(), node('b')], { changed: true, b: true })).toBe(true);
    expect(knows([changed(), node('b')], { changed: true, b: false })).toBe(false);
    expect(knows([changed(), node('b')], { changed: false, b: true })).toBe(false);
    expect(knows([changed(), node('b')], { b: true })).toBe(true);
  });

  it('but not before those that are not connected have had time to come back', () => {
    expect(knows([changed(), node('b')], { changed: true }, ABSENT_GRACE - 1)).toBe(false);
    expect(knows([changed(), node('b')], { changed: true }, ABSENT_GRACE)).toBe(true);
  });

  it('and not while somebody with a file may have it', () => {
    const vanilla = node('phone', { kind: 'vanilla' });
    const bounce = node('bounce', { role: 'bounce', endpoint: '192.0.2.1:1' as never });
    const all = { changed: true, bounce: true };
    expect(knows([changed(), vanilla, bounce], all)).toBe(true); // a client, which the phone reaches by the bounce
    expect(knows([changed({ role: 'direct', endpoint: '192.0.2.2:1' as never }), vanilla, bounce], all)).toBe(false);
  });

  it('and not before this process has heard of the change itself', () => {
    expect(knows([node('changed'), node('b')], { changed: true, b: true })).toBe(false);
  });
});

describe('the watch', () => {
  function scene(rows: { leftMs: number; network?: NetworkId }[], { alone = true, hub = hubOf([], {}) } = {}) {
    const ended: string[] = [];
    const overlaps = rows.map(
      ({ leftMs, network = NET }): KeyOverlap => ({
        nodeId: nodeId('changed'),
        networkId: network,
        previous: OLD,
        leftMs,
      }),
    );
    const watch = new KeyOverlapWatch({
      store: {
        keyOverlaps: async () => overlaps,
        endKeyOverlap: async (id, previous) => {
          if (ended.length > 0) throw new WarrenError('not-found', 'gone');
          ended.push(`${id} ${previous}`);
          return true;
        },
      },
      hubs: { opened: () => [hub] },
      alone: async () => alone,
      overlap: OVERLAP,
      log: pino({ level: 'silent' }),
    });
    return { watch, ended };
  }

  it('ends what is over by time, whoever follows, and bears that somebody else was faster', async () => {
    const { watch, ended } = scene([{ leftMs: 0 }, { leftMs: -5 }, { leftMs: 1 }]);
    await watch.look();
    expect(ended).toEqual(['changed old']);
  });

  it('ends what all know, but leaves it to time where there are other replicas', async () => {
    const hub = hubOf([changed()], { changed: true });
    const one = scene([{ leftMs: OVERLAP }], { hub });
    await one.watch.look();
    expect(one.ended).toEqual(['changed old']);
    const several = scene([{ leftMs: OVERLAP }], { hub, alone: false });
    await several.watch.look();
    expect(several.ended).toEqual([]);
    const elsewhere = scene([{ leftMs: OVERLAP, network: networkId('other') }], { hub });
    await elsewhere.watch.look();
    expect(elsewhere.ended).toEqual([]);
  });
});
