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
const INTERVAL_MS = 20;
/** The goal is a second for connected agents. */
const FOLLOWED_MS = 8_000;
/** Addresses of before are kept for 30 s. */
const OVERLAP_CEILING_MS = 60_000;

interface Renumbered {
  readonly nodes: readonly { readonly name: string; readonly before: string[]; readonly after: string[] }[];
}

/** All addresses of a network change while packets flow. */
describeLab('renumbering a network', [], () => {
  let world: World;
  let control: ControlPlane;
  let agents: AgentNode[];

  beforeAll(async () => {
    world = await createWorld({ name: 'renumber' });
    control = await ControlPlane.start(await world.addHost({ name: 'control' }));
    agents = await Promise.all(
      ['one', 'two', 'hub'].map(async (name) => {
        const host = await world.addHost({ name });
        const role = name === 'hub' ? 'bounce' : 'client';
        return AgentNode.join(host, { name, role, token: await control.createToken() });
      }),
    );
  }, 120_000);
  afterAll(() => world?.close());

  const named = (name: string): AgentNode => agents.find((agent) => agent.name === name)!;
  const reaches = (host: Host, address: string, timeoutMs = CEILING_MS) =>
    waitUntil(`${host.name} to reach ${address}`, { timeoutMs, intervalMs: 50 }, () => host.ping(address));
  const addressesOn = async (host: Host): Promise<string> =>
    (await host.run('ip', ['-brief', 'address', 'show', 'dev', 'wg0'])).stdout;
  const handshakes = async (agent: AgentNode): Promise<unknown> => {
    const { peers } = (await agent.look()) as unknown as { peers: { name: string; lastHandshake: string }[] };
    return peers.map(({ name, lastHandshake }) => [name, lastHandshake]);
  };

  it('shows what would become of it first', async () => {
    const { stdout } = await control.warren(['network', 'renumber', 'default', '--cidr', '10.77.0.0/16', '--dry-run']);
    expect(stdout).toMatch(new RegExp(`one +${named('one').ipv4}.* +10\\.77\\.0\\.`));
    expect(stdout).toContain('default would have 10.77.0.0/16');
    expect((await control.warrenOutput(['network', 'show', 'default'])).includes('10.44.0.0/16')).toBe(true);
  }, 60_000);

  it('reaches every agent at once; nothing is lost, no session and no interface ends', async () => {
    const [one, two] = [named('one'), named('two')];
    const old = two.ipv4;
    await reaches(one.host, old);
    await reaches(two.host, one.ipv4);
    const [before, process] = [await handshakes(one), one.process];
    const stream = startPingStream(one.host, old, INTERVAL_MS);
    await stream.waitForAnswers(20, CEILING_MS);
    const args = ['network', 'renumber', 'default', '--cidr', '10.77.0.0/16', '--cidr', 'fd77::/64', '--yes', '--json'];
    const { nodes } = JSON.parse(await control.warrenOutput(args)) as Renumbered;
    const from = Date.now();
    const after = new Map(nodes.map((node) => [node.name, node.after]));
    expect(
      nodes.map(({ before: had, after: has }) => [had[0]!.split('.').slice(2), has[0]!.split('.').slice(2)]),
    ).toEqual(nodes.map(({ before: had }) => [had[0]!.split('.').slice(2), had[0]!.split('.').slice(2)]));
    for (const agent of agents) {
      const others = agents.filter((other) => other !== agent);
      await Promise.all(
        others.flatMap((other) => after.get(other.name)!.map((address) => reaches(agent.host, address, FOLLOWED_MS))),
      );
    }
    console.log(`everybody reached under the new addresses after ${Date.now() - from} ms`);
    await stream.waitForAnswers(50, CEILING_MS);
    expect((await stream.stop()).lost).toEqual([]);
    expect(await handshakes(one)).toEqual(before);
    expect(process.running).toBe(true);
    expect((await one.look()).node.addresses).toEqual(after.get('one'));
  }, 120_000);

  it('lets the old addresses go after a while, and new connections use the new ones', async () => {
    const [one, two] = [named('one'), named('two')];
    const next = (await two.look()).node.addresses[0]!;
    const stream = startPingStream(one.host, next, INTERVAL_MS);
    const what = 'the old addresses to be gone';
    await waitUntil(what, { timeoutMs: OVERLAP_CEILING_MS, intervalMs: 500 }, async () =>
      (await Promise.all(agents.map(({ host }) => addressesOn(host)))).every((text) => !text.includes('10.44.')),
    );
    expect((await stream.stop()).lost).toEqual([]);
    expect(await one.host.ping(two.ipv4)).toBe(false);
    const rests = await control.warrenOutput(['network', 'addresses', 'default', '--state', 'resting']);
    for (const agent of agents) expect(rests).toContain(agent.ipv4);
  }, 120_000);

  it('one node gets another address in the same way', async () => {
    const [one, two] = [named('one'), named('two')];
    const old = (await two.look()).node.addresses[0]!;
    const stream = startPingStream(one.host, old, INTERVAL_MS);
    await stream.waitForAnswers(20, CEILING_MS);
    await control.warrenOutput(['node', 'address', 'two', '10.77.9.9']);
    await reaches(one.host, '10.77.9.9', FOLLOWED_MS);
    await stream.waitForAnswers(20, CEILING_MS);
    expect((await stream.stop()).lost).toEqual([]);
  }, 60_000);
});
