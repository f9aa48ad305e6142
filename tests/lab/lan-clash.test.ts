import { AgentNode, ControlPlane, createWorld, type Host, meshProgram, type World, waitUntil } from '@warren/netlab';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeLab } from '../support/groups.js';

const CEILING_MS = 30_000;

interface Warned {
  readonly warnings: readonly { readonly code: string; readonly message: string }[];
}

/** A LAN with addresses of the network: neither may break without a word. */
describeLab('a LAN that overlaps the network', [], () => {
  let world: World;
  let control: ControlPlane;
  let laptop: AgentNode;
  let server: AgentNode;
  /** On the laptop's second LAN: its router, and a printer. */
  let neighbour: Host;

  beforeAll(async () => {
    world = await createWorld({ name: 'lan-clash' });
    control = await ControlPlane.start(await world.addHost({ name: 'control' }));
    const join = async (name: string): Promise<AgentNode> =>
      AgentNode.join(await world.addHost({ name }), { name, token: await control.createToken() });
    [laptop, server] = [await join('laptop'), await join('server')];
    neighbour = await world.addHost({ name: 'neighbour' });
  }, 120_000);
  afterAll(() => world?.close());

  const reaches = (address: string) =>
    waitUntil(`${address} to be reached`, { timeoutMs: CEILING_MS }, () => laptop.host.ping(address));
  const warnings = async (): Promise<Warned['warnings']> => ((await laptop.look()) as unknown as Warned).warnings;
  const routeTo = async (address: string): Promise<string> =>
    (await laptop.host.run('ip', ['route', 'get', address])).stdout;
  const plugIn = (host: Host): Promise<void> =>
    host.configure([
      `link add lan0 type veth peer name lan0 netns ${neighbour.namespaceName}`,
      'address add 10.44.200.5/24 dev lan0',
      'link set lan0 up',
      'route add 192.0.2.0/24 via 10.44.200.1 dev lan0',
    ]);

  it('is told by the agent and by the control plane when it comes; network and LAN go on', async () => {
    await reaches(server.ipv4);
    await plugIn(laptop.host);
    await neighbour.configure([
      'address add 10.44.200.1/24 dev lan0',
      'address add 10.44.200.7/24 dev lan0',
      'link set lan0 up',
    ]);
    await waitUntil('the warning', { timeoutMs: CEILING_MS }, async () => (await warnings()).length > 0);
    expect(await warnings()).toEqual([
      { code: 'lan-clash', message: expect.stringMatching(/10\.44\.200\.0\/24 on lan0 overlaps 10\.44\.0\.0\/16/) },
    ]);
    expect((await laptop.command(['status'])).stdout).toMatch(/warning .*10\.44\.200\.0\/24/);
    await waitUntil('the control plane to know', { timeoutMs: CEILING_MS }, async () =>
      (await control.warrenOutput(['node', 'show', 'laptop', '--json'])).includes('"10.44.200.0/24"'),
    );
    await reaches(server.ipv4);
    await reaches('10.44.200.7');
  }, 90_000);

  it('is passed by exactly for nodes that have its addresses, but not for its router', async () => {
    await control.warrenOutput(['node', 'address', 'server', '10.44.200.9']);
    await reaches('10.44.200.9');
    expect(await routeTo('10.44.200.9')).toMatch(/dev wg0/);
    await reaches('10.44.200.7');
    await control.warrenOutput(['node', 'address', 'server', '10.44.200.1']);
    const told = /server \(10\.44\.200\.1 .*cannot be reached/;
    await waitUntil('the warning', { timeoutMs: CEILING_MS }, async () =>
      (await warnings()).some(({ message }) => told.test(message)),
    );
    expect(await routeTo('10.44.200.1')).toMatch(/dev lan0/);
    await reaches('10.44.200.1');
  }, 90_000);

  it('is over when it goes', async () => {
    await laptop.host.configure(['link delete lan0']);
    await waitUntil('no warning', { timeoutMs: CEILING_MS }, async () => (await warnings()).length === 0);
    await reaches('10.44.200.1');
    expect(await routeTo('10.44.200.1')).toMatch(/dev wg0/);
  }, 60_000);

  it('at the join is refused with the choices, unless it is allowed', async () => {
    const host = await world.addHost({ name: 'office' });
    await plugIn(host);
    const token = await control.createToken();
    const args = ['join', '--token', token, '--state-dir', host.stateDir, '--name', 'office', '--no-start', '--json'];
    const agent = (more: string[] = []) => host.run(meshProgram('agent'), [...args, ...more]);
    const refused = await agent();
    expect(refused.code).toBe(1);
    expect(JSON.parse(refused.stdout)).toMatchObject({ error: { code: 'lan-clash' } });
    expect(refused.stderr).toMatch(/10\.44\.200\.0\/24.*warren network renumber.*--allow-lan-clash/);
    expect(await agent(['--allow-lan-clash'])).toMatchObject({ code: 0 });
  }, 60_000);
});
