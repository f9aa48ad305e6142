import type { Endpoint, PublicKey } from '@warren/base';
import { PathKind, type PathReport } from '@warren/proto';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FakeControl } from '../testing/fake-control.js';
import { fakeDataPlanes } from '../testing/fake-data-plane.js';
import { makePeer, type TestPeer } from '../testing/peers.js';
import { Cleanup, runAgent, until } from '../testing/run.js';
import { Daemon } from './daemon.js';

const cleanup = new Cleanup();
let planes: ReturnType<typeof fakeDataPlanes>;
let control: FakeControl;
let daemon: Daemon;
let desk: TestPeer;
let phone: TestPeer;
let attic: TestPeer;

const endpoint = '203.0.113.5:41234' as Endpoint;
const server = {
  ...{ id: 's1', name: 'home', registered: true, transport: 'udp' as const, home: true, rttMs: 1, failure: undefined },
  reflexive: '203.0.113.1:51820' as Endpoint,
} as const;

beforeEach(async () => {
  control = await FakeControl.start();
  cleanup.add(() => control.kill());
  planes = fakeDataPlanes();
  const stateDir = await cleanup.folder();
  desk = makePeer(control.networkId, 'desk', { endpoint: '', persistentKeepalive: 0 });
  attic = makePeer(control.networkId, 'attic', { endpoint: '', persistentKeepalive: 0 });
  phone = makePeer(control.networkId, 'phone', { vanilla: true, record: undefined, endpoint: '' });
  control.peers = [desk.bytes, attic.bytes, phone.bytes];
  const place = ['--interface', 'wgtest0', '--listen-port', '0', '--name', 'laptop', '--no-start'];
  await runAgent(['join', '--token', control.token(), '--state-dir', stateDir, ...place]);
  daemon = await Daemon.start({ stateDir, log: () => undefined, startDataPlane: planes.start });
  cleanup.add(() => daemon.stop());
  await until('a report', () => reports().length > 0);
});
afterEach(() => cleanup.run());

const plane = () => planes.planes.at(-1)!;
const reports = (): PathReport[] =>
  control.received.flatMap(({ message }) => (message?.$case === 'pathReport' ? [message.value] : []));
const reported = (peer: TestPeer) =>
  reports()
    .flatMap(({ peers }) => peers)
    .filter(({ nodeId }) => nodeId === peer.keys.nodeId);

const kindOf = (peer: TestPeer) => reported(peer).at(-1)?.kind;

/** What the data plane says of an agent that it reaches: by the relay, or straight. */
function pathReport({ publicKey: peer }: TestPeer, to: Endpoint | 'relay') {
  const relay = { kind: 'relay', server: 's1', transport: 'udp', header: new Uint8Array(20) } as const;
  const way = { kind: 'udp', socket: 0, endpoint: '203.0.113.2:3478' as Endpoint } as const;
  return {
    publicKey: peer,
    path: to === 'relay' ? { ...relay, peer, way } : ({ kind: 'udp', peer, socket: 0, endpoint: to } as const),
    candidateKind: to === 'relay' ? undefined : ('host' as const),
    ...{ also: undefined, rttMs: 12.3456, since: '2030-01-01T00:00:00.000Z', proven: true, wanted: true },
    reason: to === 'relay' ? "none of the peer's addresses answers" : undefined,
    ...{ advice: undefined, candidates: [], remoteNat: undefined, remoteHomes: [] },
  };
}
const moveTo = (to: Endpoint | 'relay'): void => {
  plane().report = { peers: [pathReport(desk, to)], servers: [server] };
  plane().options.onPathChange?.();
};

it('reports a path as it changes, and a vanilla member as its session does', async () => {
  expect(reports()[0]).toMatchObject({ complete: true });
  moveTo('relay');
  await until('a relay', () => kindOf(desk) === PathKind.PATH_KIND_RELAY);
  expect(reported(desk).at(-1)).toEqual({
    nodeId: desk.keys.nodeId,
    kind: PathKind.PATH_KIND_RELAY,
    ...{ lan: false, tls: false, endpoint: '', via: 'home', rttUs: 12_346, lastHandshakeMs: 0 },
    sinceMs: Date.parse('2030-01-01T00:00:00.000Z'),
    reason: "none of the peer's addresses answers",
    ...{ rxBytes: 10, txBytes: 20 },
  });
  const { nat } = reports().findLast((report) => report.nat !== undefined)!;
  expect(nat).toMatchObject({ udp: 'yes', reflexive: [server.reflexive], homes: ['home'] });
  moveTo(endpoint);
  plane().handshakes.set(phone.publicKey, new Date().toISOString());
  await until('a direct path', () => kindOf(desk) === PathKind.PATH_KIND_DIRECT);
  expect(reported(desk).at(-1)).toMatchObject({ endpoint, via: '', reason: '' });
  expect(kindOf(phone)).toBe(PathKind.PATH_KIND_DIRECT);
});

it('tells counters when they are wanted, and of all peers together', async () => {
  moveTo(endpoint);
  await until('a direct path', () => kindOf(desk) === PathKind.PATH_KIND_DIRECT);
  const before = reports().at(-1)!;
  plane().counters.set(desk.publicKey as PublicKey, { rxBytes: 4_010, txBytes: 5_020 });
  control.push({ $case: 'reportPolicy', value: { intervalMs: 500 } });
  await until('counters', () => reported(desk).at(-1)?.rxBytes === 4_010);
  const after = reports().at(-1)!;
  expect([after.rxBytes - before.rxBytes, after.txBytes - before.txBytes]).toEqual([4_000, 5_000]);
  expect(plane().inquiries).toContain(120_000);
});

it('answers an explanation with what `agent explain` says, or with why there is none', async () => {
  moveTo('relay');
  for (const [id, nodeId] of [desk.keys.nodeId, daemon.runner().membership.nodeId, 'nobody'].entries()) {
    control.push({ $case: 'explain', value: { id: id + 1, nodeId } });
  }
  const answers = () =>
    control.received.flatMap(({ message }) => (message?.$case === 'explainAnswer' ? [message.value] : []));
  await until('answers', () => answers().length === 3);
  const [known, self, unknown] = answers().sort((a, b) => a.id - b.id);
  const explanation = JSON.parse(known!.json);
  expect(explanation).toMatchObject({ node: { name: 'desk', kind: 'agent' }, path: { kind: 'relay', via: 'home' } });
  expect(self).toMatchObject({ json: '', failure: expect.stringContaining('this one itself') });
  expect(unknown).toMatchObject({ json: '', failure: expect.stringContaining('has no such node') });
});

it('begins with a complete report again when the stream was cut', async () => {
  moveTo(endpoint);
  await until('a direct path', () => kindOf(desk) === PathKind.PATH_KIND_DIRECT);
  control.kill();
  control.received.length = 0;
  await control.listen();
  await until('a report', () => reports().length > 0);
  expect(reports()[0]).toMatchObject({ complete: true });
  expect(reported(desk)).toHaveLength(1);
});
