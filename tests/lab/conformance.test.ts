import { readFileSync } from 'node:fs';
import { formatHostPort } from '@warren/base';
import { createWorld, type Host, type World } from '@warren/netlab';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { describeLab } from '../support/groups.js';
import { countPackets, dropPathMtuMessages, markCongestion, narrowPathTo } from '../support/packet-probe.js';
import { createPair, LISTEN_PORT, type PairOptions, pingStream, transfer } from '../support/pair.js';
import { WarrenNode } from '../support/warren-node.js';
import { agentWgProgram, WireGuardGoNode } from '../support/wireguard-go-node.js';
import { createKeyPair } from '../support/wireguard-keys.js';

/** Resident memory of `agent wg` with a thousand peers; an idle one without peers takes about 70 MB. */
const MAX_RSS_MB = 120;
const PATIENT = { count: 40, intervalMs: 250 };

for (const packets of ['plain', 'offload'] as const) describePackets(packets);

function describePackets(packets: 'plain' | 'offload'): void {
  describeLab(`outer packets of our data plane, packets ${packets}`, [], () => {
    let world: World;
    let a: Host;
    let b: Host;
    beforeAll(async () => {
      world = await createWorld({ name: `conformance-${packets}` });
      a = await world.addHost({ name: 'a' });
      b = await world.addHost({ name: 'b' });
    });
    afterEach(() => Promise.all([a.stopProcesses(5_000), b.stopProcesses(5_000)]));
    afterAll(() => world?.close());

    const start = async (outer: 4 | 6, options: Partial<PairOptions> = {}) => {
      const pair = createPair({ initiator: a, responder: b, outer, ...options });
      const env = { WARREN_DATAPLANE: packets };
      const responder = await WarrenNode.start(options.responder ?? b, pair.responder, { env });
      const initiator = await WarrenNode.start(options.initiator ?? a, pair.initiator, { env });
      expect((await initiator.stats()).path).toBe(packets);
      return { ...pair, nodes: { initiator, responder } };
    };

    for (const outer of [4, 6] as const) {
      const ip = outer === 4 ? 'ip' : 'ip6';
      const tunnel = `udp dport ${LISTEN_PORT} ${ip}`;

      it(`have DSCP 0 and the ECN of the packet inside, IPv${outer}`, async () => {
        const { inner } = await start(outer);
        expect(await a.ping(inner.responder[4], PATIENT)).toBe(true);
        const counts = await countPackets(b, 'input', {
          dscp: `${tunnel} dscp != 0`,
          unfragmentable: outer === 4 ? `${tunnel} frag-off & 0x4000 != 0` : `${tunnel} version 4`,
          ect0: `${tunnel} ecn ect0`,
          ect1: `${tunnel} ecn ect1`,
          inner4: 'iifname "wg0" ip dscp ef ip ecn ect0',
          inner6: 'iifname "wg0" ip6 dscp ef ip6 ecn ect1',
        });
        // DSCP EF (46), then ECT(0) over IPv4 and ECT(1) over IPv6 inside.
        await a.run('ping', ['-n', '-q', '-c', '3', '-i', '0.05', '-Q', '0xba', inner.responder[4]]);
        await a.run('ping', ['-n', '-q', '-c', '2', '-i', '0.05', '-Q', '0xb9', inner.responder[6]]);
        expect(await counts()).toEqual({ dscp: 0, unfragmentable: 0, ect0: 3, ect1: 2, inner4: 3, inner6: 2 });
      });

      it(`bring congestion on the way to the packet inside, and to none that takes no part, IPv${outer}`, async () => {
        const { inner } = await start(outer);
        expect(await a.ping(inner.responder[4], PATIENT)).toBe(true);
        await markCongestion(world, 1);
        const counts = await countPackets(b, 'input', {
          outer: `${tunnel} ecn ce`,
          inner4: 'iifname "wg0" ip dscp ef ip ecn ce',
          inner6: 'iifname "wg0" ip6 dscp ef ip6 ecn ce',
          without: 'iifname "wg0" ip dscp ef ip ecn not-ect',
        });
        const ping = async (trafficClass: string, address: string) => {
          const result = await a.run('ping', [
            '-n',
            '-q',
            '-c',
            '2',
            '-i',
            '0.05',
            '-W',
            '2',
            '-Q',
            trafficClass,
            address,
          ]);
          // Answers come only to what has a right checksum.
          expect(result.stdout).toContain('2 received');
        };
        await ping('0xba', inner.responder[4]);
        await ping('0xba', inner.responder[6]);
        await ping('0xb8', inner.responder[4]);
        expect(await counts()).toEqual({ outer: 4, inner4: 2, inner6: 2, without: 2 });

        // TCP in batches: some packets of one batch are marked, and others are not.
        await markCongestion(world, 7);
        for (const host of [a, b]) await host.run('sysctl', ['-q', '-w', 'net.ipv4.tcp_ecn=1']);
        const marked = await countPackets(b, 'input', { ce: 'iifname "wg0" meta l4proto tcp ip ecn ce' });
        const result = await transfer(a, b, inner.responder[4], 2);
        expect(result.received).toEqual(result.sent);
        expect((await marked()).ce).toBeGreaterThan(0);
        await markCongestion(world, 1_000_000_000);
      });

      it(`are dropped when too long or too short, whoever sends them, and nothing ends, IPv${outer}`, async () => {
        const { inner, nodes } = await start(outer);
        expect(await a.ping(inner.responder[4], PATIENT)).toBe(true);
        const target = outer === 4 ? b.ipv4 : b.ipv6!;
        const script = `
          const socket = require('dgram').createSocket('udp${outer}');
          const lengths = [0, 1, 3, 4, 16, 31, 32, 63, 65, 91, 93, 147, 149, 1419, 1500, 9000, 65507];
          const datagrams = [1, 2, 3, 4, 5, 255].flatMap((type) => lengths.map((length) => {
            const bytes = Buffer.alloc(length, 0xaa);
            bytes.set([type, 0, 0, 0].slice(0, length));
            return bytes;
          }));
          (async () => {
            for (const bytes of datagrams) await new Promise((done) => socket.send(bytes, ${LISTEN_PORT}, '${target}', done));
            console.log('sent ' + datagrams.length);
            socket.close();
          })();`;
        const before = (await nodes.responder.stats()).drops;
        const { stdout } = await a.run(process.execPath, ['-e', script]);
        const sent = Number(/^sent (\d+)$/m.exec(stdout)![1]);
        expect(await a.ping(inner.responder[6], PATIENT)).toBe(true);
        const { drops } = await nodes.responder.stats();
        const count = (all: Readonly<Record<string, number>>) => Object.values(all).reduce((sum, n) => sum + n, 0);
        expect(count(drops) - count(before)).toBeLessThanOrEqual(sent);
        // A busy machine may lose fragments.
        expect(count(drops) - count(before)).toBeGreaterThan(0.8 * sent);
        expect(Object.keys(drops)).toEqual(expect.arrayContaining(['wrong-message-length', 'unknown-message-type']));
      });
    }

    it('carry what is longer than the tunnel: in fragments, or refused where it may not be one', async () => {
      const { inner } = await start(4);
      expect(await a.ping(inner.responder[4], PATIENT)).toBe(true);
      for (const family of [4, 6] as const) {
        const long = await a.run('ping', ['-n', '-c', '1', '-W', '2', '-s', '9000', inner.responder[family]]);
        expect(long.stdout).toContain('1 received');
      }
      const refused = await a.run('ping', ['-n', '-c', '1', '-W', '1', '-M', 'do', '-s', '1393', inner.responder[4]]);
      expect(refused.stdout + refused.stderr).toMatch(/message too long/i);
    });

    for (const { outer, silent } of [
      { outer: 4, silent: false },
      { outer: 4, silent: true },
      { outer: 6, silent: false },
    ] as const) {
      const messages = silent ? 'without' : 'with';
      it(`cross a path of 1280 bytes ${messages} ICMP, IPv${outer}`, async () => {
        const number = 1 + outer + Number(silent);
        const hosts = await Promise.all(['left', 'right'].map((side) => world.addHost({ name: `${side}-${number}` })));
        const [initiator, responder] = hosts as [Host, Host];
        for (const host of hosts) {
          await narrowPathTo(world, host, 1280);
          if (silent) await dropPathMtuMessages(host);
        }
        const { inner } = await start(outer, { initiator, responder, number });
        expect(await initiator.ping(inner.responder[4], PATIENT)).toBe(true);
        for (const family of [4, 6] as const) {
          const there = await transfer(initiator, responder, inner.responder[family], 1);
          expect(there.received).toEqual(there.sent);
          const back = await transfer(responder, initiator, inner.initiator[family], 1);
          expect(back.received).toEqual(back.sent);
        }
        await Promise.all(hosts.map((host) => host.stopProcesses(5_000)));
      });
    }
  });
}

describeLab('one host with our data plane', ['wg'], () => {
  let world: World;
  let a: Host;
  let b: Host;
  beforeAll(async () => {
    world = await createWorld({ name: 'conformance-host' });
    a = await world.addHost({ name: 'a' });
    b = await world.addHost({ name: 'b' });
  });
  afterEach(() => Promise.all([a.stopProcesses(5_000), b.stopProcesses(5_000)]));
  afterAll(() => world?.close());

  it('changes between IPv4 and IPv6 endpoints of one peer without a new session', async () => {
    const pair = createPair({ initiator: a, responder: b, outer: 4 });
    const [here, there] = await Promise.all([
      WireGuardGoNode.start(a, pair.initiator, agentWgProgram('offload')),
      WireGuardGoNode.start(b, pair.responder, agentWgProgram('plain')),
    ]);
    expect(await a.ping(pair.inner.responder[4], PATIENT)).toBe(true);
    const handshake = await here.lastHandshake();
    for (const [from, to] of [
      [a.ipv6!, b.ipv6!],
      [a.ipv4, b.ipv4],
    ] as const) {
      await here.set('peer', pair.keys.responder.publicKey, 'endpoint', formatHostPort(to, LISTEN_PORT));
      expect(await pingStream(a, pair.inner.responder[4], 3, 50)).toEqual({ sent: 3, received: 3 });
      expect(await pingStream(b, pair.inner.initiator[6], 3, 50)).toEqual({ sent: 3, received: 3 });
      expect(await there.endpoint()).toBe(formatHostPort(from, LISTEN_PORT));
    }
    expect(await here.lastHandshake()).toBe(handshake);
  });

  it('has several interfaces, each with its own port and peers', async () => {
    const pairs = [1, 2, 3].map((number) => {
      const pair = createPair({ initiator: a, responder: b, outer: number === 2 ? 6 : 4, number });
      const own = { interfaceName: `wg${number}`, listenPort: LISTEN_PORT + number };
      const [peer] = pair.initiator.peers;
      const endpoint = peer!.endpoint!.replace(`:${LISTEN_PORT}`, `:${own.listenPort}`);
      const initiator = { ...pair.initiator, ...own, peers: [{ ...peer!, endpoint }] };
      return { inner: pair.inner, initiator, responder: { ...pair.responder, ...own } };
    });
    await Promise.all(
      pairs.flatMap(({ initiator, responder }, i) => [
        WireGuardGoNode.start(a, initiator, agentWgProgram(i === 0 ? 'plain' : 'offload')),
        WireGuardGoNode.start(b, responder, agentWgProgram(i === 1 ? 'plain' : 'offload')),
      ]),
    );
    for (const { inner } of pairs) expect(await a.ping(inner.responder[4], PATIENT)).toBe(true);
    const streams = pairs.map(({ inner }) => pingStream(b, inner.initiator[6], 10, 50));
    for (const result of await Promise.all(streams)) expect(result).toEqual({ sent: 10, received: 10 });
    const { stdout } = await a.run('wg', ['show', 'interfaces']);
    expect(stdout.trim().split(' ').sort()).toEqual(['wg1', 'wg2', 'wg3']);
  });

  it('marks what goes out with the fwmark, so that routing can tell it', async () => {
    const pair = createPair({ initiator: a, responder: b, outer: 4 });
    const [here] = await Promise.all([
      WireGuardGoNode.start(a, pair.initiator, agentWgProgram('offload')),
      WireGuardGoNode.start(b, pair.responder, agentWgProgram('offload')),
    ]);
    // What has no mark finds no way to the peer.
    const rules = ['rule add fwmark 0x2a lookup 100 priority 10', `route add blackhole ${b.ipv4}/32`];
    await a.configure([...rules, 'route add default via 169.254.1.1 dev eth0 onlink table 100']);
    const counts = await countPackets(a, 'output', {
      marked: `udp dport ${LISTEN_PORT} meta mark 0x2a`,
      other: `udp dport ${LISTEN_PORT} meta mark != 0x2a`,
    });
    try {
      expect(await a.ping(pair.inner.responder[4])).toBe(false);
      await here.set('fwmark', '0x2a');
      expect(await a.ping(pair.inner.responder[4], PATIENT)).toBe(true);
      expect(await pingStream(a, pair.inner.responder[6], 3, 50)).toEqual({ sent: 3, received: 3 });
      const { marked, other } = await counts();
      expect(other).toBe(0);
      expect(marked).toBeGreaterThan(4);
    } finally {
      await a.configure(['rule delete fwmark 0x2a', `route delete blackhole ${b.ipv4}/32`]);
    }
  });

  describe('with a thousand peers on one interface', () => {
    it('takes them in one setconf, reaches those that are there, and stays small', async () => {
      const hub = createKeyPair();
      const peers = Array.from({ length: 1_000 }, (_, i) => ({
        ...createKeyPair(),
        addresses: [`10.200.${i >> 8}.${i & 255}/32`, `fd20::${(i + 1).toString(16)}/128`],
      }));
      const present = [0, 333, 666, 999];
      const mtu = 1420;
      const hubNode = await WireGuardGoNode.start(
        a,
        {
          interfaceName: 'wg0',
          privateKey: hub.privateKey,
          listenPort: LISTEN_PORT,
          mtu,
          addresses: ['10.201.0.1/32', 'fd21::1/128'],
          peers: peers.map(({ publicKey, addresses }) => ({ publicKey, allowedIps: addresses })),
        },
        agentWgProgram('offload'),
      );
      const rss = () => Math.round(Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(statusFile(), 'utf8'))![1]) / 1_024);
      const statusFile = () => `/proc/${hubNode.process.pid}/status`;
      const configured = rss();
      await Promise.all(
        present.map((i, number) =>
          WireGuardGoNode.start(b, {
            interfaceName: `spoke${number}`,
            privateKey: peers[i]!.privateKey,
            listenPort: LISTEN_PORT + number,
            mtu,
            addresses: peers[i]!.addresses,
            peers: [
              {
                publicKey: hub.publicKey,
                allowedIps: number === 0 ? ['10.201.0.1/32', 'fd21::1/128'] : [`10.202.0.${number}/32`],
                endpoint: `${a.ipv4}:${LISTEN_PORT}`,
                persistentKeepalive: 25,
              },
            ],
          }),
        ),
      );
      const shown = async () => (await a.run('wg', ['show', 'wg0', 'latest-handshakes'])).stdout.trim().split('\n');
      await expect
        .poll(async () => (await shown()).filter((line) => !line.endsWith('\t0')).length, { timeout: 20_000 })
        .toBe(4);
      expect(await shown()).toHaveLength(1_000);
      const first = peers[present[0]!]!.addresses.map((address) => address.replace(/\/\d+$/, ''));
      for (const address of first) expect(await pingStream(a, address, 3, 50)).toEqual({ sent: 3, received: 3 });
      const result = await transfer(a, b, first[0]!, 8);
      expect(result.received).toEqual(result.sent);
      console.log(`1,000 peers: ${configured} MB resident when configured, ${rss()} MB after traffic`);
      expect(rss()).toBeLessThan(MAX_RSS_MB);
    });
  });
});
