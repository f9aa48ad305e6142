import { type NodeId, nodeId } from '@warren/base';
import type { PathKind, PeerReport } from '@warren/proto';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Session } from '../hub/session.js';
import { pathReport, peerReport, relayed } from '../testing/path-report.fixture.js';
import { type DropReason, NetworkTelemetry } from './network-telemetry.js';
import { linkView, pathViews, seenNode } from './views.js';

const START = 1_800_000_000_000;
const id = (number: number): NodeId => nodeId(`${String(number).padStart(8, '0')}-0000-4000-8000-000000000000`);
const [A, B, C, PHONE] = [id(1), id(2), id(3), id(9)] as const;

let clock = 0;
let drops: Partial<Record<DropReason, number>> = {};
let network: NetworkTelemetry;
const members = (...ids: NodeId[]) =>
  new Map(ids.map((one) => [one, { id: one, kind: one === PHONE ? ('vanilla' as const) : ('agent' as const) }]));
const open = (mostEnds?: number): NetworkTelemetry => {
  const made = new NetworkTelemetry({
    now: () => START + clock,
    monotonic: () => clock,
    onDrop: (reason, count) => {
      drops[reason] = (drops[reason] ?? 0) + count;
    },
    ...(mostEnds === undefined ? {} : { mostEnds }),
  });
  made.setMembers(members(A, B, C, PHONE));
  return made;
};
const agent = (node: NodeId) => {
  const session = { nodeId: node } as Session;
  network.connect(session, { address: '198.51.100.7', version: '1.0', interval: 2_000 });
  return {
    session,
    says: (peers: readonly PeerReport[], change: Parameters<typeof pathReport>[1] = {}) =>
      network.report(session, pathReport(peers, change)),
  };
};
const link = (a: NodeId, b: NodeId) => {
  const found = network.nodes.get(a)?.links.get(b);
  return found && linkView(found, { unix: START + clock, monotonic: clock });
};
const seen = (node: NodeId) => seenNode(network.nodes.get(node)!, { unix: START + clock, monotonic: clock });

beforeEach(() => {
  clock = 1_000_000;
  drops = {};
  network = open();
});

describe('links', () => {
  it('are made of what both ends report, whoever has the lesser id', () => {
    const [a, b] = [agent(A), agent(B)];
    b.says([peerReport(A, { endpoint: '[2001:db8::1]:51820', lan: true })]);
    expect(link(A, B)).toEqual({
      ...{ a: A, b: B, kind: 'direct', lan: true, family: 'ipv6', transport: 'udp', via: null, rttMs: 12.3, rate: 0 },
      ...{ since: new Date(1_700_000_000_000).toISOString(), reason: null, agreed: true },
    });
    a.says([relayed(B)]);
    expect(link(A, B)).toMatchObject({ kind: 'relay', transport: 'tls', via: 'eu', family: null, agreed: false });
    expect([seen(A).paths, seen(B).paths]).toEqual(Array(2).fill({ direct: 0, relay: 1, bounce: 0, none: 0 }));
    clock += 10;
    a.says([peerReport(B)]);
    expect(link(A, B)).toMatchObject({ kind: 'direct', family: 'ipv4', lan: false, agreed: true });
    expect(network.size).toEqual({ links: 1, ends: 2 });
  });

  it('are relayed over TLS if one end reaches the relay so, whoever spoke last', () => {
    const [a, b] = [agent(A), agent(B)];
    a.says([relayed(B, { via: 'near a' })]);
    clock += 10;
    b.says([relayed(A, { tls: false, via: 'near b', reason: 'no address answers' })]);
    const overTls = { kind: 'relay', transport: 'tls', via: 'near a', reason: 'both map by address', agreed: true };
    expect(link(A, B)).toMatchObject(overTls);
    clock += 10;
    a.says([relayed(B, { tls: false, via: 'near a' })]);
    expect(link(A, B)).toMatchObject({ kind: 'relay', transport: 'udp', via: 'near a' });
  });

  it('go with the last end that speaks of them', () => {
    const [a, b] = [agent(A), agent(B)];
    a.says([peerReport(B), peerReport(C)]);
    b.says([relayed(A)]);
    network.disconnect(a.session);
    expect(link(A, C)).toBeUndefined();
    expect(link(A, B)).toMatchObject({ kind: 'relay', agreed: true });
    expect(seen(A)).toMatchObject({ online: false, rxRate: 0, nat: null, paths: { direct: 0, relay: 1 } });
    network.disconnect(b.session);
    expect(network.size).toEqual({ links: 0, ends: 0 });
  });

  it('are those of a complete report and no others', () => {
    const a = agent(A);
    a.says([peerReport(B), peerReport(C)], { complete: true });
    a.says([relayed(C)]);
    expect([link(A, B)?.kind, link(A, C)?.kind]).toEqual(['direct', 'relay']);
    a.says([peerReport(C)], { complete: true });
    expect([link(A, B), link(A, C)?.kind]).toEqual([undefined, 'direct']);
  });

  it('go with a node that is no member any more, and what it says counts no longer', () => {
    const [a, b] = [agent(A), agent(B)];
    a.says([peerReport(B)]);
    b.says([peerReport(A), peerReport(C)]);
    network.setMembers(members(A, C));
    expect(network.size).toEqual({ links: 0, ends: 0 });
    b.says([peerReport(A)]);
    a.says([peerReport(B)]);
    expect(network.size).toEqual({ links: 0, ends: 0 });
    expect(drops).toEqual({ 'unknown-node': 1 });
    network.disconnect(b.session);
    expect([...network.nodes.keys()]).toEqual([A, C]);
    network.setMembers(new Map());
    network.disconnect(a.session);
    expect(network.isEmpty).toBe(true);
  });

  it('of a stream that was replaced are not ended by its end', () => {
    const old = agent(A);
    old.says([peerReport(B)]);
    const now = agent(A);
    expect(link(A, B)).toBeUndefined();
    now.says([peerReport(B)]);
    expect(network.disconnect(old.session)).toBeUndefined();
    old.says([relayed(B)]);
    expect([link(A, B)?.kind, seen(A).online]).toEqual(['direct', true]);
  });
});

describe('rates', () => {
  it('are those of counters, and of the end that counted more', () => {
    const [a, b] = [agent(A), agent(B)];
    a.says([peerReport(B)]);
    b.says([peerReport(A)]);
    clock += 2_000;
    a.says([peerReport(B, { rxBytes: 2_000, txBytes: 6_000 })], { rxBytes: 4_000, txBytes: 8_000 });
    b.says([peerReport(A, { rxBytes: 5_000, txBytes: 2_000 })]);
    expect(link(A, B)!.rate).toBe(4_000);
    expect(seen(A)).toMatchObject({ rxRate: 2_000, txRate: 4_000 });
    clock += 5_000;
    expect([link(A, B)!.rate, seen(A).rxRate]).toEqual([0, 0]);
  });
});

describe('a vanilla member', () => {
  it('is seen by the handshakes of its peers, and counted by what they send to it', () => {
    const a = agent(A);
    expect(network.nodes.get(PHONE)).toBeUndefined();
    const of = (rxBytes: number, txBytes: number, lastHandshakeMs: number) =>
      peerReport(PHONE, { endpoint: '192.0.2.9:4321', rxBytes, txBytes, lastHandshakeMs });
    a.says([of(0, 0, 0)]);
    expect(seen(PHONE).online).toBeNull();
    clock += 2_000;
    a.says([of(1_000, 3_000, START + clock - 1_000)]);
    expect(seen(PHONE)).toMatchObject({ online: true, rxRate: 1_500, txRate: 500 });
    const [path] = pathViews(network.nodes.get(PHONE)!, () => 'a');
    expect(path).toMatchObject({ peer: { id: A }, kind: 'direct', endpoint: null, rxBytes: 3_000, txBytes: 1_000 });
    expect(network.nodes.get(PHONE)!.address).toBe('192.0.2.9:4321');
    clock += 180_000;
    expect(seen(PHONE)).toMatchObject({ online: false, rxRate: 0 });
  });

  it('is not seen in the future', () => {
    agent(A).says([peerReport(PHONE, { lastHandshakeMs: Number.MAX_SAFE_INTEGER, sinceMs: Number.MAX_SAFE_INTEGER })]);
    expect(seen(PHONE).lastSeenAt).toBe(new Date(START + clock).toISOString());
    expect(link(A, PHONE)!.since).toBe(new Date(START + clock).toISOString());
  });
});

describe('a report that is not as it should be', () => {
  it.each([
    ['an endpoint that is none', { endpoint: 'example.org:1' }],
    ['a very long endpoint', { endpoint: `${'1'.repeat(9_999)}:1` }],
    ['a reason that is a book', { reason: 'x'.repeat(513) }],
    ['a name that a terminal obeys', { via: '\u001b[31mred' }],
    ['a name that reads backwards', { via: 'a\u202eb' }],
    ['a kind that nobody knows', { kind: 99 as PathKind }],
  ])('loses the peer with %s', (_, change) => {
    agent(A).says([peerReport(B, change), peerReport(C)]);
    expect([link(A, B), link(A, C)?.kind]).toEqual([undefined, 'direct']);
    expect(drops).toEqual({ malformed: 1 });
  });

  it('loses who is no member, and itself', () => {
    agent(A).says([peerReport(A), peerReport(id(77)), peerReport(''), peerReport('x'.repeat(60_000)), peerReport(B)]);
    expect(network.size.links).toBe(1);
    expect(drops).toEqual({ 'unknown-node': 4 });
  });

  it('keeps what is right of its NAT', () => {
    agent(A).says([], {
      nat: {
        ...{
          mapping: 'cone',
          filtering: 'address-dependent',
          udp: 'maybe',
          portMapping: 'magic',
          homes: ['eu', 'a\nb'],
        },
        reflexive: ['203.0.113.5:1', 'nonsense', ...Array.from({ length: 50 }, (_, i) => `203.0.113.6:${i + 1}`)],
      },
    });
    const { nat } = network.nodes.get(A)!;
    expect(nat).toMatchObject({ mapping: 'unknown', filtering: 'address-dependent', udp: null, portMapping: null });
    expect([nat!.reflexive.length, nat!.homes]).toEqual([16, ['eu']]);
    expect(drops).toEqual({ malformed: 37 });
  });

  it('is cut after two thousand peers', () => {
    const many = Array.from({ length: 2_500 }, (_, i) => peerReport(id(1_000 + i)));
    network.setMembers(members(A, ...many.map((peer) => peer.nodeId as NodeId)));
    agent(A).says(many);
    expect(network.size.links).toBe(2_000);
    expect(drops).toEqual({ 'too-many': 500 });
  });

  it('is not taken from who reports without end, until time has passed', () => {
    const a = agent(A);
    for (let i = 0; i < 2_000; i += 1) a.says([peerReport(B)]);
    expect(drops['too-often']).toBeGreaterThan(1_000);
    clock += 1_000;
    a.says([peerReport(C)]);
    expect(link(A, C)?.kind).toBe('direct');
  });

  it('finds a network that is full', () => {
    network = open(2);
    const a = agent(A);
    a.says([peerReport(B), peerReport(C), peerReport(PHONE)]);
    expect([network.size.ends, drops]).toEqual([2, { full: 1 }]);
    a.says([relayed(B)]);
    expect(link(A, B)?.kind).toBe('relay');
    a.says([peerReport(PHONE)], { complete: true });
    expect(drops).toEqual({ full: 2 });
    a.says([peerReport(PHONE)]);
    expect(link(A, PHONE)?.kind).toBe('direct');
  });
});

describe('changes', () => {
  it('are kept while somebody watches, each thing once, with what is gone', () => {
    const a = agent(A);
    a.says([peerReport(B)]);
    expect(network.changes.take(clock)).toEqual({ links: [], nodes: [], gone: [] });
    network.changes.watch(true);
    a.says([peerReport(B), peerReport(C)]);
    a.says([relayed(B)]);
    const first = network.changes.take(clock);
    expect(first.links.map(({ b, kind }) => [b, kind])).toEqual([
      [B, 'relay'],
      [C, 'direct'],
    ]);
    expect(new Set(first.nodes.map((node) => node.id))).toEqual(new Set([A, B, C]));
    a.says([relayed(B)], { complete: true });
    expect(network.changes.take(clock).gone.map(({ b }) => b)).toEqual([C]);
  });

  it('tell of who stands still though nobody says so', () => {
    const a = agent(A);
    network.changes.watch(true);
    a.says([peerReport(B)]);
    clock += 2_000;
    a.says([peerReport(B, { rxBytes: 9_000 })], { rxBytes: 9_000 });
    expect(network.changes.take(clock).links).toHaveLength(1);
    clock += 2_000;
    expect(network.changes.take(clock)).toEqual({ links: [], nodes: [], gone: [] });
    clock += 3_000;
    const { links, nodes } = network.changes.take(clock);
    expect([links.length, nodes.map((node) => node.id)]).toEqual([1, [A]]);
    expect(network.changes.take(clock).links).toEqual([]);
  });
});
