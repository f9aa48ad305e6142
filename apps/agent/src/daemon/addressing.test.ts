import * as wire from '@warren/proto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listNetworks } from '../state/network-state.js';
import { FakeControl } from '../testing/fake-control.js';
import { fakeDataPlanes } from '../testing/fake-data-plane.js';
import { makePeer } from '../testing/peers.js';
import { Cleanup, runAgent, until } from '../testing/run.js';
import { Daemon } from './daemon.js';

const cleanup = new Cleanup();
let control: FakeControl;
let stateDir: string;
let planes: ReturnType<typeof fakeDataPlanes>;
let lines: string[];
/** What `ip -json address` and `ip -json -4 route` say. */
let links: object[];
let routes: object[];

beforeEach(async () => {
  control = await FakeControl.start();
  cleanup.add(() => control.kill());
  stateDir = await cleanup.folder();
  planes = fakeDataPlanes();
  lines = [];
  links = [];
  routes = [];
});
afterEach(() => cleanup.run());

async function startDaemon(): Promise<Daemon> {
  const place = ['--interface', 'wgtest0', '--listen-port', '0', '--name', 'laptop', '--no-start'];
  const joined = await runAgent(['join', '--token', control.token(), '--state-dir', stateDir, ...place]);
  expect(joined).toMatchObject({ code: 0 });
  const daemon = await Daemon.start({
    stateDir,
    log: (level, message) => void lines.push(`${level} ${message}`),
    startDataPlane: planes.start,
    run: async (_, args) => {
      const answer = args.includes('address') ? links : args.includes('-4') ? routes : [];
      return { code: 0, stdout: JSON.stringify(answer), stderr: '' };
    },
    heartbeatInterval: 200,
  });
  cleanup.add(() => daemon.stop());
  await until('connection', async () => (await daemon.status()).state === 'running');
  return daemon;
}
const plane = () => planes.planes.at(-1)!;
const observations = () =>
  control.received.flatMap(({ message }) => (message?.$case === 'observation' ? [message.value] : []));

describe('other addresses', () => {
  it('are taken up beside those of before, with the same data plane and the same sessions', async () => {
    const peer = makePeer(control.networkId, 'one');
    control.peers = [peer.bytes];
    await startDaemon();
    expect(plane().addresses).toEqual(['198.18.0.3/32', 'fd00::3/128']);
    const { nodeId } = (await listNetworks(stateDir))[0]!.membership;
    const self = { ...control.self(nodeId), addresses: ['198.19.0.3', 'fd00::3'] };
    const moved = { ...peer.entry, addresses: ['198.19.0.9'], allowedIps: ['198.19.0.9/32'] };
    control.pushDelta({ self, upsert: [Buffer.from(wire.PeerEntry.encode(moved).finish())] });
    await until('the addresses', () => plane().addresses.includes('198.19.0.3/32'));
    expect(plane().addresses).toEqual(['198.18.0.3/32', '198.19.0.3/32', 'fd00::3/128']);
    const allowed = () => plane().peers.get(peer.publicKey)!.allowedIps.join(' ');
    await until('the peer', () => allowed() === '198.19.0.9/32 198.18.0.9/32');
    expect(planes.planes).toHaveLength(1);
  });
});

describe('a LAN that overlaps the network', () => {
  const lan = { ifname: 'eth1', addr_info: [{ local: '198.18.0.200', prefixlen: 25, scope: 'global' }] };
  const router = { dst: 'default', gateway: '198.18.0.129', dev: 'eth1' };

  it('is noticed when it comes, told to everybody who should know, and forgotten when it goes', async () => {
    links = [{ ifname: 'eth0', addr_info: [{ local: '192.168.9.20', prefixlen: 24, scope: 'global' }] }];
    const daemon = await startDaemon();
    await until('the first observation', () => observations().length > 0);
    expect(observations().at(-1)).toEqual({ lanClashes: [], lanPrefixes: ['192.168.9.0/24'] });
    expect((await daemon.status()).warnings).toEqual([]);
    links = [...links, lan];
    routes = [router];
    plane().options.onNetworkChange?.();
    await until('the warning', async () => (await daemon.status()).warnings.length > 0);
    expect((await daemon.status()).warnings).toEqual([
      { code: 'lan-clash', message: expect.stringMatching(/198\.18\.0\.128\/25 on eth1 overlaps 198\.18\.0\.0\/24/) },
    ]);
    expect(lines.filter((line) => /^warn .*198\.18\.0\.128\/25/.test(line))).toHaveLength(1);
    await until('the observation', () => observations().at(-1)!.lanClashes.length > 0);
    expect(observations().at(-1)!.lanClashes).toEqual(['198.18.0.128/25']);
    expect(plane().unrouted).toEqual(['198.18.0.200/32', '198.18.0.129/32']);
    expect(plane().isClosed).toBe(false);
    links = links.slice(0, 1);
    routes = [];
    plane().options.onNetworkChange?.();
    await until('no warning', async () => (await daemon.status()).warnings.length === 0);
    await until('the last observation', () => observations().at(-1)!.lanClashes.length === 0);
    expect(plane().unrouted).toEqual([]);
  });
});
