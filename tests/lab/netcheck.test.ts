import { AgentNode, ControlPlane, createWorld, type Host, meshProgram, type World, waitUntil } from '@warren/netlab';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeLab } from '../support/groups.js';
import { addNineHosts, NINE_NATS } from './support/nat-discovery.js';

/** The part of `agent netcheck --json` that is looked at. */
interface Netcheck {
  readonly servers: readonly {
    readonly home: boolean | null;
    readonly udp: { readonly ipv4Ms?: number | null };
    readonly tls: readonly { readonly rttMs: number | null; readonly failure: string | null }[];
  }[];
  readonly directPaths: { readonly reach: string; readonly meaning: readonly string[] };
}

/** A netcheck takes some five seconds, and joining as much on a busy machine. */
const CEILING_MS = 60_000;

// Two signal servers of one address each, as every network with a bounce has: the control plane's and the bounce's.
describeLab('agent netcheck', [], () => {
  let world: World;
  let control: ControlPlane;
  let token: string;
  let inside: Host[];
  let running: AgentNode;

  beforeAll(async () => {
    world = await createWorld({ name: 'netcheck' });
    control = await ControlPlane.start(await world.addHost({ name: 'control' }));
    token = await control.createToken(['--uses', '1000']);
    const bounce = await world.addHost({ name: 'bounce' });
    await AgentNode.join(bounce, { name: 'bounce', token, role: 'bounce' });
    inside = await addNineHosts(world);
    running = await AgentNode.join(inside[2]!, { name: 'host2', token });
    await waitUntil('both signal servers to be known', { timeoutMs: CEILING_MS }, async () => {
      return (await netcheck(running.host)).servers.length === 2;
    });
  });
  afterAll(() => world?.close());

  async function agent(host: Host, ...args: string[]): Promise<string> {
    const line = [...args, '--state-dir', host.stateDir];
    const { code, stdout, stderr } = await host.run(meshProgram('agent'), line, { timeoutMs: CEILING_MS });
    expect([code, code === 0 ? '' : stderr]).toEqual([0, '']);
    return stdout;
  }

  const netcheck = async (host: Host): Promise<Netcheck> =>
    JSON.parse(await agent(host, 'netcheck', '--json')) as Netcheck;

  const join = (host: Host, name: string): Promise<string> =>
    agent(host, 'join', '--token', token, '--name', name, '--listen-port', '0', '--no-start');

  it.concurrent.each(NINE_NATS.map((nat, index) => ({ ...nat, index })))(
    'without a daemon finds mapping $mapping and filtering $filtering',
    async ({ index, ...nat }) => {
      const host = inside[index]!;
      if (host !== running.host) await join(host, `host${index}`);
      const found = await netcheck(host);
      expect(found).toMatchObject({ ...nat, udp: true, udpBlocked: false, hairpinning: false });
      expect(found.servers.map(({ udp }) => typeof udp.ipv4Ms)).toEqual(['number', 'number']);
      const [tls] = found.servers.flatMap((server) => server.tls);
      expect(tls).toMatchObject({ rttMs: expect.any(Number), failure: null });
    },
    2 * CEILING_MS,
  );

  it('says the same as the running daemon, and which server is home', async () => {
    const status = await running.waitForStatus('aware of its NAT', CEILING_MS, ({ nat }) => nat.mapping !== 'unknown');
    expect(status.nat).toMatchObject({ ...NINE_NATS[2], udp: true });
    const { servers } = await netcheck(running.host);
    expect(servers.filter(({ home }) => home)).toHaveLength(1);
  });

  it('finds that UDP is blocked where TLS works, and says it to people', async () => {
    const nat = NINE_NATS[2]!;
    const router = await world.addRouter({ name: 'hotel', nat, lan: '192.168.1.0/24', firewall: 'udp-blocked' });
    const host = await world.addHost({ name: 'guest', on: router });
    await join(host, 'guest');
    expect(await netcheck(host)).toMatchObject({ udp: false, udpBlocked: true, directPaths: { reach: 'none' } });
    expect(await agent(host, 'netcheck')).toMatch(/^UDP +BLOCKED/);
  });

  it('finds a public host, and that it has IPv6', async () => {
    const host = await world.addHost({ name: 'public' });
    await join(host, 'public');
    expect(await netcheck(host)).toMatchObject({
      ...{ udp: true, mapping: 'none', filtering: 'none', directPaths: { reach: 'all' } },
      ipv6: { addresses: [host.ipv6] },
    });
  });
});
