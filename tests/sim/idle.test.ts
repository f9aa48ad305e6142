import { boxesReady } from '@warren/crypto/boxes';
import { Internet, Random } from '@warren/simnet';
import { beforeAll, expect, it } from 'vitest';
import { natOf } from './support/direct-path-rule.js';
import { SimAgent } from './support/sim-agent.js';
import { SimServer } from './support/sim-server.js';
import { SiteMap } from './support/sim-site.js';

const AGENTS = 1000;
/** Peers that each agent knows; most of them it never talks to. */
const PEERS = 40;
const TALK_MS = 3000;
const IDLE_MINUTES = 10;

beforeAll(() => boxesReady);

/** A thousand agents at two hundred places; each has talked to its neighbour, and then nobody says anything. */
function crowd(seed: number) {
  const internet = new Internet(seed);
  const random = new Random(seed, 2);
  const map = new SiteMap(internet, random);
  const servers = [0, 1, 2, 3].map((i) => {
    const own = new Random(seed, 100 + i);
    return new SimServer(internet, `server${i}`, [map.publicAddress(), map.publicIpv6()], (n) => own.bytes(n), 10 * i);
  });
  map.draw(AGENTS / 5);
  const agents = Array.from({ length: AGENTS }, (_, i) => {
    const agent = new SimAgent(internet, `agent${i}`, random.uint32(), { delayMs: 10, predictPorts: true });
    random.pick(map.sites).welcome(agent.host);
    return agent;
  });
  const listed = servers.map((server) => server.listed);
  for (const [i, agent] of agents.entries()) {
    const peers = Array.from(
      { length: PEERS },
      (_, k) => agents[(i + k - PEERS / 2 + (k >= PEERS / 2 ? 1 : 0) + AGENTS) % AGENTS]!,
    );
    internet.after(random.integer(5000), () => {
      agent.start(listed, peers);
      agent.setNat(natOf(agent.host));
    });
  }
  internet.run(8000);
  return { internet, agents, servers };
}

it('a thousand agents that are idle for ten minutes hardly say a word', { timeout: 600_000 }, () => {
  const { internet, agents, servers } = crowd(1);
  for (let at = 0; at < TALK_MS; at += 200) {
    internet.after(at, () => {
      for (let i = 0; i + 1 < AGENTS; i += 2) {
        agents[i]!.send(agents[i + 1]!);
        agents[i + 1]!.send(agents[i]!);
      }
    });
  }
  internet.run(TALK_MS + 5000);
  const direct = agents.filter((agent, i) => agent.peer(agents[i ^ 1]!).path?.kind === 'udp').length;
  const count = () => ({
    packets: agents.reduce((sum, { host }) => sum + host.sentPackets, 0),
    bytes: agents.reduce((sum, { host }) => sum + host.sentBytes, 0),
    control: servers.reduce((sum, { controlFrames }) => sum + controlFrames, 0),
    relayed: servers.reduce((sum, { relayed }) => sum + relayed, 0),
  });
  const minutes = [count()];
  for (let minute = 1; minute <= IDLE_MINUTES; minute++) {
    internet.run(60_000);
    minutes.push(count());
  }
  const [before, after] = [minutes[0]!, minutes.at(-1)!];
  const perAgentMinute = (name: keyof typeof before) => (after[name] - before[name]) / AGENTS / IDLE_MINUTES;
  const each = minutes.slice(1).map(({ packets }, i) => (packets - minutes[i]!.packets) / AGENTS);
  console.log(
    [
      `${AGENTS} agents with ${PEERS} peers each, ${direct} of them direct with the one they talked to, idle for ten minutes`,
      `sent: ${perAgentMinute('packets').toFixed(2)} packets and ${perAgentMinute('bytes').toFixed(0)} bytes per agent and minute (${each.map((packets) => packets.toFixed(1)).join(', ')})`,
      `of them ${perAgentMinute('control').toFixed(2)} control messages to signal servers; ${perAgentMinute('relayed').toFixed(2)} relayed`,
    ].join('\n'),
  );
  // Everybody is still where he can be found, at two servers at least …
  expect(agents.filter(({ manager }) => manager.servers().filter(({ registered }) => registered).length < 2)).toEqual(
    [],
  );
  expect(perAgentMinute('control')).toBeGreaterThan(4);
  // … and that is nearly all that is said.
  // What was being tried when they fell silent, port prediction above all, goes on for two minutes.
  expect(perAgentMinute('packets')).toBeLessThan(15);
  expect(each.slice(4).reduce((sum, packets) => sum + packets, 0) / (IDLE_MINUTES - 4)).toBeLessThan(9);
  expect(perAgentMinute('relayed')).toBeLessThan(0.5);
  const [alice, bob] = [agents[0]!, agents[1]!];
  const sentAt = internet.now;
  alice.send(bob);
  expect(
    internet.runUntilTrue(() => alice.peer(bob).out.lostBetween(sentAt, sentAt + 1).length === 0, 1000),
  ).toBeDefined();
});
