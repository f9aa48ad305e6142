import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ClassicMesh, HOME_NAT, type Host, waitUntil } from '@warren/netlab';
import { expect, it } from 'vitest';
import { describeLab } from '../support/groups.js';
import { createKeyPair } from '../support/wireguard-keys.js';
import { useClassicMesh } from './support/classic-mesh.js';

const { privateKey, publicKey } = createKeyPair();
const NAME = 'tablet';
/** REKEY_AFTER_TIME is 120 s (WireGuard paper §6.1): by then a session in use has been replaced. */
const REKEY_MS = 150_000;

interface VanillaNode {
  readonly id: string;
  readonly addresses: readonly string[];
}

describeLab('a vanilla member', ['wireguard-go', 'wg', 'wg-quick'], () => {
  const mesh = useClassicMesh();
  let host: Host;
  let node: VanillaNode;

  it('is made over REST with a public key alone', async () => {
    const { control } = mesh();
    const made = await control.rest('POST', '/nodes', { network: 'default', name: NAME, publicKey, role: 'client' });
    expect(made.status).toBe(201);
    expect(made.body).not.toContain(privateKey);
    node = JSON.parse(made.body) as VanillaNode;
    expect(node.addresses[0]).toBe('10.44.0.6');
  });

  it('comes up from its wg0.conf with wg-quick, behind a NAT', async () => {
    const { site, control } = mesh();
    const router = await site.world.addRouter({ name: 'tablet-nat', nat: HOME_NAT, lan: '192.168.1.0/24' });
    host = await site.world.addHost({ name: NAME, on: router });
    const conf = await control.rest('GET', `/nodes/${node.id}/wg0.conf`);
    expect(conf.status).toBe(200);
    expect(conf.headers['content-type']).toMatch(/^text\/plain/);
    expect(conf.body).toMatch(/^AllowedIPs = .*10\.44\.0\.0\/16/m);
    const file = join(host.dir, 'wg0.conf');
    writeFileSync(file, withPrivateKey(conf.body), { mode: 0o600 });
    // The kernel has no WireGuard here, and where it has, Debian's program is what this test is about.
    const env = {
      WG_QUICK_USERSPACE_IMPLEMENTATION: 'wireguard-go',
      WG_I_PREFER_BUGGY_USERSPACE_TO_POLISHED_KMOD: '1',
    };
    const up = await host.run('wg-quick', ['up', file], { env });
    expect(up.code, up.stderr).toBe(0);
  });

  it('reaches every node, and is reached by every node, over IPv4 and IPv6', async () => {
    const { all } = mesh();
    for (const agent of all) {
      for (const [there, back] of [
        [agent.ipv4, node.addresses[0]!],
        [agent.ipv6, node.addresses[1]!],
      ] as const) {
        await waitUntil(`${NAME} to reach ${agent.name}`, { timeoutMs: 15_000 }, () => host.ping(there));
        await waitUntil(`${agent.name} to reach ${NAME}`, { timeoutMs: 15_000 }, () => agent.host.ping(back));
      }
    }
  });

  it('is handshaken with by our agents too, when they begin', async () => {
    const { agents } = mesh();
    await forgetSessions(host);
    expect(await latestHandshake(host, mesh())).toBe(0);
    // From now on the member sends nothing by itself: whatever comes of this began at the bounce.
    await waitUntil('the bounce to begin a handshake', { timeoutMs: 40_000 }, () =>
      agents['public-server1'].host.ping(node.addresses[0]!),
    );
    expect(await latestHandshake(host, mesh())).toBeGreaterThan(0);
  });

  it(
    'goes on across a rekey',
    async () => {
      const { agents } = mesh();
      const first = await latestHandshake(host, mesh());
      const next = await waitUntil('a later handshake', { timeoutMs: REKEY_MS, intervalMs: 1_000 }, async () => {
        expect(await agents['public-server1'].host.ping(node.addresses[0]!, { timeoutMs: 3_000 })).toBe(true);
        const latest = await latestHandshake(host, mesh());
        return latest > first && latest;
      });
      expect(next - first).toBeGreaterThan(100);
    },
    REKEY_MS + 30_000,
  );

  it('is cut off by a revocation like any other', async () => {
    const { agents, control } = mesh();
    await control.warrenOutput(['node', 'revoke', NAME]);
    await waitUntil('the revoked member to be unreachable', { timeoutMs: 5_000 }, async () => {
      const pings = [agents['public-server1'], agents['public-server2'], agents.laptop].map(({ host: other }) =>
        other.ping(node.addresses[0]!, { timeoutMs: 500 }),
      );
      return (await Promise.all(pings)).every((answered) => !answered);
    });
    expect(await host.ping(agents.phone.ipv4)).toBe(false);
  });
});

/** Fills in the key as its owner does: the file comes with a placeholder. */
function withPrivateKey(conf: string): string {
  expect(conf).toMatch(/^PrivateKey = /m);
  return conf.replace(/^PrivateKey = .*$/m, `PrivateKey = ${privateKey}`);
}

/** Takes the peers away and puts them back without keepalive, so that there is neither session nor reason for one. */
async function forgetSessions(host: Host): Promise<void> {
  const { stdout } = await host.run('wg', ['showconf', 'wg0']);
  const peers = stdout.slice(stdout.indexOf('[Peer]')).replaceAll(/^PersistentKeepalive = .*$/gm, '');
  const keys = [...peers.matchAll(/^PublicKey = (.*)$/gm)].map(([, key]) => key!);
  expect(keys.length).toBeGreaterThan(0);
  const removals = keys.flatMap((key) => ['peer', key, 'remove']);
  expect(await host.run('wg', ['set', 'wg0', ...removals])).toMatchObject({ code: 0, stderr: '' });
  const file = join(host.dir, 'peers.conf');
  writeFileSync(file, peers);
  expect(await host.run('wg', ['addconf', 'wg0', file])).toMatchObject({ code: 0, stderr: '' });
}

/** Seconds since 1970 of the vanilla member's last handshake with the bounce. */
async function latestHandshake(host: Host, { agents }: ClassicMesh): Promise<number> {
  const { node } = await agents['public-server1'].status();
  const { stdout } = await host.run('wg', ['show', 'wg0', 'latest-handshakes']);
  const line = stdout.split('\n').find((text) => text.startsWith(node.publicKey));
  return Number(line?.split('\t')[1] ?? 0);
}
