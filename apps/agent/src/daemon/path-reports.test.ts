import { type NatReport, PathKind, type PeerReport } from '@warren/proto';
import { beforeEach, describe, expect, it } from 'vitest';
import { MAX_REPORTED_PEERS, type PathReading, PathReports } from './path-reports.js';

const NAT: NatReport = {
  mapping: 'endpoint-independent',
  filtering: 'unknown',
  udp: 'yes',
  reflexive: ['203.0.113.5:51820'],
  portMapping: '',
  homes: ['home'],
};

const peer = (nodeId: string, change: Partial<PeerReport> = {}): PeerReport => ({
  nodeId,
  kind: PathKind.PATH_KIND_RELAY,
  lan: false,
  tls: false,
  endpoint: '',
  via: 'home',
  rttUs: 9_000,
  sinceMs: 1_000,
  reason: 'no direct path has answered yet',
  lastHandshakeMs: 900,
  rxBytes: 10,
  txBytes: 20,
  ...change,
});
const direct = { kind: PathKind.PATH_KIND_DIRECT, endpoint: '203.0.113.9:51820', via: '', reason: '' };
const none = { kind: PathKind.PATH_KIND_UNSPECIFIED, via: '', lastHandshakeMs: 0, rxBytes: 0, txBytes: 0 };

const reading = (peers: readonly PeerReport[], change: Partial<PathReading> = {}): PathReading => ({
  peers,
  unneeded: new Set(),
  nat: NAT,
  rxBytes: 10,
  txBytes: 20,
  atMs: 5_000,
  ...change,
});

let reports: PathReports;
beforeEach(() => {
  reports = new PathReports();
  reports.begin();
});

/** What goes out, as if the stream took it. */
function take(now: PathReading, counters = false) {
  const next = reports.next(now, counters);
  next?.commit();
  return next?.report;
}
const idsOf = (report: ReturnType<typeof take>) => report?.peers.map(({ nodeId }) => nodeId);

describe('reports of paths', () => {
  it('begin with all that there is, and then say nothing until something is another', () => {
    const now = reading([peer('a'), peer('b', direct)]);
    expect(take(now)).toEqual({ complete: true, peers: now.peers, nat: NAT, rxBytes: 10, txBytes: 20, atMs: 5_000 });
    expect(take(now)).toBeUndefined();
    expect(take({ ...now, atMs: 9_000 }, true)).toBeUndefined();
  });

  it('begin with a complete one even when there is no peer', () => {
    expect(take(reading([]))).toMatchObject({ complete: true, peers: [] });
  });

  it.each<[string, Partial<PeerReport>]>([
    ['kind', direct],
    ['endpoint', { endpoint: '203.0.113.9:1' }],
    ['via', { via: 'other' }],
    ['reason', { reason: 'UDP is blocked here' }],
    ['local network', { lan: true }],
    ['transport', { tls: true }],
  ])('say when a path changes its %s, with the counters of that moment', (_what, change) => {
    take(reading([peer('a'), peer('b')]));
    const changed = peer('b', { ...change, rxBytes: 99 });
    expect(take(reading([peer('a'), changed]))).toMatchObject({ complete: false, nat: undefined, peers: [changed] });
  });

  it('leave counters and round trips alone until they are due', () => {
    take(reading([peer('a'), peer('b')]));
    const later = reading([peer('a', { rxBytes: 500 }), peer('b', { rttUs: 7_000 })]);
    expect(take(later)).toBeUndefined();
    expect(idsOf(take(later, true))).toEqual(['a', 'b']);
  });

  it('say once more that counters stand still, so that a rate falls to nothing', () => {
    take(reading([peer('a'), peer('b')]));
    const later = () => reading([peer('a', { txBytes: 500 }), peer('b')]);
    expect(idsOf(take(later(), true))).toEqual(['a']);
    expect(idsOf(take(later(), true))).toEqual(['a']);
    expect(take(later(), true)).toBeUndefined();
  });

  it('say nothing of peers that nobody needed a path to, until somebody does', () => {
    const idle = peer('a', { ...none, reason: 'nothing was sent to it yet' });
    const unneeded = new Set(['a']);
    expect(idsOf(take(reading([idle, peer('b')], { unneeded })))).toEqual(['b']);
    expect(idsOf(take(reading([idle, peer('b')])))).toEqual(['a']);
  });

  it('say that a path has gone, whether it is needed any more or not', () => {
    take(reading([peer('a')]));
    const gone = peer('a', { ...none, reason: 'nothing was heard from it lately' });
    expect(take(reading([gone], { unneeded: new Set(['a']) }))).toMatchObject({ peers: [gone] });
  });

  it('say counters of one reading once, however many reports it takes', () => {
    const many = (rxBytes: number) =>
      reading(Array.from({ length: MAX_REPORTED_PEERS + 1 }, (_, i) => peer(`${i}`, { rxBytes })));
    const first = many(10);
    while (take(first));
    const later = many(11);
    const sizes = [take(later, true), take(later, true), take(later, true)].map((report) => report?.peers.length);
    expect(sizes).toEqual([MAX_REPORTED_PEERS, 1, undefined]);
  });

  it('say what the NAT is when it is another one', () => {
    take(reading([peer('a')]));
    const nat = { ...NAT, reflexive: ['203.0.113.77:51820'] };
    expect(take(reading([peer('a')], { nat }))).toMatchObject({ complete: false, peers: [], nat });
    expect(take(reading([peer('a')], { nat }))).toBeUndefined();
  });

  it('hold a bounded number of peers, those with a path and traffic first, and the rest in further ones', () => {
    const silent = Array.from({ length: MAX_REPORTED_PEERS }, (_, i) => peer(`none${i}`, none));
    const busy = [peer('relayed', { rxBytes: 0, txBytes: 0 }), peer('traffic', { ...none, rxBytes: 5 }), peer('both')];
    const now = reading([...silent, ...busy]);
    const first = take(now)!;
    expect(first).toMatchObject({ complete: true });
    expect(first.peers).toHaveLength(MAX_REPORTED_PEERS);
    expect(idsOf(first)!.slice(0, 3)).toEqual(['both', 'relayed', 'traffic']);
    const second = take(now)!;
    expect(second).toMatchObject({ complete: false, nat: undefined });
    expect(new Set([...idsOf(first)!, ...idsOf(second)!]).size).toBe(MAX_REPORTED_PEERS + 3);
    expect(take(now)).toBeUndefined();
  });

  it('build on what was really sent: what the stream did not take is said again, as it is then', () => {
    reports.next(reading([peer('a')]), false);
    const later = reading([peer('a', direct)]);
    expect(take(later)).toMatchObject({ complete: true, peers: later.peers });
  });

  it('begin anew with each stream, and with a node that comes back', () => {
    take(reading([peer('a'), peer('b')]));
    take(reading([peer('a')]));
    expect(idsOf(take(reading([peer('a'), peer('b')])))).toEqual(['b']);
    reports.begin();
    expect(take(reading([peer('a')]))).toMatchObject({ complete: true, nat: NAT, peers: [peer('a')] });
  });
});
