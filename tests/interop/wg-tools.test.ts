import { existsSync, readFileSync, readlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { createWorld, type Host, type World } from '@warren/netlab';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { agentWg, runOn, waitForNoDaemon, wgDaemons, wgQuickEnvironment } from '../support/agent-wg.js';
import { describeLab } from '../support/groups.js';
import { WarrenNode } from '../support/warren-node.js';
import { createKeyPair, createPresharedKey } from '../support/wireguard-keys.js';

/** Resident memory of an idle `agent wg`; the goal is 80 MB under load. */
const MAX_RSS_KB = 100_000;

describeLab('wg and our data plane', ['wg'], () => {
  let world: World;
  let host: Host;
  const wg = (...args: string[]) => runOn(host, 'wg', args);
  const wgWith = (input: string, ...args: string[]) => runOn(host, 'wg', args, input);
  const socketPath = () => join(host.dir, 'run/wireguard/wg0.sock');

  beforeAll(async () => {
    world = await createWorld({ name: 'wg-tools' });
    host = await world.addHost({ name: 'alone' });
  });
  afterEach(async () => {
    await host.run('ip', ['link', 'delete', 'wg0']);
    await waitForNoDaemon(host);
  });
  afterAll(() => world?.close());

  describe('agent wg', () => {
    it('returns when wg can drive the interface, and holds nothing of its caller', async () => {
      // Were a pipe still held, this would wait for its end.
      expect(await agentWg(host, ['wg0'])).toMatchObject({ code: 0, stdout: '', stderr: '' });
      expect(await wg('show', 'interfaces')).toBe('wg0\n');
      const [daemon] = await wgDaemons(host);
      expect(daemon?.interfaceName).toBe('wg0');
      const standard = [0, 1, 2].map((fd) => readlinkSync(`/proc/${daemon?.pid}/fd/${fd}`));
      expect(standard).toEqual(['/dev/null', '/dev/null', '/dev/null']);
      expect(readlinkSync(`/proc/${daemon?.pid}/cwd`)).toBe('/');
      const link = await runOn(host, 'ip', ['-json', 'addr', 'show', 'wg0']);
      expect(JSON.parse(link)).toMatchObject([{ mtu: 1420, operstate: 'DOWN', addr_info: [] }]);
    });

    it('takes little memory', async () => {
      await agentWg(host, ['wg0']);
      const [daemon] = await wgDaemons(host);
      const rss = Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${daemon?.pid}/status`, 'utf8'))?.[1]);
      expect(rss).toBeLessThan(MAX_RSS_KB);
    });

    it('ends when its interface is deleted, and its socket goes with it', async () => {
      await agentWg(host, ['wg0']);
      await runOn(host, 'ip', ['link', 'delete', 'wg0']);
      await waitForNoDaemon(host);
      expect(existsSync(socketPath())).toBe(false);
    });

    it('ends when its socket is removed, and its interface goes with it', async () => {
      await agentWg(host, ['wg0']);
      unlinkSync(socketPath());
      await waitForNoDaemon(host);
      expect(await host.interfaces()).not.toContain('wg0');
    });

    it('ends at SIGTERM, in the foreground with 0', async () => {
      await agentWg(host, ['wg0']);
      process.kill((await wgDaemons(host))[0]!.pid, 'SIGTERM');
      await waitForNoDaemon(host);
      expect(await host.interfaces()).not.toContain('wg0');
      const script =
        'timeout 20 agent wg -f wg0 & for i in $(seq 100); do [ -S /run/wireguard/wg0.sock ] && break; sleep 0.1; done; kill $!; wait $!';
      await runOn(host, 'sh', ['-c', script]);
      expect(existsSync(socketPath())).toBe(false);
    });

    it('writes to stderr in the foreground what LOG_LEVEL asks for', async () => {
      const script =
        'timeout 20 agent wg -f wg0 & for i in $(seq 100); do [ -S /run/wireguard/wg0.sock ] && break; sleep 0.1; done; ip link delete wg0; wait $!';
      const run = (level: string) =>
        host.run('sh', ['-c', script], { env: { ...wgQuickEnvironment(), LOG_LEVEL: level } });
      expect(await run('verbose')).toMatchObject({ code: 0, stderr: expect.stringContaining('UAPI listener started') });
      expect(await run('error')).toMatchObject({ code: 0, stderr: '' });
    });

    it('says in one line why it cannot', async () => {
      await agentWg(host, ['wg0']);
      const refused = async (args: string[], text: RegExp, code = 1) => {
        const result = await agentWg(host, args);
        expect(result.code).toBe(code);
        expect(result.stderr).toMatch(text);
        expect(result.stderr.split('\n')).toHaveLength(2);
      };
      await refused(['wg0'], /wg0 exists already/);
      await refused(['-f', 'wg0'], /wg0 exists already/);
      await refused(['a-name-that-is-too-long'], /cannot name an interface/);
      await refused([], /interface/, 2);
      const nobody = await host.run('setpriv', [
        ...['--reuid', '65534', '--regid', '65534', '--clear-groups'],
        ...[process.execPath, join(import.meta.dirname, '../../apps/agent/bin/agent.mjs'), 'wg', 'wg1'],
      ]);
      expect(nobody).toMatchObject({ code: 1, stderr: expect.stringMatching(/^agent: .*root.*\n$/) });
    });

    it('does not take an interface whose socket another process serves', async () => {
      const other = await host.spawn(process.execPath, [
        ...['-e', "require('net').createServer().listen('/run/wireguard/wg0.sock', () => console.log('listening'))"],
      ]);
      await other.waitForOutput(/listening/, 10_000);
      const { code, stderr } = await agentWg(host, ['wg0']);
      expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/another process serves.*wg0\.sock/) });
      expect(await host.interfaces()).not.toContain('wg0');
      await other.stop();
      unlinkSync(socketPath());
    });
  });

  describe('the tool', () => {
    const ours = createKeyPair();
    const peers = Array.from({ length: 3 }, createKeyPair);
    const [first, second, third] = peers.map(({ publicKey }) => publicKey);
    const presharedKey = createPresharedKey();
    const FILE = [
      '[Interface]',
      'ListenPort = 4711',
      'FwMark = 0x2a',
      `PrivateKey = ${ours.privateKey}`,
      '',
      '[Peer]',
      `PublicKey = ${first}`,
      `PresharedKey = ${presharedKey}`,
      'AllowedIPs = 10.1.0.0/16, fd00:1::/64',
      'Endpoint = 192.0.2.1:1000',
      'PersistentKeepalive = 25',
      '',
      '[Peer]',
      `PublicKey = ${second}`,
      'AllowedIPs = 10.2.0.0/16',
      'Endpoint = [2001:db8::1]:2000',
      '',
    ].join('\n');

    const setUp = async () => {
      await agentWg(host, ['wg0']);
      await wgWith(FILE, 'setconf', 'wg0', '/dev/stdin');
    };
    const shown = async (what: string) => (await wg('show', 'wg0', what)).trim().split('\n');

    it('shows what setconf set, in dump, showconf and words', async () => {
      await setUp();
      expect((await wg('show', 'wg0', 'dump')).trim().split('\n')).toEqual([
        [ours.privateKey, ours.publicKey, '4711', '0x2a'].join('\t'),
        // What was sent: the initiation that the keepalive asked for, if there was a route.
        expect.stringContaining(
          [first, presharedKey, '192.0.2.1:1000', '10.1.0.0/16,fd00:1::/64', '0', '0', ''].join('\t'),
        ),
        [second, '(none)', '[2001:db8::1]:2000', '10.2.0.0/16', '0', '0', '0', 'off'].join('\t'),
      ]);
      const sections = (text: string) =>
        text
          .split('\n')
          .filter((line) => line !== '')
          .sort();
      expect(sections(await wg('showconf', 'wg0'))).toEqual(sections(FILE));
      const words = await wg('show', 'wg0');
      expect(words).toContain(
        `interface: wg0\n  public key: ${ours.publicKey}\n  private key: (hidden)\n  listening port: 4711\n  fwmark: 0x2a\n`,
      );
      expect(words).toContain('  persistent keepalive: every 25 seconds\n');
    });

    it('sets single values and leaves the others', async () => {
      await setUp();
      await wg('set', 'wg0', 'listen-port', '4712', 'fwmark', 'off');
      expect(await shown('listen-port')).toEqual(['4712']);
      expect(await shown('fwmark')).toEqual(['off']);
      await wg('set', 'wg0', 'peer', first!, 'persistent-keepalive', 'off', 'allowed-ips', '10.3.0.0/16');
      expect(await shown('persistent-keepalive')).toContain(`${first}\toff`);
      expect(await shown('allowed-ips')).toContain(`${first}\t10.3.0.0/16`);
      expect(await shown('preshared-keys')).toContain(`${first}\t${presharedKey}`);
      expect(await shown('endpoints')).toContain(`${first}\t192.0.2.1:1000`);
      await wg('set', 'wg0', 'peer', first!, 'preshared-key', '/dev/null');
      expect(await shown('preshared-keys')).toContain(`${first}\t(none)`);
      await wg('set', 'wg0', 'peer', first!, 'remove');
      expect(await shown('peers')).toEqual([second]);
      await wg('set', 'wg0', 'private-key', '/dev/null');
      expect(await shown('private-key')).toEqual(['(none)']);
    });

    it('adds with addconf, replaces with setconf, and synchronises with syncconf', async () => {
      await setUp();
      const section = `[Peer]\nPublicKey = ${third}\nAllowedIPs = 10.2.0.0/16\n`;
      await wgWith(section, 'addconf', 'wg0', '/dev/stdin');
      expect((await shown('peers')).sort()).toEqual([first, second, third].sort());
      // The same prefix on another peer: the last one has it.
      expect(await shown('allowed-ips')).toContain(`${second}\t(none)`);
      await wgWith(FILE, 'syncconf', 'wg0', '/dev/stdin');
      expect((await shown('peers')).sort()).toEqual([first, second].sort());
      expect(await shown('allowed-ips')).toContain(`${second}\t10.2.0.0/16`);
      await wgWith(`[Interface]\nPrivateKey = ${ours.privateKey}\n${section}`, 'setconf', 'wg0', '/dev/stdin');
      expect(await shown('peers')).toEqual([third]);
    });

    it('hears why a change is refused, and nothing of it is done', async () => {
      await setUp();
      const holder = host.spawn(process.execPath, [
        ...['-e', "require('dgram').createSocket('udp4').bind(5000, () => console.log('bound'))"],
      ]);
      await holder.waitForOutput(/bound/, 10_000);
      const { code, stderr } = await host.run('wg', ['set', 'wg0', 'fwmark', '1', 'listen-port', '5000']);
      expect(code).toBe(1);
      expect(stderr).toContain('Address already in use');
      expect(await shown('listen-port')).toEqual(['4711']);
      expect(await shown('fwmark')).toEqual(['0x2a']);
      await holder.stop();
    });

    it('gets a dump of a thousand peers, and one peer with a hundred thousand prefixes', async () => {
      await agentWg(host, ['wg0']);
      const thousand = Array.from({ length: 1_000 }, (_, number) => {
        const key = Buffer.alloc(32, number >> 8);
        key.writeUInt32LE(number + 1);
        return `[Peer]\nPublicKey = ${key.toString('base64')}\nAllowedIPs = 10.${number >> 8}.${number & 255}.0/24\nEndpoint = 192.0.2.1:${number + 1}\n`;
      });
      const config = `[Interface]\nPrivateKey = ${ours.privateKey}\n`;
      await wgWith(config + thousand.join(''), 'setconf', 'wg0', '/dev/stdin');
      const dumps = await Promise.all(Array.from({ length: 4 }, () => wg('show', 'wg0', 'dump')));
      expect(new Set(dumps).size).toBe(1);
      expect(dumps[0]!.trim().split('\n')).toHaveLength(1_001);
      const prefixes = Array.from({ length: 100_000 }, (_, n) => `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}/32`);
      const many = `[Peer]\nPublicKey = ${first}\n${prefixes.map((prefix) => `AllowedIPs = ${prefix}\n`).join('')}`;
      await wgWith(config + many, 'setconf', 'wg0', '/dev/stdin');
      expect((await shown('allowed-ips'))[0]!.split(/\s/)).toHaveLength(100_001);
    });
  });

  describe('on an interface that a control plane manages', () => {
    const [pushed, added] = [createKeyPair(), createKeyPair()];
    let node: WarrenNode;
    const peers = async () => (await wg('show', 'wg0', 'allowed-ips')).trim().split('\n').sort();
    const both = [`${pushed.publicKey}\t10.60.0.2/32`, `${added.publicKey}\t10.60.0.9/32`].sort();
    beforeEach(async () => {
      node = await WarrenNode.start(
        host,
        {
          interfaceName: 'wg0',
          privateKey: createKeyPair().privateKey,
          listenPort: 0,
          mtu: 1420,
          addresses: ['10.60.0.1/32'],
          peers: [{ publicKey: pushed.publicKey, allowedIps: ['10.60.0.2/32'], endpoint: `${host.ipv4}:9` }],
        },
        { uapi: true },
      );
    });
    afterEach(() => node.stop());

    it('adds and removes peers of its own, and leaves routes alone', async () => {
      await wg('set', 'wg0', 'peer', added.publicKey, 'allowed-ips', '10.60.0.9/32');
      expect(await peers()).toEqual(both);
      const routes = await runOn(host, 'ip', ['route', 'show', 'dev', 'wg0']);
      expect(routes).toContain('10.60.0.2');
      expect(routes).not.toContain('10.60.0.9');
      // `wg` sends a private key of zeros with a file that has none.
      const key = (await wg('show', 'wg0', 'private-key')).trim();
      await wgWith(`[Interface]\nPrivateKey = ${key}\n`, 'setconf', 'wg0', '/dev/stdin');
      expect(await peers()).toEqual([`${pushed.publicKey}\t10.60.0.2/32`]);
    });

    it('takes back what it showed', async () => {
      for (const verb of ['addconf', 'setconf', 'syncconf']) {
        await wgWith(await wg('showconf', 'wg0'), verb, 'wg0', '/dev/stdin');
      }
      expect(await peers()).toEqual([`${pushed.publicKey}\t10.60.0.2/32`]);
    });

    it.each([
      ['a pushed peer', ['peer', pushed.publicKey, 'remove']],
      ['its keepalive', ['peer', pushed.publicKey, 'persistent-keepalive', '5']],
      ['its prefix', ['peer', added.publicKey, 'allowed-ips', '10.60.0.2/32']],
      ['the private key', ['private-key', '/dev/null']],
    ])('is not permitted to change %s', async (_what, args) => {
      const before = await wg('show', 'wg0', 'dump');
      const result = await host.run('wg', ['set', 'wg0', 'listen-port', '6000', ...args]);
      expect(result).toMatchObject({ code: 1, stderr: expect.stringContaining('Operation not permitted') });
      expect(await wg('show', 'wg0', 'dump')).toBe(before);
    });

    it('changes port and mark', async () => {
      await wg('set', 'wg0', 'listen-port', '6000', 'fwmark', '0x7');
      expect(await wg('show', 'wg0', 'listen-port')).toBe('6000\n');
      expect(await wg('show', 'wg0', 'fwmark')).toBe('0x7\n');
    });
  });
});
