import { type NodeId, type PublicKey, SecretKey } from '@warren/base';
import type { DataPlanePeerStats } from '@warren/dataplane';
import { expect, it } from 'vitest';
import type { AcceptedPeer } from '../codec/domain.js';
import { x25519PublicKey } from '../state/node-keys.js';
import { describePeers, PathHistory, SESSION_LIFE } from './peer-status.js';

const NOW = Date.parse('2030-01-01T00:00:00Z');
const keyOf = (n: number): PublicKey => x25519PublicKey(new SecretKey(new Uint8Array(32).fill(n)));
const peer = (name: string, n: number, via?: string): AcceptedPeer => ({
  id: name as NodeId,
  name,
  role: 'client',
  publicKey: keyOf(n),
  addresses: [],
  pathKey: undefined,
  via,
  dataPlane: via === undefined ? { publicKey: keyOf(n), allowedIps: [] } : undefined,
});
const stats = (n: number, age: number): [string, DataPlanePeerStats] => [
  keyOf(n),
  {
    publicKey: keyOf(n),
    endpoint: undefined,
    lastHandshake: new Date(NOW - age).toISOString(),
    rxBytes: 0,
    txBytes: 0,
  },
];
const NOTHING = {
  now: NOW,
  stats: new Map(),
  paths: new Map(),
  serverNames: new Map(),
  registered: true,
  pings: new Map(),
};
const kinds = (facts: Partial<Parameters<typeof describePeers>[1]>) => {
  const peers = [peer('bounce', 1), peer('phone', 2, 'bounce'), peer('lost', 3, 'nobody')];
  return describePeers(peers, { ...NOTHING, ...facts }, new PathHistory()).map(({ path, online }) => [
    path.kind,
    online,
  ]);
};

it('a peer is online while its session can carry packets, and those behind it with it', () => {
  expect(kinds({ stats: new Map([stats(1, 1000)]) })).toEqual([
    ['direct', true],
    ['bounce', true],
    ['none', false],
  ]);
  expect(kinds({ stats: new Map([stats(1, SESSION_LIFE + 1)]) }).map(([kind]) => kind)).toEqual([
    'none',
    'none',
    'none',
  ]);
  expect(kinds({}).map(([kind]) => kind)).toEqual(['none', 'none', 'none']);
});

it('a round trip is that of the last ping, and else of the last handshake', () => {
  const [key, known] = stats(1, 1000);
  const measured = new Map([[key, { ...known, handshakeRttMs: 40.1234 }]]);
  const rttMs = (pings: ReadonlyMap<string, { at: number; rttMs: number }>) =>
    describePeers([peer('bounce', 1)], { ...NOTHING, stats: measured, pings }, new PathHistory())[0]!.path.rttMs;
  expect(rttMs(new Map())).toBe(40.123);
  expect(rttMs(new Map([['bounce', { at: NOW - 1000, rttMs: 38 }]]))).toBe(38);
});

it('an unanswered ping takes a node behind a bounce for offline, for a while', () => {
  const silent = (at: number) => new Map([['phone', { at, rttMs: undefined }]]);
  const session = new Map([stats(1, 1000)]);
  expect(kinds({ stats: session, pings: silent(NOW - 1000) })[1]).toEqual(['none', false]);
  expect(kinds({ stats: session, pings: silent(NOW - 61_000) })[1]).toEqual(['bounce', true]);
});

it('a path is as old as its last change', () => {
  const history = new PathHistory();
  const path = { kind: 'direct', endpoint: 'a', via: null, transport: 'udp', rttMs: 1, reason: null } as const;
  const first = history.since('x', path, NOW);
  expect(history.since('x', { ...path, rttMs: 2 }, NOW + 5000)).toBe(first);
  expect(history.since('x', { ...path, endpoint: 'b' }, NOW + 5000)).toBe('2030-01-01T00:00:05.000Z');
});
