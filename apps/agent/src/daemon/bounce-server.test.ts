import type { SignedTombstone } from '@warren/identity';
import * as wire from '@warren/proto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listNetworks, NetworkState } from '../state/network-state.js';
import { generateNodeKeys, x25519PublicKey } from '../state/node-keys.js';
import { FakeControl } from '../testing/fake-control.js';
import { fakeDataPlanes } from '../testing/fake-data-plane.js';
import { fakeSignalServers } from '../testing/fake-signal-servers.js';
import { makePeer } from '../testing/peers.js';
import { Cleanup, runAgent, until } from '../testing/run.js';
import { BounceServer } from './bounce-server.js';
import { Daemon } from './daemon.js';

const cleanup = new Cleanup();
let signal: ReturnType<typeof fakeSignalServers>;
let folder: string;
let lines: string[];
let brought: SignedTombstone[];

const log = (level: string, message: string) => void lines.push(`${level} ${message}`);
const stone = (n: number): SignedTombstone => ({ tombstone: Uint8Array.of(n), signature: new Uint8Array(64) });

beforeEach(async () => {
  signal = fakeSignalServers();
  folder = await cleanup.folder();
  lines = [];
  brought = [];
});
afterEach(() => cleanup.run());

function bounceServer(): BounceServer {
  const key = generateNodeKeys().path;
  const state = new NetworkState(folder);
  const authority = new Uint8Array(32).fill(3);
  const onTombstone = (signed: SignedTombstone) => void brought.push(signed);
  const bounce = new BounceServer({ start: signal.start, state, key, authority, onTombstone, log, retryAfter: 5 });
  cleanup.add(() => bounce.close());
  return bounce;
}

describe('the signal server of a bounce', () => {
  it('listens on the usual port, and hears new tombstones once', async () => {
    const bounce = bounceServer();
    bounce.follow(true, [stone(1)]);
    await bounce.settled();
    expect(bounce.status).toEqual({ port: 3478, failure: null });
    bounce.follow(true, [stone(1), stone(2)]);
    bounce.follow(true, [stone(1), stone(2)]);
    expect(signal.servers[0]?.tombstones).toEqual([stone(1), stone(2)]);
    await bounce.close();
    expect(signal.servers[0]?.isClosed).toBe(true);
    expect([bounce.port, bounce.status]).toEqual([0, null]);
  });

  it('takes another port when that is in use, and keeps it from then on', async () => {
    signal.taken.add(3478);
    const first = bounceServer();
    first.follow(true, []);
    await first.settled();
    expect(first.port).toBe(40_000);
    await first.close();
    signal.taken.clear();
    const second = bounceServer();
    second.follow(true, []);
    await until('the port of before', () => second.port === 40_000);
  });

  it('that cannot run is said, and tried again', async () => {
    signal.taken.add(3478).add(0);
    const bounce = bounceServer();
    bounce.follow(true, []);
    await bounce.settled();
    expect(bounce.status).toEqual({ port: null, failure: 'UDP port 0 is in use' });
    expect(lines.join('\n')).toContain('runs no signal server');
    signal.taken.clear();
    await until('it to run', () => bounce.port === 3478);
    expect(bounce.status?.failure).toBeNull();
  });

  it('that dies is started again, with every tombstone', async () => {
    const bounce = bounceServer();
    bounce.follow(true, [stone(1)]);
    await bounce.settled();
    signal.servers[0]?.die();
    await until('another', () => signal.servers.length === 2 && bounce.port === 3478);
    expect(signal.servers[1]?.tombstones).toEqual([stone(1)]);
  });

  it('stops when the node is no bounce any more', async () => {
    const bounce = bounceServer();
    bounce.follow(true, []);
    await bounce.settled();
    bounce.follow(false, []);
    await until('its end', () => signal.servers[0]?.isClosed === true);
    expect(bounce.status).toBeNull();
  });
});

describe('a daemon', () => {
  let control: FakeControl;
  let stateDir: string;
  const planes = fakeDataPlanes();

  beforeEach(async () => {
    control = await FakeControl.start();
    cleanup.add(() => control.kill());
    stateDir = await cleanup.folder();
  });

  async function startDaemon(): Promise<Daemon> {
    const place = ['--interface', 'wgtest0', '--listen-port', '0', '--name', 'relay', '--no-start'];
    await runAgent(['join', '--token', control.token(), '--state-dir', stateDir, ...place]);
    const startSignalServer = signal.start;
    const options = { stateDir, log, startDataPlane: planes.start, startSignalServer, heartbeatInterval: 30 };
    const daemon = await Daemon.start(options);
    cleanup.add(() => daemon.stop());
    await until('connection', async () => (await daemon.status()).state === 'running');
    return daemon;
  }

  const ports = () =>
    control.received.flatMap(({ message }) => (message?.$case === 'hello' ? [message.value.signalPort] : []));

  it('of a bounce runs one under its path key, tells its port, and ends it when it stops', async () => {
    control.role = wire.Role.ROLE_BOUNCE;
    const daemon = await startDaemon();
    expect(ports()).toEqual([3478]);
    const { state, membership } = (await listNetworks(stateDir))[0]!;
    const { path } = await state.keys();
    const { key, authorities } = signal.servers[0]!.options;
    expect(x25519PublicKey(key)).toBe(x25519PublicKey(path));
    expect(Buffer.from(authorities[0]!).toString('base64')).toBe(membership.authorityKey);
    expect((await daemon.status()).signalServer).toEqual({ port: 3478, failure: null });
    const peer = makePeer(control.networkId, 'one');
    const revocation = control.authority.revoke(control.networkId, peer);
    control.pushDelta({ tombstones: [revocation] });
    await until('the tombstone', () => signal.servers[0]!.tombstones.length === 1);
    await daemon.stop();
    expect(signal.servers[0]?.isClosed).toBe(true);
  });

  it('of a client runs none', async () => {
    const daemon = await startDaemon();
    expect(signal.servers).toEqual([]);
    expect(ports()).toEqual([0]);
    expect((await daemon.status()).signalServer).toBeNull();
  });

  it('that becomes a bounce later tells the port on a new stream', async () => {
    const daemon = await startDaemon();
    const { nodeId } = (await daemon.runner()).membership;
    control.role = wire.Role.ROLE_BOUNCE;
    control.pushDelta({ self: control.self(nodeId) });
    await until('the port', () => ports().at(-1) === 3478);
  });

  it('passes on what agents bring to its signal server', async () => {
    control.role = wire.Role.ROLE_BOUNCE;
    const peer = makePeer(control.networkId, 'one');
    control.peers = [peer.bytes];
    await startDaemon();
    const plane = planes.planes.at(-1)!;
    await until('the peer', () => plane.peers.has(peer.publicKey));
    signal.servers.at(-1)!.options.onTombstone?.(control.authority.revoke(control.networkId, peer));
    await until('its end', () => !plane.peers.has(peer.publicKey));
  });
});
