import type { Endpoint } from '@warren/base';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Daemon } from '../daemon/daemon.js';
import type { Explanation, PathStatus } from '../daemon/status-types.js';
import { FakeControl } from '../testing/fake-control.js';
import { fakeDataPlanes } from '../testing/fake-data-plane.js';
import { makePeer, type TestPeer } from '../testing/peers.js';
import { Cleanup, runAgent, until } from '../testing/run.js';

const cleanup = new Cleanup();
const planes = fakeDataPlanes();
let stateDir: string;
let phone: TestPeer;
let running: Daemon;

const endpoint = '203.0.113.5:41234' as Endpoint;
const lan = '192.168.1.7:51820' as Endpoint;

beforeEach(async () => {
  const control = await FakeControl.start();
  cleanup.add(() => control.kill());
  stateDir = await cleanup.folder();
  phone = makePeer(control.networkId, 'phone');
  const printer = makePeer(control.networkId, 'printer', { vanilla: true, record: undefined, via: 'phone' });
  control.peers = [phone.bytes, printer.bytes];
  const place = ['--interface', 'wgtest0', '--listen-port', '0', '--name', 'laptop', '--no-start'];
  await runAgent(['join', '--token', control.token(), '--state-dir', stateDir, ...place]);
  running = await Daemon.start({ stateDir, log: () => undefined, startDataPlane: planes.start });
  cleanup.add(() => running.stop());
  await until('connection', async () => (await running.status()).state === 'running');
  await running.runner().support.noteNat({
    mapping: 'endpoint-independent',
    filtering: 'address-and-port-dependent',
    udp: true,
    reflexive: [],
  });
  planes.planes.at(-1)!.report = reports(phone);
});
afterEach(() => cleanup.run());

const reports = ({ publicKey: peer }: TestPeer) => ({
  peers: [
    {
      publicKey: peer,
      path: { kind: 'udp', peer, socket: 0, endpoint } as const,
      candidateKind: 'server-reflexive' as const,
      also: undefined,
      rttMs: 12.3,
      since: '2030-01-01T00:00:00.000Z',
      proven: true,
      wanted: true,
      reason: undefined,
      advice: undefined,
      candidates: [
        { kind: 'host', endpoint: lan, result: 'no-answer', rttMs: undefined, probes: 4 } as const,
        { kind: 'server-reflexive', endpoint, result: 'answers', rttMs: 12.3, probes: 2 } as const,
      ],
      remoteNat: { mapping: 'address-dependent', filtering: 'unknown' } as const,
      remoteHomes: ['s2', 's1'],
    },
  ],
  servers: [
    {
      id: 's1',
      name: 'control',
      registered: true,
      transport: 'udp' as const,
      home: true,
      rttMs: 3.5,
      reflexive: '203.0.113.9:51820' as Endpoint,
      failure: undefined,
    },
  ],
});

const agent = (...args: string[]) => runAgent([...args, '--state-dir', stateDir]);

it('explains candidates, NATs, homes and the choice', async () => {
  const { code, out } = await agent('explain', 'phone', '--json');
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({
    node: { name: 'phone', kind: 'agent', online: true },
    path: { kind: 'direct', endpoint, transport: 'udp', rttMs: 12.3, since: '2030-01-01T00:00:00.000Z', reason: null },
    why: 'its server-reflexive address answers in 12.3 ms',
    advice: null,
    candidates: [
      { kind: 'host', endpoint: lan, result: 'no-answer', rttMs: null, probes: 4, used: false },
      { kind: 'server-reflexive', endpoint, result: 'answers', used: true },
    ],
    nat: {
      local: { mapping: 'endpoint-independent', filtering: 'address-and-port-dependent' },
      remote: { mapping: 'address-dependent', filtering: 'unknown' },
    },
    homes: { local: ['control'], remote: ['s2', 'control'] },
    servers: [{ name: 'control', registered: true, transport: 'udp', reflexive: '203.0.113.9:51820', failure: null }],
  } satisfies Partial<Record<keyof Explanation, unknown>>);
});

it('explains to people, too', async () => {
  const { code, out } = await agent('explain', '198.18.0.9');
  expect(code).toBe(0);
  expect(out).toContain('why        its server-reflexive address answers in 12.3 ms\n');
  expect(out).toMatch(/^\* {2}server-reflexive {2}203\.0\.113\.5:41234 {2}answers {4}12\.3 ms {2}2$/m);
  expect(out).toContain('NAT there  mapping address-dependent, filtering unknown\n');
  expect(out).toContain('registered (udp), home');
});

it('says of a vanilla member that its bounce is the way', async () => {
  const { out } = await agent('explain', 'printer', '--json');
  expect(JSON.parse(out)).toMatchObject({ node: { kind: 'vanilla' }, path: { kind: 'bounce', via: 'phone' } });
  expect((await agent('explain', 'printer')).out).not.toContain('CANDIDATE');
});

it('ends with one line that names what was probably meant, or that it is this node itself', async () => {
  const unknown = await agent('explain', 'phne', '--json');
  expect(unknown).toMatchObject({ code: 1, err: 'agent: network test has no node phne: did you mean phone?\n' });
  expect(JSON.parse(unknown.out)).toMatchObject({ error: { code: 'node-unknown' } });
  const pinged = await agent('ping', 'nobody', '--json');
  expect(pinged.code).toBe(1);
  expect(JSON.parse(pinged.out)).toMatchObject({ error: { code: 'node-unknown' } });
  expect(await agent('explain', 'laptop')).toMatchObject({ code: 1, out: '' });
  expect(await agent('explain')).toMatchObject({ code: 2, out: '' });
});

it('without a daemon says so', async () => {
  await running.stop();
  const { code, err } = await agent('explain', 'phone');
  expect(code).toBe(1);
  expect(err).toContain('not running');
});

it('shows path and NAT in `agent peers` and `agent status`', async () => {
  expect((await agent('peers')).out).toContain(`direct ${endpoint} 12.3 ms`);
  const status = await agent('status');
  const nat = 'mapping endpoint-independent, filtering address-and-port-dependent, seen at 203.0.113.9:51820';
  expect(status.out).toContain(`NAT        ${nat}\n`);
  const { nat: json, peers } = JSON.parse((await agent('status', '--json')).out) as {
    nat: unknown;
    peers: { path: PathStatus; online: boolean }[];
  };
  expect(json).toMatchObject({ udp: true, reflexive: ['203.0.113.9:51820'] });
  expect(peers[0]).toMatchObject({ online: true, path: { kind: 'direct' } });
});
