import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AgentNode, MOBILE_SITE, SITE_KINDS, startPingStream, waitUntil } from '@warren/netlab';
import { expect, it } from 'vitest';
import { describeLab } from '../support/groups.js';
import { SOAK } from './support/classic-mesh.js';
import { type PacketStreams, startPacketStreams } from './support/packet-streams.js';
import { useSiteMesh } from './support/site-mesh.js';
import { VanillaMember } from './support/vanilla-member.js';

const HOME = SITE_KINDS.find(({ name }) => name === 'ei-apd')!;
const PUBLIC = SITE_KINDS.find(({ name }) => name === 'public')!;
const PATH_MS = 30_000;
/** A thousand packets a second. */
const EVERY_MS = 1;
/** Before a change and again after it; sessions are renewed every two minutes, which the soak waits for. */
const AROUND = SOAK ? 150_000 : 1_500;
const OVER_MS = 20_000;

describeLab('a WireGuard key that changes under a stream', [], () => {
  const world = useSiteMesh({ name: 'key-rotation' }, async (mesh) => {
    const [server, home, mobile] = await mesh.joinAll([
      { name: 'server', at: PUBLIC, role: 'direct' },
      { name: 'home', at: HOME },
      { name: 'mobile', at: MOBILE_SITE },
    ]);
    const agents = { server: server!.agent, home: home!.agent, mobile: mobile!.agent };
    // What the kernel drops because this machine is busy says nothing of keys.
    for (const { host } of Object.values(agents)) await host.run('ip', ['link', 'set', 'wg0', 'txqueuelen', '10000']);
    await agents.home.host.ping(agents.server.ipv4, { count: 3 });
    await agents.home.waitForPath('server', { what: 'direct', timeoutMs: PATH_MS }, ({ kind }) => kind === 'direct');
    await agents.home.host.ping(agents.mobile.ipv4, { count: 3 });
    await agents.home.waitForPath('mobile', { what: 'relayed', timeoutMs: PATH_MS }, ({ kind }) => kind === 'relay');
    return agents;
  });

  const keyOf = async (agent: AgentNode): Promise<string> => (await agent.look()).node.publicKey;
  const shown = async (agent: AgentNode): Promise<string> => (await agent.host.run('wg', ['show', 'wg0'])).stdout;

  /** The node has one key again, for itself and for the control plane. */
  const isOver = (agent: AgentNode) =>
    waitUntil('the key before to be given up', { timeoutMs: OVER_MS }, async () => {
      const node = JSON.parse(await world().mesh.control.warrenOutput(['node', 'show', agent.name, '--json']));
      return node.overlapUntil === null && node.publicKey === (await keyOf(agent));
    });

  const rotate = async (agent: AgentNode, ...args: string[]) => {
    const { code, stdout, stderr } = await agent.command(['rotate-key', '--json', ...args]);
    expect(code, stderr).toBe(0);
    return JSON.parse(stdout) as { publicKey: string; previousPublicKey: string; generation: number };
  };

  /** Streams to both others of `home`, straight and by the relay, around what `act` does. */
  async function losesNothing(
    act: () => Promise<void>,
    peers: readonly ('server' | 'mobile')[] = ['server', 'mobile'],
  ): Promise<void> {
    const { home, ...others } = world();
    const streams: PacketStreams[] = [];
    for (const peer of peers) streams.push(await startPacketStreams(home, others[peer], EVERY_MS));
    const more = () => Promise.all(streams.map((stream) => stream.waitForPackets(AROUND, AROUND * 5)));
    await more();
    await act();
    await more();
    const results = (await Promise.all(streams.map((stream) => stream.stop()))).flat();
    for (const { title, sent } of results) {
      console.log(`${title}: ${sent} packets`);
      expect(sent).toBeGreaterThanOrEqual(2 * AROUND);
    }
    expect(results.filter(({ lost, duplicated }) => lost.length + duplicated.length > 0)).toEqual([]);
  }

  it('by its agent: nobody loses a packet, and all know it by the new one', async () => {
    const { home, server, mobile } = world();
    const before = await keyOf(home);
    await losesNothing(async () => {
      const rotated = await rotate(home);
      expect(rotated).toMatchObject({ previousPublicKey: before, publicKey: await keyOf(home), generation: 2 });
      await isOver(home);
    });
    const after = await keyOf(home);
    for (const peer of [server, mobile]) {
      expect(await shown(peer)).toContain(after);
      expect(await shown(peer)).not.toContain(before);
    }
    expect(await shown(home)).toContain(after);
  });

  it('by an operator, at the other end', async () => {
    const { server, mesh } = world();
    const before = await keyOf(server);
    await losesNothing(async () => {
      await mesh.control.warrenOutput(['node', 'rotate-key', 'server']);
      await waitUntil('another key', { timeoutMs: OVER_MS }, async () => (await keyOf(server)) !== before);
      await isOver(server);
    });
  });

  it('twice in a row, at both ends at once', async () => {
    const { home, server } = world();
    await losesNothing(async () => {
      await Promise.all([rotate(home), rotate(server)]);
      await Promise.all([rotate(home), rotate(server)]);
      await Promise.all([isOver(home), isOver(server)]);
    });
  });

  it('while a peer is away, which comes back later', async () => {
    const { home, mobile } = world();
    await mobile.command(['down']);
    await losesNothing(async () => {
      await rotate(home);
    }, ['server']);
    const after = await keyOf(home);
    await mobile.up();
    await waitUntil('mobile to reach home', { timeoutMs: PATH_MS }, () => mobile.host.ping(home.ipv4));
    expect(await shown(mobile)).toContain(after);
    await losesNothing(async () => {
      await rotate(mobile);
    });
  });

  it('that is in wrong hands is known by nobody at once', async () => {
    const { home, server, mobile } = world();
    const before = await keyOf(home);
    const { publicKey: after } = await rotate(home, '--compromised');
    await waitUntil('the peers to know', { timeoutMs: 5_000 }, async () => {
      const all = await Promise.all([shown(server), shown(mobile)]);
      return all.every((text) => text.includes(after) && !text.includes(before));
    });
    await waitUntil('home to reach all', { timeoutMs: PATH_MS }, async () =>
      (await Promise.all([home.host.ping(server.ipv4), home.host.ping(mobile.ipv4)])).every(Boolean),
    );
    await losesNothing(async () => undefined);
  });
});

describeLab(
  'a bounce whose WireGuard key changes, seen from a vanilla member',
  ['wireguard-go', 'wg', 'wg-quick'],
  () => {
    const world = useSiteMesh({ name: 'key-rotation-vanilla' }, async (mesh) => {
      const bounce = await mesh.join({ name: 'bounce', at: PUBLIC, role: 'bounce' });
      const phone = await VanillaMember.join(mesh.control, await mesh.addHost('phone'), 'phone');
      await waitUntil('the phone to reach the bounce', { timeoutMs: PATH_MS }, () =>
        phone.host.ping(bounce.agent.ipv4),
      );
      return { bounce: bounce.agent, phone };
    });

    it('goes on under the old key for a while, also with a new handshake, and then under the new one of its file', async () => {
      const { bounce, phone, mesh } = world();
      const conf = join(phone.host.dir, 'before.conf');
      writeFileSync(conf, (await phone.host.run('wg', ['showconf', 'wg0'])).stdout, { mode: 0o600 });
      const stream = startPingStream(phone.host, bounce.ipv4, 10);
      await stream.waitForAnswers(50, PATH_MS);
      const { stdout } = await bounce.command(['rotate-key', '--json']);
      const { publicKey: after, previousPublicKey: before } = JSON.parse(stdout) as Record<string, string>;
      await stream.waitForAnswers(100, PATH_MS);
      expect((await stream.stop()).lost).toEqual([]);

      // As after a reboot of the phone: it has no session, and knows the old key alone.
      expect(await phone.host.run('wg', ['setconf', 'wg0', conf])).toMatchObject({ code: 0 });
      await waitUntil('an answer under the old key', { timeoutMs: PATH_MS }, () => phone.host.ping(bounce.ipv4));
      expect((await phone.host.run('wg', ['show', 'wg0', 'peers'])).stdout.trim()).toBe(before);
      const node = JSON.parse(await mesh.control.warrenOutput(['node', 'show', 'bounce', '--json']));
      expect(node.overlapUntil).not.toBeNull();

      await phone.takeOverFile();
      expect((await phone.host.run('wg', ['show', 'wg0', 'peers'])).stdout.trim()).toBe(after);
      await waitUntil('an answer under the new key', { timeoutMs: PATH_MS }, () => phone.host.ping(bounce.ipv4));
      expect(await bounce.host.ping(phone.ipv4)).toBe(true);
    });
  },
);
