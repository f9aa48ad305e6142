import { type AgentNode, SITE_KINDS, type Site, type SiteMesh, waitUntil } from '@warren/netlab';
import { expect, it } from 'vitest';
import { describeLab } from '../support/groups.js';
import { Miniupnpd } from './support/miniupnpd.js';
import { useSiteMesh } from './support/site-mesh.js';

/** Asked one after the other, the last protocol gets its turn after four seconds. */
const MAPPED_MS = 20_000;
const DIRECT_MS = 30_000;
const PORT = 51_820;
const STRICT = SITE_KINDS.find(({ name }) => name === 'apd-apd-random')!;

interface Mapping {
  readonly protocol: string;
  readonly external: string;
  readonly doubleNat: boolean;
}

/** The part of the status that the lab's own types do not know. */
const mappingOf = async (agent: AgentNode): Promise<Mapping | null> => {
  const { stdout } = await agent.command(['status', '--json']);
  return (JSON.parse(stdout) as { nat: { portMapping: Mapping | null } }).nat.portMapping;
};

const mapped = (agent: AgentNode): Promise<Mapping> =>
  waitUntil(`${agent.name} to be mapped`, { timeoutMs: MAPPED_MS, intervalMs: 200 }, async () => {
    const mapping = await mappingOf(agent);
    return mapping ?? false;
  });

const untilCount = (router: Miniupnpd, count: number): Promise<unknown> =>
  waitUntil(
    `${count} mappings`,
    { timeoutMs: MAPPED_MS, intervalMs: 100 },
    async () => (await router.mappings()).length === count,
  );

describeLab('port mapping by a real miniupnpd', ['miniupnpd'], () => {
  const setup = { name: 'port-mapping', agentEnv: { WARREN_PORT_PREDICTION: 'off' } };
  const world = useSiteMesh(setup, async (mesh) => ({
    pcp: await placed(mesh, 'pcp', 201),
    'nat-pmp': await placed(mesh, 'nat-pmp', 202),
    upnp: await placed(mesh, 'upnp', 203),
    far: await mesh.join({ name: 'far', at: STRICT, env: { WARREN_PORT_MAPPING: 'off' } }),
  }));

  async function placed(mesh: SiteMesh, protocol: 'pcp' | 'nat-pmp' | 'upnp', number: number) {
    const publicAddress = `11.0.0.${number}`;
    const options = { name: `${protocol}-nat`, nat: STRICT.nats[0]!, lan: '192.168.1.0/24', publicAddress };
    const router = await mesh.world.addRouter(options);
    const daemon = await Miniupnpd.start(mesh.world, router, {
      port: PORT,
      protocol,
      maxLifetimeS: protocol === 'pcp' ? 6 : 7200,
    });
    const site: Site = { kind: STRICT, segment: router, routers: [router] };
    const { agent, host } = await mesh.join({ name: protocol, at: site });
    return { router: daemon, agent, host, publicAddress };
  }

  it.each(['pcp', 'nat-pmp', 'upnp'] as const)('maps the port of the data plane: %s alone', async (protocol) => {
    const { agent, router, publicAddress, host } = world()[protocol];
    expect(await mapped(agent)).toEqual({ protocol, external: `${publicAddress}:${PORT}`, doubleNat: false });
    expect(await router.mappings()).toEqual([expect.stringContaining(`dport ${PORT} dnat ip to ${host.ipv4}:${PORT}`)]);
  });

  it('renews a mapping before it ends', async () => {
    const { router, agent } = world().pcp;
    await mapped(agent);
    // Of six seconds: what is there after twice as long was renewed.
    const renewals = (): number => router.said.split('PCP MAP').length;
    const before = renewals();
    await waitUntil('renewals', { timeoutMs: 30_000, intervalMs: 200 }, () => renewals() >= before + 4);
    expect(await router.mappings()).toHaveLength(1);
    expect(await mappingOf(agent)).not.toBeNull();
  }, 60_000);

  it('asks again after the router has lost power', async () => {
    const { router, agent } = world().pcp;
    await mapped(agent);
    await router.kill();
    expect(await router.mappings()).toEqual([]);
    await router.start();
    await untilCount(router, 1);
    expect((await mapped(agent)).protocol).toBe('pcp');
  }, 60_000);

  it.each(['pcp', 'nat-pmp', 'upnp'] as const)(
    'leads a peer straight to it where punching could not: %s',
    async (protocol) => {
      const { agent, publicAddress } = world()[protocol];
      const { far } = world();
      await mapped(agent);
      const found = waitUntil('a direct path', { timeoutMs: DIRECT_MS, intervalMs: 300 }, async () => {
        await far.host.ping(agent.ipv4);
        const path = (await far.agent.status()).peers.find(({ name }) => name === agent.name)?.path;
        return path?.kind === 'direct' && path;
      });
      expect((await found).endpoint).toBe(`${publicAddress}:${PORT}`);
    },
    DIRECT_MS + 20_000,
  );

  it('is what `agent ping` and `agent explain` tell of that path', async () => {
    const { far } = world();
    const { agent, publicAddress } = world().pcp;
    const direct = `direct ${publicAddress}:${PORT}`;
    await far.agent.waitForPath('pcp', { what: 'direct', timeoutMs: DIRECT_MS }, ({ kind }) => kind === 'direct');
    const text = (await far.agent.command(['ping', 'pcp', '-c', '2'])).stdout;
    expect(text).toMatch(new RegExp(`^from pcp \\(${agent.ipv4}\\): seq=2 time=[\\d.]+ ms ${direct}$`, 'm'));
    const { replies } = JSON.parse((await far.agent.command(['ping', 'pcp', '-c', '2', '--json'])).stdout) as {
      replies: { path: { kind: string } }[];
    };
    expect(replies.map(({ path }) => path.kind)).toEqual(['direct', 'direct']);
    const explained = (await far.agent.command(['explain', 'pcp'])).stdout;
    expect(explained).toContain('its port-mapped address answers');
    expect(explained).toMatch(new RegExp(`^\\* +port-mapped +${publicAddress}:${PORT} +answers`, 'm'));
  }, 60_000);

  it.each(['pcp', 'nat-pmp', 'upnp'] as const)('gives it back at the end: %s', async (protocol) => {
    const { agent, router } = world()[protocol];
    await mapped(agent);
    await agent.process.stop();
    await untilCount(router, 0);
  });

  it('is left alone where the environment says so', async () => {
    const { agent } = world().far;
    expect(await mappingOf(agent)).toBeNull();
  });
});
