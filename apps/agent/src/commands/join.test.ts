import { existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import type { HostPort } from '@warren/base';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findPort } from '../host/ports.js';
import { listNetworks } from '../state/network-state.js';
import { FakeControl } from '../testing/fake-control.js';
import { Cleanup, permissiveHost, runAgent } from '../testing/run.js';
import { createTestAuthority } from '../testing/test-authority.js';

const cleanup = new Cleanup();
let control: FakeControl;
let stateDir: string;

beforeEach(async () => {
  control = await FakeControl.start();
  cleanup.add(() => control.kill());
  stateDir = join(await cleanup.folder(), 'state');
});
afterEach(() => cleanup.run());

/** Joins without starting anything, on names and ports that no other test has. */
const joinWith = (token: string, ...more: string[]) => {
  const place = ['--interface', 'wgtest0', '--listen-port', '0'];
  return runAgent(['join', '--token', token, '--state-dir', stateDir, '--no-start', '--json', ...place, ...more]);
};
const errorCode = (out: string): string => (JSON.parse(out) as { error: { code: string } }).error.code;

describe('agent join', () => {
  it('makes keys on the host, proves them, and keeps what it got, readable by nobody else', async () => {
    const joined = await joinWith(control.token(), '--name', 'laptop', '--role', 'client');
    expect(joined).toMatchObject({ code: 0, err: '' });
    expect(JSON.parse(joined.out)).toMatchObject({
      state: 'stopped',
      node: { name: 'laptop', role: 'client', addresses: ['198.18.0.3', 'fd00::3'] },
      network: { id: control.networkId, name: 'test', cidrs: ['198.18.0.0/24'] },
      dataPlane: { interface: 'wgtest0', mtu: 1400 },
    });
    const folder = join(stateDir, 'networks', control.networkId);
    for (const name of await readdir(folder)) expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect(existsSync(join(stateDir, 'pending'))).toBe(false);
    const request = control.joins[0]!;
    expect(request.listenPort).toBeGreaterThan(0);
    const keys = await readFile(join(folder, 'keys.json'), 'utf8');
    const sent = Buffer.concat(control.joins.map((r) => Buffer.from(JSON.stringify(r)))).toString();
    for (const secret of ['identity', 'path', 'wireguard']) {
      expect(sent).not.toContain((JSON.parse(keys) as Record<string, string>)[secret]);
    }
  });

  it('repeated with the same token keeps the identity and asks nobody', async () => {
    await joinWith(control.token());
    const before = await readFile(join(stateDir, 'networks', control.networkId, 'keys.json'), 'utf8');
    control.requests.length = 0;
    const again = await joinWith(control.token());
    expect(again.code).toBe(0);
    expect(again.err).toContain('already joined');
    expect(control.requests).toEqual([]);
    expect(await readFile(join(stateDir, 'networks', control.networkId, 'keys.json'), 'utf8')).toBe(before);
  });

  it('with another token of the same network finds out that it is joined, and spends nothing', async () => {
    await joinWith(control.token());
    control.uses = 2;
    const again = await runAgent([
      ...['join', '--token', control.token({ id: 'other' }), '--state-dir', stateDir, '--no-start'],
    ]);
    expect(again.code).toBe(0);
    expect(again.err).toContain('already joined');
    expect(control.nodes).toHaveLength(1);
    expect(existsSync(join(stateDir, 'pending'))).toBe(false);
  });

  it('after a lost reply joins as the same node, and a one-time token suffices', async () => {
    control.loseJoinReply = true;
    const lost = await joinWith(control.token());
    expect(lost.code).toBe(4);
    expect(await listNetworks(stateDir)).toEqual([]);
    expect(await readdir(join(stateDir, 'pending'))).toHaveLength(1);
    control.loseJoinReply = false;
    await control.listen();
    const second = await joinWith(control.token());
    expect(second.code).toBe(0);
    expect(control.nodes).toHaveLength(1);
    expect(control.joins.map((request) => request.record?.identityKey)).toEqual([
      control.joins[0]!.record!.identityKey,
      control.joins[0]!.record!.identityKey,
    ]);
  });

  it('with a token of another network adds that network on the next interface', async () => {
    await joinWith(control.token());
    const other = await FakeControl.start();
    cleanup.add(() => other.kill());
    other.cidrs = ['198.19.0.0/24'];
    other.networkName = 'second';
    const token = other.token({ id: 'second' });
    const joined = await runAgent(['join', '--token', token, '--state-dir', stateDir, '--no-start']);
    expect(joined.code).toBe(0);
    const networks = await listNetworks(stateDir);
    expect(networks.map(({ membership }) => membership.networkName)).toEqual(['test', 'second']);
    const [first, second] = networks.map(({ membership }) => membership);
    expect(second!.interfaceName).toMatch(/^wg\d+$/);
    expect(second!.listenPort).not.toBe(first!.listenPort);
    const shown = await runAgent(['status', '--json', '--network', 'second', '--state-dir', stateDir]);
    expect(JSON.parse(shown.out)).toMatchObject({ network: { name: 'second' }, networks: ['test', 'second'] });
  });
});

describe('agent join refuses', () => {
  const leavesNothing = () => expect(existsSync(stateDir)).toBe(false);

  it('garbage for a token: 3, nothing sent', async () => {
    const result = await joinWith('warren1_rubbish');
    expect(result.code).toBe(3);
    expect(errorCode(result.out)).toBe('token-invalid');
    expect(result.err.trim().split('\n')).toHaveLength(1);
    leavesNothing();
  });

  it.each(['token-unknown', 'token-used-up', 'token-expired', 'token-revoked', 'name-taken', 'role-conflict'])(
    'what the control plane refuses with %s: 3, its words, nothing left',
    async (code) => {
      control.refuse = code;
      const result = await joinWith(control.token());
      expect(result).toMatchObject({ code: 3, err: `agent: refused: ${code}\n` });
      expect(errorCode(result.out)).toBe(code);
      leavesNothing();
    },
  );

  it('what only Join refuses, after PrepareJoin was fine: 3, nothing left', async () => {
    control.refuseJoin = 'name-taken';
    const result = await joinWith(control.token());
    expect(result).toMatchObject({ code: 3, err: 'agent: refused: name-taken\n' });
    expect(control.requests).toEqual(['prepareJoin', 'join']);
    leavesNothing();
  });

  it('a control plane that nobody answers for: 4', async () => {
    control.kill();
    const result = await joinWith(control.token());
    expect(result.code).toBe(4);
    expect(errorCode(result.out)).toBe('control-unreachable');
    leavesNothing();
  });

  it('another root than the pinned one: 5, and the secret never leaves', async () => {
    const { pin } = await createTestAuthority();
    const result = await joinWith(control.token({ pin }));
    expect(result.code).toBe(5);
    expect(errorCode(result.out)).toBe('pin-mismatch');
    expect(control.requests).toEqual([]);
    leavesNothing();
  });

  it('a dead address only when no other one answers', async () => {
    const dead = '127.0.0.1:9' as HostPort;
    const result = await joinWith(control.token({ addresses: [dead, control.endpoint] }));
    expect(result.code).toBe(0);
  });

  it('a network that overlaps a LAN of the host: 1, naming interface and prefix', async () => {
    const lan = Object.entries(networkInterfaces())
      .flatMap(([name, addresses]) => (addresses ?? []).map((address) => ({ name, ...address })))
      .find((address) => !address.internal && address.family === 'IPv4');
    if (!lan) return; // a machine without a LAN cannot clash: lan.test.ts has the cases
    control.cidrs = [lan.cidr!.replace(/\/\d+$/, '/32')];
    const result = await joinWith(control.token());
    expect(result.code).toBe(1);
    expect(errorCode(result.out)).toBe('lan-clash');
    expect(result.err).toContain(lan.name);
    expect(control.requests).toEqual(['prepareJoin']);
    leavesNothing();
  });

  it('a port in use: 1, before any request', async () => {
    const { createSocket } = await import('node:dgram');
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '0.0.0.0', resolve));
    cleanup.add(() => void socket.close());
    const port = socket.address().port;
    const result = await joinWith(control.token(), '--listen-port', String(port));
    expect(result.code).toBe(1);
    expect(errorCode(result.out)).toBe('port-in-use');
    expect(control.requests).toEqual([]);
    leavesNothing();
    expect(await findPort(port)).toBeUndefined();
  });

  it('an interface name that is taken: 1', async () => {
    const result = await joinWith(control.token(), '--interface', 'lo');
    expect(result.code).toBe(1);
    expect(errorCode(result.out)).toBe('interface-taken');
    leavesNothing();
  });

  it('without root, on another system, or without /dev/net/tun: 1', async () => {
    const args = ['join', '--token', control.token(), '--json', '--state-dir', stateDir];
    const cases = [
      [{ ...permissiveHost, userId: 1000 }, 'not-root'],
      [{ ...permissiveHost, platform: 'darwin' }, 'unsupported-platform'],
      [{ ...permissiveHost, probeTun: () => stat('/dev/net/no-such-tun').then(() => undefined) }, 'no-tun'],
    ] as const;
    for (const [host, code] of cases) {
      const result = await runAgent(args, host);
      expect(result.code).toBe(1);
      expect(errorCode(result.out)).toBe(code);
      expect(result.err.trim().split('\n')).toHaveLength(1);
    }
    leavesNothing();
  });

  it.each([
    [['--role', 'king'], "'--role <role>'"],
    [['--listen-port', '70000'], '0 to 65535'],
    [['--mtu', '100'], '1280'],
    [['--endpoint', 'nohost'], 'host:port'],
    [['--name', 'Ünicode'], 'letters'],
    [['--interface', 'much-too-long-a-name'], '15'],
    [['--backend', 'kernel'], 'unknown option'],
  ])('wrong usage %j: 2, one line', async (flags, words) => {
    const result = await runAgent(['join', '--token', control.token(), '--json', ...flags]);
    expect(result.code).toBe(2);
    expect(errorCode(result.out)).toBe('usage');
    expect(result.err).toContain(words);
    expect(result.err.trim().split('\n')).toHaveLength(1);
  });
});
