import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  HOME_NAT,
  type Host,
  type HostProcess,
  SITE_KINDS,
  SiteMesh,
  startPingStream,
  waitUntil,
} from '@warren/netlab';
import { afterAll, beforeAll, expect, it, onTestFailed } from 'vitest';
import { describeLab } from '../support/groups.js';
import { createKeyPair } from '../support/wireguard-keys.js';

const SCRIPT = fileURLToPath(new URL('../../infra/vanilla/warren-follow', import.meta.url));
/** What is promised of a change, from the answer that acknowledged it to the interface of a host that follows. */
const FOLLOWED_MS = 2_000;

interface Node {
  readonly id: string;
  readonly name: string;
  readonly addresses: readonly string[];
  readonly publicKey: string;
}

/** A host with wireguard-go, wg and the script, and nothing of ours besides. */
class Follower {
  private script: HostProcess | undefined;
  private wireguard: HostProcess | undefined;
  log = '';

  private constructor(
    readonly host: Host,
    readonly node: Node,
    private readonly privateKey: string,
    private readonly listenPort: number,
  ) {}

  /** Adds a member whose key is told later, as its owner does it, and gives it a config key. */
  static async join(mesh: SiteMesh, host: Host, name: string, more: object = {}): Promise<Follower> {
    const { privateKey, publicKey } = createKeyPair();
    const made = await rest<Node>(mesh, 'POST', '/nodes', { name, ...more });
    expect(made.publicKey).toBeNull();
    const node = await rest<Node>(mesh, 'PATCH', `/nodes/${made.id}`, { publicKey });
    const { secret } = await rest<{ secret: string }>(mesh, 'POST', `/nodes/${node.id}/config-key`);
    const follower = new Follower(host, node, privateKey, 'role' in more ? 51_820 : 0);
    writeFileSync(join(host.dir, 'key'), `${secret}\n`, { mode: 0o600 });
    const settings = {
      URL: `http://${mesh.control.host.ipv4}:8080/api/v1/nodes/${node.id}/peers.conf`,
      KEY_FILE: join(host.dir, 'key'),
      STATE_DIR: join(host.dir, 'follow'),
    };
    const lines = Object.entries(settings).map(([key, value]) => `${key}=${value}\n`);
    writeFileSync(join(host.dir, 'warren-follow.conf'), lines.join(''));
    await follower.interfaceUp();
    follower.follow();
    return follower;
  }

  /** The interface with its key, its port and its addresses, without a peer. */
  async interfaceUp(): Promise<void> {
    this.wireguard = this.host.spawn('wireguard-go', ['-f', 'wg0'], { env: { LOG_LEVEL: 'error' } });
    await waitUntil('wireguard-go', { timeoutMs: 20_000 }, async () => (await this.wg('show', 'wg0')).code === 0);
    const file = join(this.host.dir, 'private');
    writeFileSync(file, `${this.privateKey}\n`, { mode: 0o600 });
    await this.wg('set', 'wg0', 'listen-port', String(this.listenPort), 'private-key', file, 'fwmark', '0x77');
    const lines = this.node.addresses.map((address) => `address add ${address} dev wg0`);
    await this.host.configure(['link set dev wg0 mtu 1400 up', ...lines]);
  }

  async interfaceDown(): Promise<void> {
    await this.wireguard?.stop();
  }

  follow(): void {
    const onOutput = (text: string): void => {
      this.log += text;
    };
    this.script = this.host.spawn('sh', [SCRIPT, join(this.host.dir, 'warren-follow.conf')], { onOutput });
  }

  async unfollow(): Promise<void> {
    const exit = await this.script?.stop();
    expect(exit).toMatchObject({ code: 0 });
  }

  wg(...args: string[]) {
    return this.host.run('wg', args);
  }

  /** Endpoint and AllowedIPs by public key. */
  async peers(): Promise<Map<string, { endpoint: string; allowedIps: string; handshake: number; received: number }>> {
    const { stdout } = await this.wg('show', 'wg0', 'dump');
    const rows = stdout.trim().split('\n').slice(1);
    return new Map(
      rows.map((row) => {
        const [key, , endpoint, allowedIps, handshake, received] = row.split('\t');
        const counters = { handshake: Number(handshake), received: Number(received) };
        return [key!, { endpoint: endpoint!, allowedIps: allowedIps!, ...counters }];
      }),
    );
  }

  /** Waits for the peers to be as they should. @returns milliseconds that it took. */
  async until(what: string, timeoutMs: number, holds: (peers: Awaited<ReturnType<Follower['peers']>>) => boolean) {
    const start = performance.now();
    await waitUntil(what, { timeoutMs, intervalMs: 20 }, async () => holds(await this.peers()));
    return performance.now() - start;
  }

  async routes(): Promise<string[]> {
    const { stdout } = await this.host.run('ip', ['-4', 'route', 'show', 'dev', 'wg0']);
    return stdout.split('\n').flatMap((line) => line.split(' ')[0] || []);
  }
}

async function rest<T>(mesh: SiteMesh, method: string, path: string, body?: object): Promise<T> {
  const answer = await mesh.control.rest(method, path, body);
  expect(answer.status, answer.body).toBeLessThan(300);
  return (answer.body === '' ? undefined : JSON.parse(answer.body)) as T;
}

describeLab('a host without our agent', ['wireguard-go', 'wg', 'curl'], () => {
  let mesh: SiteMesh;
  let hub: { ipv4: string; publicKey: string };
  let tablet: Follower;
  let server: Follower;

  beforeAll(async () => {
    mesh = await SiteMesh.start({ name: 'follow', control: { args: ['--http', '0.0.0.0:8080'] } });
    const { agent } = await mesh.join({
      name: 'hub',
      at: SITE_KINDS.find(({ name }) => name === 'public')!,
      role: 'bounce',
    });
    const { node } = await agent.status();
    hub = { ipv4: node.addresses[0]!, publicKey: node.publicKey };
    const router = await mesh.world.addRouter({ name: 'tablet-nat', nat: HOME_NAT, lan: '192.168.1.0/24' });
    tablet = await Follower.join(mesh, await mesh.world.addHost({ name: 'tablet', on: router }), 'tablet');
  }, 180_000);
  afterAll(() => mesh?.close(), 60_000);

  const explain = (): void => {
    onTestFailed(() => console.error(tablet?.log, server?.log, mesh.lastWords()));
  };

  it('gets its peers and routes from the control plane, and reaches the network', async () => {
    explain();
    await tablet.until('the hub as a peer', 20_000, (peers) => peers.has(hub.publicKey));
    await waitUntil('the hub to answer', { timeoutMs: 20_000 }, () => tablet.host.ping(hub.ipv4));
    expect(await tablet.routes()).toEqual(['10.44.0.0/16']);
  });

  it('follows an added, a changed and a revoked peer within two seconds, and drops no session for it', async () => {
    explain();
    const settings = async () =>
      Promise.all(
        ['private-key', 'listen-port', 'fwmark'].map(async (what) => (await tablet.wg('show', 'wg0', what)).stdout),
      );
    const own = await settings();
    const before = (await tablet.peers()).get(hub.publicKey)!;
    const pings = startPingStream(tablet.host, hub.ipv4, 200);
    await pings.waitForAnswers(3, 10_000);

    const host = await mesh.world.addHost({ name: 'server' });
    const endpoint = `${host.ipv4}:51820`;
    server = await Follower.join(mesh, host, 'server', { role: 'direct', endpoint });
    const key = server.node.publicKey;
    // Joining says twice that there is one, and starts the interface: from the last of it on it must not take longer.
    expect(await tablet.until('the added peer', FOLLOWED_MS, (peers) => peers.has(key))).toBeLessThan(FOLLOWED_MS);
    await waitUntil('the added peer to answer', { timeoutMs: 20_000 }, () =>
      tablet.host.ping(server.node.addresses[0]!),
    );

    await rest(mesh, 'PATCH', `/nodes/${server.node.id}`, { endpoint: `${host.ipv4}:51999` });
    await tablet.until('the changed endpoint', FOLLOWED_MS, (all) => all.get(key)?.endpoint === `${host.ipv4}:51999`);
    await rest(mesh, 'PATCH', `/nodes/${server.node.id}`, { endpoint, addresses: ['10.44.0.77'] });
    await tablet.until(
      'the changed address',
      FOLLOWED_MS,
      (all) => all.get(key)?.allowedIps.includes('10.44.0.77/32') === true,
    );
    await waitUntil('the route of it', { timeoutMs: 1_000 }, async () =>
      (await tablet.routes()).includes('10.44.0.77'),
    );
    await server.host.configure(['address add 10.44.0.77 dev wg0']);
    await waitUntil('the moved peer to answer', { timeoutMs: 20_000 }, () => tablet.host.ping('10.44.0.77'));

    await rest(mesh, 'POST', `/nodes/${server.node.id}/revoke`);
    await tablet.until('the revoked peer to be gone', FOLLOWED_MS, (all) => !all.has(key));
    await waitUntil(
      'its route to be gone',
      { timeoutMs: 1_000 },
      async () => (await tablet.routes()).join() === '10.44.0.0/16',
    );

    await pings.waitForAnswers(3, 10_000);
    expect((await pings.stop()).lost).toEqual([]);
    expect(await settings()).toEqual(own);
    const after = (await tablet.peers()).get(hub.publicKey)!;
    expect(after.received).toBeGreaterThan(before.received);
    // The same session: it is renewed by time alone.
    expect(after.handshake - before.handshake === 0 || after.handshake - before.handshake > 100).toBe(true);
  }, 120_000);

  it('that was revoked keeps its interface as it is and says why', async () => {
    explain();
    await waitUntil('the reason', { timeoutMs: 20_000 }, async () => /refused.*revoked/.test(server.log));
    expect((await server.peers()).size).toBeGreaterThan(0);
    await server.unfollow();
  });

  it('goes on with the control plane down, also from a start without it, and catches up after', async () => {
    explain();
    mesh.control.process.kill('SIGKILL');
    await mesh.control.process.waitForExit(10_000);
    await waitUntil('the script to notice', { timeoutMs: 20_000 }, async () => /is not reached/.test(tablet.log));
    expect(await tablet.host.ping(hub.ipv4)).toBe(true);

    // As after a reboot: neither peers nor routes are left, and nobody can be asked.
    await tablet.unfollow();
    await tablet.interfaceDown();
    await tablet.interfaceUp();
    expect((await tablet.peers()).size).toBe(0);
    tablet.follow();
    await waitUntil('the hub to answer again', { timeoutMs: 30_000 }, () => tablet.host.ping(hub.ipv4));
    expect(await tablet.routes()).toEqual(['10.44.0.0/16']);

    await mesh.control.restart();
    const { publicKey } = createKeyPair();
    await rest(mesh, 'POST', '/nodes', { name: 'late', role: 'direct', endpoint: '192.0.2.9:51820', publicKey });
    await tablet.until('what changed meanwhile', 60_000, (peers) => peers.has(publicKey));
    await tablet.unfollow();
  }, 240_000);
});
