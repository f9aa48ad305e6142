import {
  AgentNode,
  ControlPlane,
  createWorld,
  HOME_NAT,
  type Host,
  type NetworkMember,
  type World,
  waitUntil,
} from '@warren/netlab';
import { afterAll, beforeAll, expect, it, onTestFailed } from 'vitest';
import { describeLab } from '../support/groups.js';
import { expectAllReached } from './support/classic-mesh.js';
import { type SteadyPing, startSteadyPings } from './support/steady-pings.js';
import { VanillaMember } from './support/vanilla-member.js';

/** Where a vanilla member is homed is drawn by lot from its id: eight of them at the same bounce are one case in 128. */
const MOST_MEMBERS = 8;
const LEAST_MEMBERS = 2;
/** How long the control plane waits before it holds a bounce for dead, and a multiple of it before it trusts one again. */
const GRACE_MS = 5_000;
const STABLE_MS = 2 * GRACE_MS;
/** Noticing, telling, and a handshake that may have to be tried a second time (5 s); and a busy machine. */
const SLACK_MS = 25_000;

/** Vanilla members are homed at bounces; agents find their own ways to each other. */
describeLab('two bounces in one network', ['wireguard-go', 'wg', 'wg-quick'], () => {
  const logs = new Map<string, string>();
  const keep = (name: string) => (text: string) => void logs.set(name, (logs.get(name) ?? '') + text);
  const bounces: AgentNode[] = [];
  const members: VanillaMember[] = [];
  const homes = new Map<VanillaMember, string>();
  let world: World;
  let control: ControlPlane;
  let direct: AgentNode;
  let client: AgentNode;
  let steady: SteadyPing[] = [];
  const all = (): NetworkMember[] => [...bounces, direct, client, ...members];

  beforeAll(async () => {
    world = await createWorld({ name: 'two-bounces' });
    const env = { WARREN_BOUNCE_GRACE: `${GRACE_MS / 1_000}s` };
    control = await ControlPlane.start(await world.addHost({ name: 'control' }), { env, onOutput: keep('control') });
    const token = await control.createToken(['--uses', '20']);
    const join = async (name: string, role: 'bounce' | 'direct'): Promise<AgentNode> =>
      AgentNode.join(await world.addHost({ name }), { name, role, token, onOutput: keep(name) });
    const behindNat = async (name: string): Promise<Host> => {
      const router = await world.addRouter({ name: `${name}-nat`, nat: HOME_NAT, lan: '192.168.1.0/24' });
      return world.addHost({ name, on: router });
    };
    bounces.push(await join('bounce1', 'bounce'), await join('bounce2', 'bounce'));
    direct = await join('direct', 'direct');
    client = await AgentNode.join(await behindNat('client'), { name: 'client', token, onOutput: keep('client') });
    while (members.length < MOST_MEMBERS && (members.length < LEAST_MEMBERS || new Set(homes.values()).size < 2)) {
      const name = `member${members.length + 1}`;
      const member = await VanillaMember.join(control, await behindNat(name), name);
      members.push(member);
      homes.set(member, await homeOf(member));
    }
  }, 240_000);
  afterAll(() => world?.close());

  const showLogs = (): void =>
    onTestFailed(() => {
      for (const [name, text] of logs) console.error(`--- ${name}\n${text.slice(-2_000)}`);
    });

  it('share the vanilla members between them', () => {
    expect(new Set(homes.values())).toEqual(new Set(['bounce1', 'bounce2']));
  });

  it('let every ordered pair reach each other over IPv4 and IPv6', async () => {
    showLogs();
    await expectAllReached(all(), 30_000);
  });

  it('are said to be on the path of every vanilla member, each by its own home, and of no agent', async () => {
    showLogs();
    for (const agent of [...bounces, direct, client]) {
      const paths = await pathsOf(agent);
      for (const member of members) {
        const home = homes.get(member)!;
        // A vanilla member's file names direct nodes, besides its home.
        const isPeer = agent === direct || home === agent.name;
        const expected = isPeer ? { kind: 'direct', via: null } : { kind: 'bounce', via: home };
        expect(paths[member.name], `${agent.name} → ${member.name}`).toEqual(expected);
      }
      for (const other of [...bounces, direct].filter((it) => it !== agent)) {
        await agent.waitForPath(other.name, { what: 'direct', timeoutMs: 15_000 }, ({ kind }) => kind === 'direct');
      }
    }
  });

  it(
    'do without one that dies: its members move to the other, and pairs without it lose nothing',
    async () => {
      showLogs();
      const [dead, left] = bounces as [AgentNode, AgentNode];
      steady = startSteadyPings(untouchedPairs(dead));
      const before = await startOf([left, direct, client]);
      dead.process.kill('SIGKILL');
      await dead.process.waitForExit(5_000);
      await waitForHomes(() => left.name, GRACE_MS + SLACK_MS);
      await takeOverFiles(dead);
      const survivors = all().filter((agent) => agent !== dead);
      await expectAllReached(survivors, SLACK_MS);
      expect(await startOf([left, direct, client])).toEqual(before);
      expect(await isUnavailable(dead)).toBe(true);
      expect(await isUnavailable(left)).toBe(false);
    },
    GRACE_MS + SLACK_MS + 60_000,
  );

  it(
    'share them again when it is back, after a while and not before, and again pairs without it lose nothing',
    async () => {
      showLogs();
      const back = bounces[0]!;
      const started = Date.now();
      await back.up();
      // It is a member at once.
      await expectAllReached(all(), SLACK_MS);
      await waitForHomes((member) => homes.get(member)!, STABLE_MS + SLACK_MS);
      expect(Date.now() - started).toBeGreaterThan(STABLE_MS);
      expect(await isUnavailable(back)).toBe(false);
      await takeOverFiles(back);
      await expectAllReached(all(), SLACK_MS);
      expect(await decisions()).toEqual(['bounce.withdraw bounce1', 'bounce.restore bounce1']);
      const results = await Promise.all(steady.map(async (ping) => ({ title: ping.title, ...(await ping.stop()) })));
      expect(results.length).toBeGreaterThan(0);
      for (const { title, answered, lost } of results) {
        expect(lost, title).toEqual([]);
        expect(answered, title).toBeGreaterThan(50);
      }
    },
    STABLE_MS + 3 * SLACK_MS + 60_000,
  );

  /** Ordered pairs whose path has nothing to do with the bounce. */
  function untouchedPairs(dead: AgentNode): [NetworkMember, NetworkMember][] {
    const others = all().filter((one) => one !== dead && homes.get(one as VanillaMember) !== dead.name);
    return others.flatMap((from) =>
      others.filter((to) => to !== from).map((to): [NetworkMember, NetworkMember] => [from, to]),
    );
  }

  /** The file of a member that was homed at the bounce, or is now, has changed. */
  async function takeOverFiles(bounce: AgentNode): Promise<void> {
    for (const member of members) if (homes.get(member) === bounce.name) await member.takeOverFile();
  }

  /** Where the member is homed, as the client sees it: it has to send there. */
  async function homeOf(member: VanillaMember): Promise<string> {
    return waitUntil(`${member.name} to have a home`, { timeoutMs: 20_000 }, async () => {
      const path = (await pathsOf(client))[member.name];
      return path?.kind === 'bounce' ? path.via : null;
    });
  }

  async function waitForHomes(home: (member: VanillaMember) => string, timeoutMs: number): Promise<void> {
    await waitUntil('the members to be homed as they should', { timeoutMs }, async () => {
      const paths = await pathsOf(client);
      return members.every((member) => paths[member.name]?.via === home(member));
    });
  }

  async function isUnavailable(agent: AgentNode): Promise<boolean> {
    const shown = await control.warrenOutput(['node', 'show', agent.name, '--json']);
    return (JSON.parse(shown) as { unavailable: boolean }).unavailable;
  }

  /** What the control plane decided about bounces, oldest first. */
  async function decisions(): Promise<string[]> {
    const { body } = await control.rest('GET', '/audit?limit=500');
    const { items } = JSON.parse(body) as { items: { at: string; action: string; details: { name?: string } }[] };
    return items
      .filter(({ action }) => action.startsWith('bounce.'))
      .sort((a, b) => a.at.localeCompare(b.at))
      .map(({ action, details }) => `${action} ${details.name}`);
  }
});

type Path = { kind: string; via: string | null };

async function pathsOf(agent: AgentNode): Promise<Record<string, Path>> {
  const { peers } = await agent.status();
  return Object.fromEntries(peers.map(({ name, path }) => [name, { kind: path.kind, via: path.via }]));
}

/** Processes that run now: the same ones later are ones that were not started again. */
async function startOf(agents: readonly AgentNode[]): Promise<unknown[]> {
  const shown = await Promise.all(agents.map((agent) => agent.command(['status', '--json'])));
  return shown.map(({ stdout }) => (JSON.parse(stdout) as { agent: unknown }).agent);
}
