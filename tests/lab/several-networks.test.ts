import {
  AgentNode,
  ControlPlane,
  createWorld,
  type Host,
  startPingStream,
  type World,
  waitUntil,
} from '@warren/netlab';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeLab } from '../support/groups.js';

const CEILING_MS = 30_000;
const INTERVAL_MS = 50;

interface Named {
  readonly network: { readonly name: string };
  readonly node: { readonly addresses: readonly string[] };
  readonly dataPlane: { readonly interface: string; readonly listenPort: number };
  readonly networks: readonly string[];
}

/** One host in two networks of one control plane: an interface each, one daemon. */
describeLab('a host in two networks', [], () => {
  let world: World;
  let control: ControlPlane;
  /** `both` is in both networks, the others in one each. */
  let both: AgentNode;
  let first: AgentNode;
  let second: AgentNode;

  beforeAll(async () => {
    world = await createWorld({ name: 'several' });
    control = await ControlPlane.start(await world.addHost({ name: 'control' }));
    await control.warrenOutput(['network', 'create', 'second', '--cidr', '10.60.0.0/16', '--cidr', 'fd60::/64']);
    await control.warrenOutput(['network', 'create', 'overlapping', '--cidr', '10.44.128.0/17']);
    both = await join('both', []);
    first = await join('first', []);
    second = await join('second', ['--network', 'second']);
  }, 120_000);
  afterAll(() => world?.close());

  async function join(name: string, token: string[]): Promise<AgentNode> {
    const host = await world.addHost({ name });
    return AgentNode.join(host, { name, token: await control.createToken(token) });
  }
  const reaches = (host: Host, address: string) =>
    waitUntil(`${host.name} to reach ${address}`, { timeoutMs: CEILING_MS }, () => host.ping(address));
  const status = async (network: string): Promise<Named> =>
    JSON.parse((await both.command(['status', '--network', network, '--json'])).stdout) as Named;
  const interfaceIndex = async (name: string): Promise<string> =>
    (await both.host.run('cat', [`/sys/class/net/${name}/ifindex`])).stdout.trim();

  it('joins the second beside the first, which notices nothing', async () => {
    await reaches(both.host, first.ipv4);
    const index = await interfaceIndex('wg0');
    const stream = startPingStream(both.host, first.ipv4, INTERVAL_MS);
    await stream.waitForAnswers(5, CEILING_MS);
    const token = await control.createToken(['--network', 'second']);
    const joined = await both.command(['join', '--token', token, '--name', 'both']);
    expect(joined).toMatchObject({ code: 0 });
    expect(joined.stdout).toMatch(/10\.60\.0\.\d+ .*on wg1, network second/);
    await reaches(both.host, second.ipv4);
    await reaches(second.host, (await status('second')).node.addresses[0]!);
    await stream.waitForAnswers(10, CEILING_MS);
    expect((await stream.stop()).lost).toEqual([]);
    expect(await interfaceIndex('wg0')).toBe(index);
    expect(await status('second')).toMatchObject({
      network: { name: 'second' },
      dataPlane: { interface: 'wg1', listenPort: 51_821 },
      networks: ['default', 'second'],
    });
    expect(await status('default')).toMatchObject({ dataPlane: { interface: 'wg0', listenPort: 51_820 } });
  }, 120_000);

  it('keeps the two apart', async () => {
    expect(await first.host.ping(second.ipv4)).toBe(false);
    const { stdout } = await both.command(['peers']);
    expect(stdout).toMatch(/^default:\nNAME.*\nfirst .*\n\nsecond:\nNAME.*\nsecond /);
    expect((await both.command(['status'])).stdout).toMatch(/network +default.*network +second/s);
    expect((await both.command(['ping', 'second', '-c', '1'])).code).toBe(0);
    expect((await both.command(['ping', 'first', '-c', '1'])).code).toBe(0);
  }, 60_000);

  it('refuses a third that overlaps the first', async () => {
    const token = await control.createToken(['--network', 'overlapping']);
    const refused = await both.command(['join', '--token', token, '--json']);
    expect(refused.code).toBe(1);
    expect(JSON.parse(refused.stdout)).toMatchObject({ error: { code: 'network-clash' } });
    expect(refused.stderr).toMatch(/10\.44\.128\.0\/17 overlaps network default/);
  }, 60_000);

  it('is in both again after a restart', async () => {
    both.process.kill('SIGTERM');
    await both.process.waitForExit(CEILING_MS);
    expect(await both.host.interfaces()).toEqual(['eth0']);
    await both.up();
    await Promise.all([reaches(both.host, first.ipv4), reaches(both.host, second.ipv4)]);
  }, 120_000);

  it('leaves one, and the other notices nothing', async () => {
    const unclear = await both.command(['leave']);
    expect(unclear.code).toBe(1);
    expect(unclear.stderr).toMatch(/--network/);
    const stream = startPingStream(both.host, first.ipv4, INTERVAL_MS);
    await stream.waitForAnswers(5, CEILING_MS);
    expect(await both.command(['leave', '--network', 'second'])).toMatchObject({ code: 0 });
    expect(await both.host.interfaces()).toEqual(['eth0', 'wg0']);
    expect(await both.host.ping(second.ipv4)).toBe(false);
    await stream.waitForAnswers(10, CEILING_MS);
    expect((await stream.stop()).lost).toEqual([]);
    const nodes = JSON.parse(await control.warrenOutput(['node', 'list', '--network', 'second', '--json'])) as {
      items: { name: string }[];
    };
    expect(nodes.items.map(({ name }) => name)).toEqual(['second']);
    expect((await status('default')).networks).toEqual(['default']);
  }, 120_000);
});
