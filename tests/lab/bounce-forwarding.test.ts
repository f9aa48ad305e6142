import { createWorld, type Host, type World } from '@warren/netlab';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeLab } from '../support/groups.js';
import { LISTEN_PORT, pingStream, transfer } from '../support/pair.js';
import { WarrenNode } from '../support/warren-node.js';
import { createKeyPair } from '../support/wireguard-keys.js';
import type { WireGuardConfig, WireGuardPeer } from '../support/wireguard-node.js';

const MEGABYTES = 32;
const NAMES = ['left', 'bounce', 'right'] as const;
type Name = (typeof NAMES)[number];
const INNER = {
  left: { 4: '10.78.0.1', 6: 'fd78::1' },
  bounce: { 4: '10.78.0.2', 6: 'fd78::2' },
  right: { 4: '10.78.0.3', 6: 'fd78::3' },
} as const;

/** What a bounce reads from its TUN is what it wrote there: super-packets come back as they went in. */
describeLab('a bounce that forwards between two members', [], () => {
  let world: World;
  let hosts: Record<Name, Host>;

  beforeAll(async () => {
    world = await createWorld({ name: 'bounce' });
    const [left, bounce, right] = await Promise.all(NAMES.map((name) => world.addHost({ name })));
    hosts = { left: left!, bounce: bounce!, right: right! };
    // What comes from wg0 and leaves by it would be redirected, which ping takes for an error.
    const settings = ['ip_forward=1', 'conf.all.send_redirects=0', 'conf.default.send_redirects=0'];
    const all = [...settings.map((setting) => `net.ipv4.${setting}`), 'net.ipv6.conf.all.forwarding=1'];
    const { code, stderr } = await hosts.bounce.run('sysctl', ['-qw', ...all]);
    expect(code, stderr).toBe(0);
  });
  afterAll(() => world?.close());

  // The bounce's own path is what is tested; the members run the other one as well.
  for (const [path, members] of [
    ['offload', 'offload'],
    ['offload', 'plain'],
    ['plain', 'offload'],
  ] as const) {
    describe(`packets ${path}, those of the members ${members}`, () => {
      let nodes: WarrenNode[] = [];

      beforeAll(async () => {
        const configs = configsOf(hosts);
        const start = (name: Name): Promise<WarrenNode> =>
          WarrenNode.start(hosts[name], configs[name], {
            env: { WARREN_DATAPLANE: name === 'bounce' ? path : members },
          });
        nodes = await Promise.all(NAMES.map(start));
      });
      afterAll(async () => {
        await Promise.all(nodes.map((node) => node.stop()));
      });

      for (const family of [4, 6] as const) {
        it(`carries pings and ${MEGABYTES} MiB over TCP unchanged, IPv${family} inside`, async () => {
          expect(await hosts.left.ping(INNER.right[family], { count: 20 })).toBe(true);
          expect(await pingStream(hosts.right, INNER.left[family], 5)).toEqual({ sent: 5, received: 5 });
          const result = await transfer(hosts.left, hosts.right, INNER.right[family], MEGABYTES);
          expect(result.received).toEqual(result.sent);
          expect(result.sent.bytes).toBe(MEGABYTES << 20);
        });
      }

      it('runs on the path that was asked for', async () => {
        const stats = await Promise.all(nodes.map((node) => node.stats()));
        expect(stats.map((one) => one.path)).toEqual([members, path, members]);
      });
    });
  }
});

function configsOf(hosts: Record<Name, Host>): Record<Name, WireGuardConfig> {
  const keys = { left: createKeyPair(), bounce: createKeyPair(), right: createKeyPair() };
  const prefixes = (name: Name): string[] => [`${INNER[name][4]}/32`, `${INNER[name][6]}/128`];
  const peer = (name: Name, allowedIps: readonly string[]): WireGuardPeer => ({
    publicKey: keys[name].publicKey,
    allowedIps,
    endpoint: `${hosts[name].ipv4}:${LISTEN_PORT}`,
  });
  const config = (name: Name, peers: readonly WireGuardPeer[]): WireGuardConfig => ({
    interfaceName: 'wg0',
    privateKey: keys[name].privateKey,
    listenPort: LISTEN_PORT,
    mtu: 1420,
    addresses: prefixes(name),
    peers,
  });
  return {
    left: config('left', [peer('bounce', [...prefixes('bounce'), ...prefixes('right')])]),
    bounce: config('bounce', [peer('left', prefixes('left')), peer('right', prefixes('right'))]),
    right: config('right', [peer('bounce', [...prefixes('bounce'), ...prefixes('left')])]),
  };
}
