import type { HostPort } from '@warren/base';
import { relayIdOf } from '@warren/identity';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listNetworks } from '../state/network-state.js';
import { FakeControl } from '../testing/fake-control.js';
import { fakeDataPlanes } from '../testing/fake-data-plane.js';
import { makePeer, TestNetworkAuthority } from '../testing/peers.js';
import { Cleanup, runAgent, until } from '../testing/run.js';
import { Daemon } from './daemon.js';

const cleanup = new Cleanup();
let control: FakeControl;
let stateDir: string;
let planes: ReturnType<typeof fakeDataPlanes>;

const server = (id: string) => ({ id, name: `the ${id}`, udp: '192.0.2.7:3478', tls: [], key: Buffer.alloc(32, 5) });

beforeEach(async () => {
  control = await FakeControl.start();
  cleanup.add(() => control.kill());
  control.signalServers = [server('control')];
  control.ticket = Buffer.from('a ticket');
  stateDir = await cleanup.folder();
  planes = fakeDataPlanes();
});
afterEach(() => cleanup.run());

async function joinNetwork(...flags: string[]): Promise<void> {
  const place = ['--interface', 'wgtest0', '--listen-port', '0', '--name', 'laptop', '--no-start', ...flags];
  const joined = await runAgent(['join', '--token', control.token(), '--state-dir', stateDir, ...place]);
  expect(joined).toMatchObject({ code: 0 });
}

async function startDaemon(): Promise<Daemon> {
  const daemon = await Daemon.start({
    stateDir,
    log: () => undefined,
    startDataPlane: planes.start,
    heartbeatInterval: 50,
  });
  cleanup.add(() => daemon.stop());
  return daemon;
}

const plane = () => planes.planes.at(-1)!;
const connected = (daemon: Daemon) => until('connection', async () => (await daemon.status()).state === 'running');
const heardTicket = () => until('ticket', () => plane().signalling.ticket !== undefined);

describe('signalling', () => {
  it('names the node as signal servers and peers do, and each agent among its peers', async () => {
    const one = makePeer(control.networkId, 'one');
    const vanilla = makePeer(control.networkId, 'printer', { vanilla: true, record: undefined });
    control.peers = [one.bytes, vanilla.bytes];
    await joinNetwork();
    const daemon = await startDaemon();
    await connected(daemon);
    const { membership } = (await listNetworks(stateDir))[0]!;
    const { signalling } = plane().options;
    expect(signalling?.relayId).toEqual(relayIdOf(membership.networkId, membership.nodeId));
    expect(signalling?.predictPorts).toBe(true);
    expect(signalling?.tls).toMatchObject({ serverName: 'relay.warren.internal' });
    expect(signalling?.tls?.root).toContain('BEGIN CERTIFICATE');
    const agent = plane().peers.get(one.publicKey)?.agent;
    expect(agent).toMatchObject({ name: 'one', relayId: relayIdOf(membership.networkId, one.keys.nodeId) });
    expect(agent?.pathKey).toHaveLength(32);
    expect(plane().peers.get(vanilla.publicKey)).not.toHaveProperty('agent');
  });

  it('is told servers before the control plane is reached, and the ticket as soon as it comes', async () => {
    await joinNetwork();
    const daemon = await startDaemon();
    await connected(daemon);
    await heardTicket();
    expect(plane().changes[0]?.servers).toMatchObject([{ id: 'control', name: 'the control', udp: '192.0.2.7:3478' }]);
    expect(Buffer.from(plane().signalling.ticket!).toString()).toBe('a ticket');
  });

  it('hears changes of the server list, and nothing when nothing changed', async () => {
    await joinNetwork();
    const daemon = await startDaemon();
    await connected(daemon);
    await heardTicket();
    const before = plane().changes.length;
    const { nodeId } = (await listNetworks(stateDir))[0]!.membership;
    control.pushDelta({ self: control.self(nodeId) });
    control.signalServers = [server('control'), server('bounce')];
    control.pushDelta({ self: control.self(nodeId) });
    await until('servers', () => plane().signalling.servers?.length === 2);
    expect(plane().changes).toHaveLength(before + 1);
  });

  it('starts with servers and ticket of before while the control plane is down', async () => {
    control.peers = [makePeer(control.networkId, 'one').bytes];
    await joinNetwork();
    const first = await startDaemon();
    await connected(first);
    await heardTicket();
    await until('the disk', async () => (await (await listNetworks(stateDir))[0]!.state.ticket()) !== undefined);
    await first.stop();
    control.kill();
    await startDaemon();
    expect(planes.planes).toHaveLength(2);
    expect(plane().signalling.servers?.[0]?.id).toBe('control');
    expect(Buffer.from(plane().signalling.ticket!).toString()).toBe('a ticket');
  });

  it('leaves out servers that are malformed', async () => {
    control.signalServers = [
      { ...server('short key'), key: Buffer.alloc(31) },
      { ...server('no-address'), udp: '', tls: ['nonsense'] },
      { ...server('bad id'), id: 'ä' },
      { ...server('tls-only'), udp: '', tls: ['192.0.2.7:443', 'x'] },
      server('tls-only'),
    ];
    await joinNetwork();
    await startDaemon();
    const tls = ['192.0.2.7:443' as HostPort];
    expect(plane().signalling.servers).toEqual([
      { id: 'tls-only', name: 'the tls-only', tls, key: new Uint8Array(32).fill(5) },
    ]);
  });

  it('does not guess ports when the join said so, until `agent up` says otherwise', async () => {
    await joinNetwork('--no-port-prediction');
    await (await startDaemon()).stop();
    expect(plane().options.signalling?.predictPorts).toBe(false);
  });
});

describe('a tombstone from a signal server', () => {
  it('takes its node out for good, with the control plane down', async () => {
    const peer = makePeer(control.networkId, 'one');
    control.peers = [peer.bytes];
    await joinNetwork();
    const daemon = await startDaemon();
    await connected(daemon);
    await until('acknowledgement', () => plane().peers.has(peer.publicKey));
    control.kill();
    const { tombstone, signature } = control.authority.revoke(control.networkId, peer);
    plane().options.signalling?.onTombstone?.(tombstone, signature);
    await until('removal', () => !plane().peers.has(peer.publicKey));
    expect(plane().signalling.tombstones).toHaveLength(1);
    await daemon.stop();
    await startDaemon();
    expect(plane().peers.size).toBe(0);
    expect(plane().signalling.tombstones).toHaveLength(1);
  });

  it('that somebody else signed changes nothing', async () => {
    const peer = makePeer(control.networkId, 'one');
    control.peers = [peer.bytes];
    await joinNetwork();
    const daemon = await startDaemon();
    await connected(daemon);
    const forged = new TestNetworkAuthority().revoke(control.networkId, peer);
    plane().options.signalling?.onTombstone?.(forged.tombstone, forged.signature);
    const real = control.authority.revoke(control.networkId, makePeer(control.networkId, 'other'));
    plane().options.signalling?.onTombstone?.(real.tombstone, real.signature);
    await until('the real one', () => plane().signalling.tombstones?.length === 1);
    expect(plane().peers.has(peer.publicKey)).toBe(true);
  });

  it('that names this node ends it as a farewell of the control plane does', async () => {
    await joinNetwork();
    const daemon = await startDaemon();
    await connected(daemon);
    control.kill();
    const { state } = (await listNetworks(stateDir))[0]!;
    const self = { ...makePeer(control.networkId, 'laptop'), keys: await state.keys() };
    const { tombstone, signature } = control.authority.revoke(control.networkId, self);
    plane().options.signalling?.onTombstone?.(tombstone, signature);
    expect(await daemon.ended).toMatchObject({ state: 'revoked', error: { code: 'node-revoked' } });
    expect(plane().isClosed).toBe(true);
    expect((await runAgent(['status', '--json', '--state-dir', stateDir])).out).toContain('"revoked"');
  });
});
