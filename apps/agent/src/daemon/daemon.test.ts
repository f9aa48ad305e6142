import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { HostPort } from '@warren/base';
import * as wire from '@warren/proto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { exitCodeOf } from '../errors.js';
import type { KernelSettings } from '../host/kernel-settings.js';
import { listNetworks } from '../state/network-state.js';
import { FakeControl } from '../testing/fake-control.js';
import { fakeDataPlanes } from '../testing/fake-data-plane.js';
import { makePeer } from '../testing/peers.js';
import { Cleanup, runAgent, until } from '../testing/run.js';
import { Daemon, type DaemonOptions } from './daemon.js';
import { askDaemon } from './socket-client.js';

const cleanup = new Cleanup();
let control: FakeControl;
let stateDir: string;
let planes: ReturnType<typeof fakeDataPlanes>;
let lines: string[];
let ran: { name: string; args: readonly string[]; input: string | undefined }[];
let settings: Map<string, string>;

/** A kernel that is a map. */
const kernel: KernelSettings = {
  read: async (name) => settings.get(name),
  write: async (name, value) => void settings.set(name, value),
  interfaces: async (family) => (family === 'ipv6' ? ['eth0'] : []),
  fingerprint: async () => 'boot 1',
};

beforeEach(async () => {
  control = await FakeControl.start();
  cleanup.add(() => control.kill());
  stateDir = await cleanup.folder();
  planes = fakeDataPlanes();
  lines = [];
  ran = [];
  settings = new Map([
    ['ipv4/ip_forward', '0'],
    ['ipv6/conf/all/forwarding', '0'],
    ['ipv6/conf/eth0/forwarding', '0'],
    ['ipv6/conf/eth0/accept_ra', '1'],
    ['ipv4/conf/all/send_redirects', '1'],
  ]);
});
afterEach(() => cleanup.run());

const options = (): DaemonOptions => ({
  stateDir,
  log: (level, message) => void lines.push(`${level} ${message}`),
  startDataPlane: planes.start,
  kernel,
  run: async (name, args, input) => {
    ran.push({ name, args, input });
    return { code: 0, stdout: '', stderr: '' };
  },
  heartbeatInterval: 50,
});

async function startDaemon(): Promise<Daemon> {
  const daemon = await Daemon.start(options());
  cleanup.add(() => daemon.stop());
  return daemon;
}

const joinNetwork = async (): Promise<void> => {
  const place = ['--interface', 'wgtest0', '--listen-port', '0', '--name', 'laptop'];
  const joined = await runAgent(['join', '--token', control.token(), '--state-dir', stateDir, '--no-start', ...place]);
  expect(joined).toMatchObject({ code: 0 });
};
const connected = (daemon: Daemon) => until('connection', async () => (await daemon.status()).state === 'running');
const plane = () => planes.planes.at(-1)!;
const revision = async (daemon: Daemon) => (await daemon.status()).control?.revision;

describe('the daemon', () => {
  it('applies snapshot and deltas, and acknowledges what is on disk', async () => {
    const [one, two] = [makePeer(control.networkId, 'one'), makePeer(control.networkId, 'two')];
    control.peers = [one.bytes];
    await joinNetwork();
    const daemon = await startDaemon();
    await connected(daemon);
    expect([...plane().peers.keys()]).toEqual([one.publicKey]);
    expect(plane().addresses).toEqual(['198.18.0.3/32', 'fd00::3/128']);
    expect(plane().greeted).toEqual([one.publicKey]);
    control.pushDelta({ upsert: [two.bytes], remove: [one.keys.nodeId] });
    await until('delta', async () => (await revision(daemon)) === 6);
    expect([...plane().peers.keys()]).toEqual([two.publicKey]);
    const acks = () => control.received.flatMap(({ message }) => (message?.$case === 'ack' ? [message.value] : []));
    await until('acknowledgement', () => acks().at(-1)?.position?.revision === 6);
  });

  it('runs on last known state while the control plane is down, and says offline', async () => {
    const peer = makePeer(control.networkId, 'one');
    control.peers = [peer.bytes];
    await joinNetwork();
    const first = await startDaemon();
    await connected(first);
    await first.stop();
    control.kill();
    const second = await startDaemon();
    expect([...plane().peers.keys()]).toEqual([peer.publicKey]);
    expect(await second.status()).toMatchObject({ state: 'offline', control: { connected: false, revision: 5 } });
    await control.listen();
    await connected(second);
  });

  it('counts its starts, and resumes where it stood', async () => {
    await joinNetwork();
    for (let i = 0; i < 2; i++) {
      const daemon = await startDaemon();
      await connected(daemon);
      await daemon.stop();
    }
    const hellos = control.received.flatMap(({ message }) => (message?.$case === 'hello' ? [message.value] : []));
    expect(hellos.map((hello) => hello.startGeneration)).toEqual([1, 2]);
    expect(hellos.map((hello) => hello.position?.revision)).toEqual([0, 5]);
    expect(hellos[1]!.digest).toHaveLength(32);
  });

  it('asks for a snapshot when the digests differ at the same position', async () => {
    await joinNetwork();
    const daemon = await startDaemon();
    await connected(daemon);
    const value = { position: control.position, digest: Buffer.alloc(32, 9) };
    control.push({ $case: 'heartbeatReply', value });
    const fresh = () =>
      control.received.filter(({ message }) => message?.$case === 'hello' && message.value.position?.revision === 0);
    await until('resync', () => fresh().length === 2);
  });

  it('ends with revoked and exit code 3, takes the interface down, and stays out at the next start', async () => {
    await joinNetwork();
    const daemon = await startDaemon();
    await connected(daemon);
    control.farewell('node-revoked');
    const end = await daemon.ended;
    expect(end?.error.message).toContain('revoked');
    expect(exitCodeOf(end?.error)).toBe(3);
    expect(plane().isClosed).toBe(true);
    const status = await runAgent(['status', '--json', '--state-dir', stateDir]);
    expect(status.code).toBe(1);
    expect(JSON.parse(status.out)).toMatchObject({ state: 'revoked', node: { name: 'laptop' } });
    await expect(Daemon.start(options())).rejects.toMatchObject({ code: 'node-revoked' });
    const again = await runAgent(['join', '--token', control.token(), '--state-dir', stateDir]);
    expect(again.code).toBe(3);
  });

  it.each(['node-expired', 'node-removed'])(
    'takes a refusal of the stream for the same as farewell %s',
    async (code) => {
      await joinNetwork();
      control.refuse = code;
      const daemon = await startDaemon();
      expect(await daemon.ended).toMatchObject({ state: 'expired', error: { code } });
    },
  );

  it('stops when its state directory was copied', async () => {
    await joinNetwork();
    const daemon = await startDaemon();
    await connected(daemon);
    control.farewell('clone');
    expect((await daemon.ended)?.error).toMatchObject({ code: 'clone' });
    expect((await listNetworks(stateDir))[0]).toBeDefined();
    expect(await (await listNetworks(stateDir))[0]!.state.terminal()).toBeUndefined();
  });

  it('renews a certificate that has expired before it follows', async () => {
    control.certificateLife = 1;
    await joinNetwork();
    control.certificateLife = 3_600_000;
    const daemon = await startDaemon();
    await connected(daemon);
    expect(control.requests).toContain('renew');
  });

  it('stops trusting last known state that is older than the network allows, until it hears again', async () => {
    control.peers = [makePeer(control.networkId, 'one').bytes];
    control.offlineToleranceMs = 1000;
    await joinNetwork();
    const first = await startDaemon();
    await connected(first);
    await first.stop();
    control.kill();
    const [network] = await listNetworks(stateDir);
    await network!.state.saveLastContact(Date.now() - 5000);
    const second = await startDaemon();
    expect(plane().peers.size).toBe(0);
    await control.listen();
    await connected(second);
    await until('peers', () => plane().peers.size === 1);
  });

  it('puts the interface up again when somebody deletes it', async () => {
    await joinNetwork();
    const daemon = await startDaemon();
    await connected(daemon);
    plane().die();
    await until('a new interface', () => planes.planes.length === 2);
    await connected(daemon);
  });

  it('forwards as a bounce, and puts everything back as it was', async () => {
    control.role = wire.Role.ROLE_BOUNCE;
    control.forward = ['198.18.0.0/24'];
    await joinNetwork();
    const before = new Map(settings);
    const daemon = await startDaemon();
    await connected(daemon);
    expect(settings.get('ipv4/ip_forward')).toBe('1');
    expect(settings.get('ipv6/conf/eth0/accept_ra')).toBe('2');
    expect(ran.find(({ name }) => name === 'nft')?.input).toContain('table inet warren-wgtest0');
    const calls = ran.length;
    control.pushDelta({ upsert: [makePeer(control.networkId, 'one').bytes] });
    await until('delta', async () => (await revision(daemon)) === 6);
    expect(ran).toHaveLength(calls);
    await daemon.stop();
    expect(settings).toEqual(before);
    expect(ran.at(-1)?.input).toContain('delete table inet warren-wgtest0');
  });

  it('takes the interface down when it is revoked, also when that cannot be written down', async () => {
    await joinNetwork();
    const daemon = await startDaemon();
    await connected(daemon);
    await mkdir(join(stateDir, 'networks', control.networkId, 'terminal.json', 'in-the-way'), { recursive: true });
    control.farewell('node-revoked');
    expect((await daemon.ended)?.error.code).toBe('node-revoked');
    expect(plane().isClosed).toBe(true);
  });

  it('as a bounce never forwards without its rules: not before they are up, not after they are down', async () => {
    control.role = wire.Role.ROLE_BOUNCE;
    control.forward = ['198.18.0.0/24'];
    await joinNetwork();
    const seen: string[] = [];
    const note = (what: string): void => {
      const up = planes.planes.at(-1);
      seen.push(
        `${what}, forwarding ${settings.get('ipv4/ip_forward')}, interface ${up && !up.isClosed ? 'up' : 'down'}`,
      );
    };
    const given = options();
    const daemon = await Daemon.start({
      ...given,
      run: async (name, args, input) => {
        if (input?.includes('chain forward')) note('rules up');
        else if (input) note('rules down');
        return given.run!(name, args, input);
      },
    });
    cleanup.add(() => daemon.stop());
    await connected(daemon);
    await daemon.stop();
    expect(seen[0]).toBe('rules up, forwarding 0, interface up');
    expect(seen.at(-1)).toBe('rules down, forwarding 0, interface down');
  });

  it('after a kill -9 puts back what its predecessor changed, before it starts', async () => {
    control.role = wire.Role.ROLE_BOUNCE;
    control.forward = ['198.18.0.0/24'];
    await joinNetwork();
    const before = new Map(settings);
    const killed = await startDaemon();
    await connected(killed);
    const left = new Map(settings);
    const { readFile } = await import('node:fs/promises');
    const ledger = await readFile(join(stateDir, 'forwarding.json'), 'utf8');
    await killed.stop();
    settings = left;
    await writeFile(join(stateDir, 'forwarding.json'), ledger);
    control.role = wire.Role.ROLE_CLIENT;
    control.forward = [];
    control.position = { epoch: 1, revision: 9 };
    const next = await startDaemon();
    await connected(next);
    await until('the settings of before', () => settings.get('ipv4/ip_forward') === '0');
    expect(settings).toEqual(before);
  });

  it('drops peers whose keys nobody signed, with a warning, and keeps the digest', async () => {
    const good = makePeer(control.networkId, 'good');
    const bad = makePeer(control.networkId, 'bad', { wireguardKey: Buffer.alloc(32, 1) });
    control.peers = [good.bytes, bad.bytes];
    await joinNetwork();
    const daemon = await startDaemon();
    await connected(daemon);
    expect([...plane().peers.keys()]).toEqual([good.publicKey]);
    expect(lines.join('\n')).toContain('not the one that it signed');
    expect((await daemon.status()).peers.map((peer) => peer.name)).toEqual(['good']);
  });
});

describe('the socket', () => {
  it('is 0600, refuses a second daemon, and replaces what a killed one left', async () => {
    await joinNetwork();
    const daemon = await startDaemon();
    expect((await stat(join(stateDir, 'agent.sock'))).mode & 0o777).toBe(0o600);
    await expect(Daemon.start(options())).rejects.toMatchObject({ code: 'already-running' });
    await daemon.stop();
    await writeFile(join(stateDir, 'agent.sock'), '');
    const next = await startDaemon();
    expect(await askDaemon(stateDir, { method: 'status' })).toMatchObject({ network: { name: 'test' } });
    await next.stop();
    expect(await askDaemon(stateDir, { method: 'status' })).toBeUndefined();
  });

  it('works also where the path is longer than a socket address', async () => {
    const { mkdir } = await import('node:fs/promises');
    stateDir = join(stateDir, 'x'.repeat(100));
    await mkdir(stateDir);
    await joinNetwork();
    const daemon = await startDaemon();
    expect(await askDaemon(stateDir, { method: 'status' })).toMatchObject({ networks: ['test'] });
    await daemon.stop();
  });

  it('finds nobody behind a socket that nobody serves', async () => {
    const path = join(stateDir, 'agent.sock');
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(path, resolve));
    await new Promise((resolve) => server.close(resolve));
    expect(await askDaemon(stateDir, { method: 'status' })).toBeUndefined();
  });

  it('takes up a network that was joined while the daemon runs, and leaves it', async () => {
    await joinNetwork();
    const daemon = await startDaemon();
    await connected(daemon);
    const other = await FakeControl.start();
    cleanup.add(() => other.kill());
    other.cidrs = ['198.19.0.0/24'];
    other.networkName = 'second';
    const args = ['join', '--token', other.token({ id: 'second' }), '--state-dir', stateDir, '--json'];
    const joined = await runAgent(args);
    expect(joined).toMatchObject({ code: 0, err: '' });
    expect(JSON.parse(joined.out)).toMatchObject({ state: 'running', network: { name: 'second' } });
    const ambiguous = await runAgent(['leave', '--state-dir', stateDir]);
    expect(ambiguous).toMatchObject({ code: 1 });
    const left = await runAgent(['leave', '--network', 'second', '--state-dir', stateDir]);
    expect(left).toMatchObject({ code: 0 });
    expect(other.requests).toContain('leave');
    expect((await daemon.status()).networks).toEqual(['test']);
    expect((await daemon.status()).state).toBe('running');
  });

  it('keeps the membership when the control plane cannot be told that the node leaves', async () => {
    await joinNetwork();
    const daemon = await startDaemon();
    await connected(daemon);
    control.kill();
    const refused = await runAgent(['leave', '--state-dir', stateDir]);
    expect(refused.code).toBe(4);
    expect(await listNetworks(stateDir)).toHaveLength(1);
    expect((await daemon.status()).state).toBe('offline');
    const forced = await runAgent(['leave', '--force', '--state-dir', stateDir]);
    expect(forced.code).toBe(0);
    expect(await listNetworks(stateDir)).toEqual([]);
  });

  it.each(['down', 'leave'])('killed, leaves nothing behind after agent %s', async (command) => {
    await joinNetwork();
    // A ledger of another boot: only the file is to be removed, and this host is not touched.
    const ledger = { fingerprint: 'another boot', settings: [], interfaces: ['wgtest0'] };
    await writeFile(join(stateDir, 'forwarding.json'), JSON.stringify(ledger));
    await writeFile(join(stateDir, 'agent.sock'), '');
    expect(await runAgent([command, '--state-dir', stateDir])).toMatchObject({ code: 0, err: '' });
    const left = await readdir(stateDir);
    expect(left).toEqual(command === 'down' ? ['networks'] : []);
    expect(await runAgent(['down', '--state-dir', stateDir])).toMatchObject({ code: 1 });
  });

  it('learns from joining again that the control plane moved', async () => {
    await joinNetwork();
    const { state, membership } = (await listNetworks(stateDir))[0]!;
    const gone = ['127.0.0.1:9' as HostPort];
    await state.saveMembership({ ...membership, control: { ...membership.control, addresses: gone } });
    const daemon = await startDaemon();
    await until('failure', async () => (await daemon.status()).message !== null);
    expect((await daemon.status()).message).toContain('127.0.0.1:9');
    control.uses = 2;
    const again = await runAgent(['join', '--token', control.token({ id: 'other' }), '--state-dir', stateDir]);
    expect(again.code).toBe(0);
    await connected(daemon);
    expect((await daemon.status()).message).toBeNull();
    expect((await listNetworks(stateDir))[0]!.membership).toEqual(membership);
  });
});

describe('agent status --json', () => {
  it('has the shape that scripts rely on', async () => {
    const bounce = makePeer(control.networkId, 'bounce');
    const phone = makePeer(control.networkId, 'phone', { via: 'bounce', allowedIps: [], endpoint: '' });
    control.peers = [bounce.bytes, phone.bytes];
    await joinNetwork();
    const daemon = await startDaemon();
    await connected(daemon);
    plane().handshakes.set(bounce.publicKey, new Date().toISOString());
    const result = await runAgent(['status', '--json', '--state-dir', stateDir]);
    expect(result.code).toBe(0);
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string;
    expect(JSON.parse(result.out)).toEqual({
      state: 'running',
      message: null,
      node: {
        id: expect.any(String) as string,
        name: 'laptop',
        role: 'client',
        publicKey: expect.stringMatching(/^[A-Za-z0-9+/]{43}=$/) as string,
        addresses: ['198.18.0.3', 'fd00::3'],
        keyExpiresAt: null,
      },
      network: { id: control.networkId, name: 'test', cidrs: ['198.18.0.0/24'] },
      control: { url: `https://${control.endpoint}`, connected: true, revision: 5, since: time },
      dataPlane: {
        backend: 'userspace',
        interface: 'wgtest0',
        listenPort: expect.any(Number) as number,
        mtu: 1400,
        crypto: 'fake',
        path: 'plain',
      },
      nat: { mapping: 'unknown', filtering: 'unknown', udp: true, reflexive: [], portMapping: null },
      warnings: [],
      signalServer: null,
      peers: [
        {
          id: bounce.keys.nodeId,
          name: 'bounce',
          role: 'direct',
          publicKey: bounce.publicKey,
          addresses: ['198.18.0.9'],
          online: true,
          path: {
            kind: 'direct',
            endpoint: '192.0.2.9:51820',
            via: null,
            transport: 'udp',
            rttMs: null,
            since: time,
            reason: null,
          },
          lastHandshake: time,
          rxBytes: 10,
          txBytes: 20,
        },
        {
          id: phone.keys.nodeId,
          name: 'phone',
          role: 'direct',
          publicKey: phone.publicKey,
          addresses: ['198.18.0.9'],
          online: true,
          path: {
            kind: 'bounce',
            endpoint: null,
            via: 'bounce',
            transport: 'udp',
            rttMs: null,
            since: time,
            reason: expect.any(String) as string,
          },
          lastHandshake: null,
          rxBytes: 0,
          txBytes: 0,
        },
      ],
      networks: ['test'],
      agent: { version: expect.any(String) as string, pid: process.pid },
    });
  });
});

describe('agent conf', () => {
  it('leaves the private key out unless it is asked for', async () => {
    const peer = makePeer(control.networkId, 'bounce');
    control.peers = [peer.bytes];
    await joinNetwork();
    const daemon = await startDaemon();
    await connected(daemon);
    await daemon.stop();
    const [network] = await listNetworks(stateDir);
    const { wireguard } = await network!.state.keys();
    const secret = Buffer.from(wireguard.expose()).toString('base64');
    const without = await runAgent(['conf', '--state-dir', stateDir]);
    expect(without.out).not.toContain('PrivateKey');
    expect(without.out).toContain(`PublicKey = ${peer.publicKey}`);
    const complete = await runAgent(['conf', '--private', '--json', '--state-dir', stateDir]);
    expect((JSON.parse(complete.out) as { conf: string }).conf).toContain(`PrivateKey = ${secret}`);
    expect(lines.join('\n')).not.toContain(secret);
  });
});
