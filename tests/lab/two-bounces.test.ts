import { AgentNode, ControlPlane, createWorld, HOME_NAT, type World, waitUntil } from '@warren/netlab';
import { afterAll, beforeAll, expect, it, onTestFailed } from 'vitest';
import { describeLab } from '../support/groups.js';
import { expectAllReached } from './support/classic-mesh.js';
import { type SteadyPing, startSteadyPings } from './support/steady-pings.js';

/** Where a client is homed is drawn by lot from its id: eight of them at the same bounce are one case in 128. */
const MOST_CLIENTS = 8;
const LEAST_CLIENTS = 3;
/** How long the control plane waits before it holds a bounce for dead, and a multiple of it before it trusts one again. */
const GRACE_MS = 5_000;
const STABLE_MS = 2 * GRACE_MS;
/** Noticing, telling, and a handshake that may have to be tried a second time (5 s); and a busy machine. */
const SLACK_MS = 25_000;

describeLab('two bounces in one network', [], () => {
  const logs = new Map<string, string>();
  const keep = (name: string) => (text: string) => void logs.set(name, (logs.get(name) ?? '') + text);
  const bounces: AgentNode[] = [];
  const clients: AgentNode[] = [];
  const homes = new Map<AgentNode, string>();
  let world: World;
  let control: ControlPlane;
  let direct: AgentNode;
  let steady: SteadyPing[] = [];
  const all = (): AgentNode[] => [...bounces, direct, ...clients];

  beforeAll(async () => {
    world = await createWorld({ name: 'two-bounces' });
    const env = { WARREN_BOUNCE_GRACE: `${GRACE_MS / 1_000}s` };
    control = await ControlPlane.start(await world.addHost({ name: 'control' }), { env, onOutput: keep('control') });
    const token = await control.createToken(['--uses', '20']);
    const join = async (name: string, role: 'bounce' | 'direct'): Promise<AgentNode> =>
      AgentNode.join(await world.addHost({ name }), { name, role, token, onOutput: keep(name) });
    bounces.push(await join('bounce1', 'bounce'), await join('bounce2', 'bounce'));
    direct = await join('direct', 'direct');
    while (clients.length < MOST_CLIENTS && (clients.length < LEAST_CLIENTS || new Set(homes.values()).size < 2)) {
      const name = `client${clients.length + 1}`;
      const router = await world.addRouter({ name: `nat${clients.length + 1}`, nat: HOME_NAT, lan: '192.168.1.0/24' });
      const host = await world.addHost({ name, on: router });
      const client = await AgentNode.join(host, { name, token, onOutput: keep(name) });
      clients.push(client);
      homes.set(client, await homeOf(client));
    }
  }, 240_000);
  afterAll(() => world?.close());

  const showLogs = (): void =>
    onTestFailed(() => {
      for (const [name, text] of logs) console.error(`--- ${name}\n${text.slice(-2_000)}`);
    });

  it('share the clients between them', () => {
    expect(new Set(homes.values())).toEqual(new Set(['bounce1', 'bounce2']));
  });

  it('let every ordered pair reach each other over IPv4 and IPv6', async () => {
    showLogs();
    await expectAllReached(all(), 30_000);
  });

  it('are said to be on the path of every pair of clients, each client by its own home', async () => {
    showLogs();
    for (const client of clients) {
      const home = homes.get(client)!;
      const other = bounces.find(({ name }) => name !== home)!.name;
      const expected = {
        [home]: { kind: 'direct', via: null },
        [other]: { kind: 'bounce', via: home },
        direct: { kind: 'direct', via: null },
        ...Object.fromEntries(
          clients.filter((it) => it !== client).map((it) => [it.name, { kind: 'bounce', via: home }]),
        ),
      };
      expect(await pathsOf(client)).toEqual(expected);
    }
    const seenFrom = await pathsOf(bounces[0]!);
    expect(seenFrom.bounce2).toEqual({ kind: 'direct', via: null });
    for (const client of clients) {
      const via = homes.get(client) === 'bounce1' ? null : 'bounce2';
      expect(seenFrom[client.name]).toEqual({ kind: via ? 'bounce' : 'direct', via });
    }
  });

  it(
    'do without one that dies: its clients move to the other, and pairs without it lose nothing',
    async () => {
      showLogs();
      const [dead, left] = bounces as [AgentNode, AgentNode];
      steady = startSteadyPings(untouchedPairs(dead));
      const before = await startOf(clients);
      dead.process.kill('SIGKILL');
      await dead.process.waitForExit(5_000);
      const survivors = all().filter((agent) => agent !== dead);
      await expectAllReached(survivors, GRACE_MS + SLACK_MS);
      for (const client of clients) expect(await homeOf(client)).toBe(left.name);
      expect(await startOf(clients)).toEqual(before);
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
      // It is a member at once, by way of the other one.
      await expectAllReached(all(), SLACK_MS);
      const moved = clients.find((client) => homes.get(client) === back.name)!;
      await waitUntil('the clients to be homed as before', { timeoutMs: STABLE_MS + SLACK_MS }, async () => {
        return (await homeOf(moved)) === back.name;
      });
      expect(Date.now() - started).toBeGreaterThan(STABLE_MS);
      expect(await isUnavailable(back)).toBe(false);
      await expectAllReached(all(), SLACK_MS);
      for (const client of clients) expect(await homeOf(client)).toBe(homes.get(client));
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
  function untouchedPairs(dead: AgentNode): [AgentNode, AgentNode][] {
    const others = all().filter((agent) => agent !== dead);
    const ownsPath = (agent: AgentNode): boolean => homes.get(agent) === dead.name;
    return others.flatMap((from) =>
      others
        .filter((to) => to !== from)
        .filter((to) => from === direct || to === direct || !(ownsPath(from) || ownsPath(to)))
        .map((to): [AgentNode, AgentNode] => [from, to]),
    );
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
  return Object.fromEntries(peers.map(({ name, path }) => [name, { kind: path.kind, via: path.via ?? null }]));
}

/** The bounce that a client reaches straight: it has no session with any other one. */
async function homeOf(client: AgentNode): Promise<string> {
  const status = await client.waitForStatus('homed', 20_000, ({ peers }) => homesIn(peers).length > 0);
  const found = homesIn(status.peers);
  expect(found).toHaveLength(1);
  return found[0]!;
}

const homesIn = (peers: Awaited<ReturnType<AgentNode['status']>>['peers']): string[] =>
  peers.filter(({ name, path }) => name.startsWith('bounce') && path.kind === 'direct').map(({ name }) => name);

/** Processes that run now: the same ones later are ones that were not started again. */
async function startOf(agents: readonly AgentNode[]): Promise<unknown[]> {
  const shown = await Promise.all(agents.map((agent) => agent.command(['status', '--json'])));
  return shown.map(({ stdout }) => (JSON.parse(stdout) as { agent: unknown }).agent);
}
