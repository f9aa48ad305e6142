import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createWorld, type Host, type World } from '@warren/netlab';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { describeLab } from '../support/groups.js';
import { createPair, LISTEN_PORT, type Pair, pingStream, transfer } from '../support/pair.js';
import { spawnDataPlane, WarrenNode } from '../support/warren-node.js';
import { createKeyPair } from '../support/wireguard-keys.js';
import { type WireGuardConfig, waitFor } from '../support/wireguard-node.js';

const MEGABYTES = 32;

for (const packetPath of ['plain', 'offload'] as const) describePair(packetPath);

function describePair(packetPath: 'plain' | 'offload'): void {
  describeLab(`two data planes with static configuration, packets ${packetPath}`, [], () => {
    // What the tests start, and what those start themselves, takes it from the environment.
    beforeAll(() => {
      process.env.WARREN_DATAPLANE = packetPath;
    });
    afterAll(() => {
      delete process.env.WARREN_DATAPLANE;
    });
    let world: World;
    let a: Host;
    let b: Host;

    beforeAll(async () => {
      world = await createWorld({ name: `static-${packetPath}` });
      a = await world.addHost({ name: 'a' });
      b = await world.addHost({ name: 'b' });
    });
    afterAll(() => world?.close());

    for (const outer of [4, 6] as const) {
      describe(`over IPv${outer}`, () => {
        let pair: Pair;
        let nodes: readonly [WarrenNode, WarrenNode];

        beforeAll(async () => {
          pair = createPair({ initiator: a, responder: b, outer });
          nodes = await Promise.all([WarrenNode.start(a, pair.initiator), WarrenNode.start(b, pair.responder)]);
        });
        afterAll(async () => {
          await Promise.all((nodes ?? []).map((node) => node.stop()));
        });

        it('ping each other, IPv4 and IPv6 inside, without losing the first packet', async () => {
          for (const family of [4, 6] as const) {
            expect(await pingStream(a, pair.inner.responder[family], 5)).toEqual({ sent: 5, received: 5 });
            expect(await pingStream(b, pair.inner.initiator[family], 5)).toEqual({ sent: 5, received: 5 });
          }
        });

        it('show handshake, endpoint and counters', async () => {
          const [initiator, responder] = await Promise.all(nodes.map((node) => node.stats()));
          expect(initiator!).toMatchObject({ backend: 'userspace', crypto: 'openssl-low', path: packetPath });
          const outside = outer === 4 ? [a.ipv4, b.ipv4] : [`[${a.ipv6}]`, `[${b.ipv6}]`];
          expect(initiator!.peers[0]!.endpoint).toBe(`${outside[1]}:${LISTEN_PORT}`);
          expect(responder!.peers[0]!.endpoint).toBe(`${outside[0]}:${LISTEN_PORT}`);
          expect(Date.parse(initiator!.peers[0]!.lastHandshake!)).toBeGreaterThan(Date.now() - 60_000);
          expect(responder!.peers[0]!.rxBytes).toBe(initiator!.peers[0]!.txBytes);
        });

        for (const family of [4, 6] as const) {
          it(`carry ${MEGABYTES} MiB over TCP unchanged, IPv${family} inside`, async () => {
            const result = await transfer(a, b, pair.inner.responder[family], MEGABYTES);
            expect(result.received).toEqual(result.sent);
            expect(result.sent.bytes).toBe(MEGABYTES << 20);
            console.log(`IPv${family} in IPv${outer}: ${Math.round((MEGABYTES * 8.4) / (result.ms / 1000))} Mbit/s`);
          });
        }

        it('carry packets of every size up to the MTU', async () => {
          for (const size of [0, 1, 15, 16, 17, 1000, 1391, 1392]) {
            const { code } = await a.run('ping', [
              '-n',
              '-c',
              '1',
              '-W',
              '2',
              '-M',
              'do',
              '-s',
              String(size),
              pair.inner.responder[4],
            ]);
            expect(code, `${size} bytes`).toBe(0);
          }
        });
      });
    }

    describe('that meet trouble', () => {
      let pair: Pair;
      afterEach(async () => {
        await Promise.all([a.stopProcesses(5_000), b.stopProcesses(5_000)]);
      });

      async function start(): Promise<readonly [WarrenNode, WarrenNode]> {
        pair = createPair({ initiator: a, responder: b, outer: 4 });
        return Promise.all([WarrenNode.start(a, pair.initiator), WarrenNode.start(b, pair.responder)]);
      }

      it('come back after the link was down and up again, and do not spin meanwhile', async () => {
        const [node] = await start();
        const cpuMs = async () => {
          const { cpu } = await node.stats();
          return (cpu.user + cpu.system) / 1_000;
        };
        expect(await a.ping(pair.inner.responder[4], { count: 10 })).toBe(true);
        await a.run('ip', ['link', 'set', 'wg0', 'down']);
        const before = await cpuMs();
        expect(await b.ping(pair.inner.initiator[4], { timeoutMs: 2_000 })).toBe(false);
        expect((await cpuMs()) - before).toBeLessThan(1_000);
        await a.run('ip', ['link', 'set', 'wg0', 'up']);
        await node.process.waitForOutput(/wg0 is up again: its addresses and routes are back/, 5_000);
        for (const family of [4, 6] as const) {
          expect(await a.ping(pair.inner.responder[family], { count: 10 })).toBe(true);
          expect(await b.ping(pair.inner.initiator[family], { count: 10 })).toBe(true);
        }
      });

      it('end by themselves with a reason when the interface is deleted', async () => {
        const [node] = await start();
        await a.run('ip', ['link', 'delete', 'wg0']);
        expect(await node.process.waitForExit(5_000)).toEqual({ code: 1, signal: null });
        expect(node.process.stdout).toMatch(/^ended interface-gone /m);
      });

      it('close within a second and leave no interface, route or process', async () => {
        const [node] = await start();
        expect(await a.ping(pair.inner.responder[4], { count: 10 })).toBe(true);
        expect(await node.process.stop()).toEqual({ code: 0, signal: null });
        const [, ms] = /^ended closed (\d+)$/m.exec(node.process.stdout)!;
        expect(Number(ms)).toBeLessThan(1_000);
        expect(await a.interfaces()).toEqual(['eth0']);
        const { stdout } = await a.run('ip', ['route', 'show', 'table', 'all']);
        expect(stdout).not.toContain('10.77.');
      });

      it('do not hang process.exit', async () => {
        const [node] = await start();
        node.process.kill('SIGUSR2');
        expect(await node.process.waitForExit(5_000)).toEqual({ code: 7, signal: null });
        expect(await a.interfaces()).toEqual(['eth0']);
      });

      it('follow a peer that moves to another address', async () => {
        const [, responder] = await start();
        expect(await a.ping(pair.inner.responder[4], { count: 10 })).toBe(true);
        const moved = '203.0.113.99';
        await a.moveTo(world.internet, { ipv4: moved });
        expect(await a.ping(pair.inner.responder[4], { count: 25 })).toBe(true);
        expect((await responder.stats()).peers[0]!.endpoint).toBe(`${moved}:${LISTEN_PORT}`);
      });
    });

    describe('whose configuration changes', () => {
      it('route exactly the AllowedIPs, leave routes of others alone, and keep what did not change', async () => {
        const pair = createPair({ initiator: a, responder: b, outer: 4 });
        const [peer] = pair.initiator.peers;
        const other = {
          publicKey: createKeyPair().publicKey,
          allowedIps: ['10.78.0.0/16', 'fd78::/48', '10.79.0.0/16'],
        };
        const steps = [
          ['change', { set: [other], remove: [] }],
          ['setAddresses', [`${pair.inner.initiator[4]}/32`, `${pair.inner.initiator[6]}/128`, '10.80.0.1/24']],
          ['setAddresses', [`${pair.inner.initiator[4]}/32`, `${pair.inner.initiator[6]}/128`, '10.80.0.2/24']],
          ['replacePeers', [peer]],
          ['change', { set: [], remove: [peer!.publicKey] }],
          ['initiateHandshake', peer!.publicKey],
        ] as const;
        await a.configure(['route add 10.79.0.0/16 dev eth0']);
        const node = await WarrenNode.start(a, pair.initiator, { steps });
        const responder = await WarrenNode.start(b, pair.responder);
        const routed = async () => {
          const shown = await Promise.all(
            ['-4', '-6'].map((family) => a.run('ip', [family, '-json', 'route', 'show', 'dev', 'wg0'])),
          );
          const routes = shown.flatMap(({ stdout }) => JSON.parse(stdout) as { dst: string; protocol: string }[]);
          return routes
            .filter(({ protocol }) => protocol !== 'kernel')
            .map(({ dst }) => dst.replace(/\/(32|128)$/, ''));
        };
        const addresses = async () => {
          const { stdout } = await a.run('ip', ['-json', 'address', 'show', 'dev', 'wg0', 'scope', 'global']);
          const [link] = JSON.parse(stdout) as { addr_info: { local?: string; prefixlen: number }[] }[];
          // iproute2 shows an empty object for each address that the scope leaves out.
          const shown = link!.addr_info.filter(({ local }) => local !== undefined);
          return shown.map(({ local, prefixlen }) => `${local}/${prefixlen}`).sort();
        };
        const peerOnly = [pair.inner.responder[4], pair.inner.responder[6]];
        expect((await routed()).sort()).toEqual([...peerOnly].sort());
        const stream = pingStream(a, pair.inner.responder[4], 20, 100);

        await node.nextStep();
        expect((await routed()).sort()).toEqual([...peerOnly, '10.78.0.0/16', 'fd78::/48'].sort());
        expect(node.process.stdout).toContain(
          'log warn 10.79.0.0/16 is not routed to wg0: a route to it exists already',
        );
        await node.nextStep();
        await node.nextStep();
        expect(await addresses()).toEqual(
          [`${pair.inner.initiator[4]}/32`, `${pair.inner.initiator[6]}/128`, '10.80.0.2/24'].sort(),
        );
        expect((await routed()).sort()).toEqual([...peerOnly, '10.78.0.0/16', 'fd78::/48'].sort());
        await node.nextStep();
        expect((await routed()).sort()).toEqual([...peerOnly].sort());
        expect((await a.run('ip', ['route', 'show', '10.79.0.0/16'])).stdout).toContain('dev eth0');
        expect(await stream).toEqual({ sent: 20, received: 20 });

        await node.nextStep();
        expect(await routed()).toEqual([]);
        expect((await node.stats()).peers).toEqual([]);
        await expect(node.nextStep()).rejects.toThrow('unknown-peer');
        await a.configure(['route delete 10.79.0.0/16 dev eth0']);
        await Promise.all([node.stop(), responder.stop()]);
      });
    });

    describe('that know each other by name', () => {
      it('look the name up again while handshakes fail', async () => {
        const hosts = join(world.dir, 'hosts');
        writeFileSync(hosts, '203.0.113.250 b.example\n');
        const pair = createPair({ initiator: a, responder: b, outer: 4 });
        const [peer] = pair.initiator.peers;
        const named = { ...pair.initiator, peers: [{ ...peer!, endpoint: `b.example:${LISTEN_PORT}` }] };
        const wrapper = ['sh', '-c', `mount --bind ${hosts} /etc/hosts && exec "$@"`, 'sh'];
        const nodes = await Promise.all([WarrenNode.start(a, named, { wrapper }), WarrenNode.start(b, pair.responder)]);
        await waitFor('the first answer', async () => (await nodes[0].stats()).peers[0]!.endpoint !== undefined);
        expect((await nodes[0].stats()).peers[0]!.endpoint).toBe(`203.0.113.250:${LISTEN_PORT}`);
        expect(await a.ping(pair.inner.responder[4])).toBe(false);
        writeFileSync(hosts, `${b.ipv4} b.example\n`);
        await waitFor('a ping', () => a.ping(pair.inner.responder[4]), 40_000);
        await Promise.all(nodes.map((node) => node.stop()));
      });
    });

    describe('that cannot start say why in one line and leave nothing behind', () => {
      const config = (): WireGuardConfig => createPair({ initiator: a, responder: b, outer: 4 }).initiator;

      async function failure(options: Parameters<typeof spawnDataPlane>[2], changes: Partial<WireGuardConfig> = {}) {
        const running = spawnDataPlane(a, { ...config(), ...changes }, options);
        expect((await running.waitForExit(10_000)).code).toBe(1);
        const [, json] = /^failed (.*)$/m.exec(running.stdout) ?? [];
        expect(json, running.stdout + running.stderr).toBeDefined();
        const error = JSON.parse(json!) as { code: string; message: string };
        expect(error.message).not.toContain('\n');
        return error;
      }

      it('permission is missing', async () => {
        expect(await failure({ wrapper: ['setpriv', '--bounding-set', '-net_admin'] })).toMatchObject({
          code: 'not-root',
          message: expect.stringContaining('run as root'),
        });
        expect(await a.interfaces()).toEqual(['eth0']);
      });

      it('/dev/net/tun is missing', async () => {
        expect(await failure({ hide: ['/dev/net'] })).toMatchObject({
          code: 'no-tun',
          message: expect.stringContaining('modprobe tun'),
        });
        expect(await a.interfaces()).toEqual(['eth0']);
      });

      for (const kind of ['link of another kind', 'TUN of another program'] as const) {
        it(`the name belongs to a ${kind}`, async () => {
          const make = {
            'link of another kind': 'link add wg0 type veth peer name wg0-peer',
            'TUN of another program': 'tuntap add dev wg0 mode tun',
          };
          await a.configure([make[kind]]);
          expect(await failure({})).toMatchObject({
            code: 'interface-taken',
            message: expect.stringContaining('wg0 exists already'),
          });
          expect(await a.interfaces()).toContain('wg0');
          await a.configure(['link delete wg0']);
        });
      }

      it('the port is in use', async () => {
        const node = await WarrenNode.start(a, { ...config(), interfaceName: 'wg7' });
        expect(await failure({})).toMatchObject({
          code: 'port-in-use',
          message: expect.stringContaining(`UDP port ${LISTEN_PORT} is in use`),
        });
        expect((await a.interfaces()).sort()).toEqual(['eth0', 'wg7']);
        await node.stop();
      });

      it('iproute2 is missing', async () => {
        expect(await failure({ path: '/nonexistent' })).toMatchObject({
          code: 'iproute2-missing',
          message: expect.stringContaining('install iproute2'),
        });
        expect(await a.interfaces()).toEqual(['eth0']);
      });

      it('the name, the MTU, an address or the packet path cannot be', async () => {
        expect(await failure({}, { interfaceName: 'far-too-long-a-name' })).toMatchObject({
          code: 'bad-interface-name',
        });
        expect(await failure({}, { mtu: 100 })).toMatchObject({ code: 'bad-mtu' });
        expect(await failure({ env: { WARREN_DATAPLANE: 'fast' } })).toMatchObject({ code: 'bad-packet-path' });
        expect(await failure({}, { addresses: ['10.0.0.300/32'] })).toMatchObject({ code: 'bad-address' });
        expect(await a.interfaces()).toEqual(['eth0']);
      });
    });

    describe('without IPv6 on the host', () => {
      it('work with IPv4 alone and say so', async () => {
        const c = await world.addHost({ name: 'c' });
        for (const scope of ['all', 'default']) {
          await c.run('sh', ['-c', `echo 1 > /proc/sys/net/ipv6/conf/${scope}/disable_ipv6`]);
        }
        const pair = createPair({ initiator: c, responder: b, outer: 4 });
        const nodes = await Promise.all([WarrenNode.start(c, pair.initiator), WarrenNode.start(b, pair.responder)]);
        expect(nodes[0].process.stdout).toContain('gets no IPv6 addresses and routes: IPv6 is disabled on this host');
        await waitFor('the first ping', () => c.ping(pair.inner.responder[4]));
        await Promise.all(nodes.map((node) => node.stop()));
      });
    });
  });
}
