import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../testing/control-plane.fixture.js';
import { FakeAgent } from '../testing/fake-agent.fixture.js';
import { FollowingAgent } from '../testing/following-agent.fixture.js';
import { ServedPlane } from '../testing/served-plane.fixture.js';
import { lookIntoDatabase } from './half-made.fixture.js';
import { seeded } from './seeded.fixture.js';
import { Writer } from './writer.fixture.js';

// kill -9 of the control plane, of its database, and of both, at random moments while several writers write and agents
// follow: what was acknowledged is there, nothing is half made, and all agents agree. Seed: WARREN_SEED.
const SOAK = process.env.WARREN_SOAK !== undefined;
const KILLS = SOAK ? 20 : 3;
const SEED = Number(process.env.WARREN_SEED ?? randomInt(2 ** 31));
const WRITERS = 5;
/** Agents that follow from the beginning; of those that join later some do, too. */
const FOLLOWERS = 4;
const MOST_FOLLOWERS = 12;
const VICTIMS = ['control', 'database', 'both'] as const;

interface ListedNode {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly addresses: readonly string[];
}

const random = seeded(SEED);
let plane: ServedPlane | undefined;
const following: FollowingAgent[] = [];

beforeAll(async () => {
  plane = await ServedPlane.start();
});
afterAll(async () => {
  await Promise.all(following.map((agent) => agent.close()));
  await plane?.remove();
});

it(
  `after each of ${KILLS} kills no acknowledged change is lost, nothing is half made, and all agents agree`,
  async () => {
    console.log(`kills: seed ${SEED}`);
    const served = plane!;
    const writer = new Writer(served, random, (node) => {
      const follows = following.length < FOLLOWERS || (following.length < MOST_FOLLOWERS && random() < 0.2);
      if (follows) following.push(new FollowingAgent(node.agent, node.name));
    });
    const token = await writer.createToken();
    for (let i = 0; i < FOLLOWERS; i++) await writer.join(token);
    // One victim of each kind first, in an order of the seed's.
    const first = [...VICTIMS].sort(() => random() - 0.5);
    for (let number = 0; number < KILLS; number++) {
      const victim = first[number] ?? VICTIMS[Math.floor(random() * VICTIMS.length)]!;
      writer.start(WRITERS);
      const enough = writer.total + 3 + random() * 15;
      await until(() => writer.total >= enough, 'the writers get on', 60_000);
      await delay(random() * 100);
      await killOf(victim, served);
      const more = writer.total + WRITERS;
      await until(() => writer.total >= more, 'the writers get on again', 90_000);
      await writer.stop();
      await checkAcknowledged(served, writer);
      await checkAgents(served, writer);
    }
    await checkRevoked(writer);
    expect(await served.stop()).toBe(0);
    const { halfMade, audited } = await lookIntoDatabase(served.dataDir);
    expect(halfMade).toEqual({});
    const { acknowledged } = writer;
    expect(audited['node.join']).toBe(acknowledged.join);
    expect(audited['node.revoke']).toBeGreaterThanOrEqual(acknowledged.revoke ?? 0);
    expect(writer.lost, 'no kill hit a write').toBeGreaterThan(0);
    console.log(`kills: ${KILLS}, acknowledged ${JSON.stringify(acknowledged)}, asked again ${writer.lost}`);
  },
  SOAK ? 3_600_000 : 240_000,
);

async function killOf(victim: (typeof VICTIMS)[number], served: ServedPlane): Promise<void> {
  if (victim !== 'control') expect(served.killDatabase()).toBeGreaterThan(0);
  if (victim === 'database') return; // the control plane starts it again by itself
  await served.killControl();
  await served.serve();
}

async function checkAcknowledged(served: ServedPlane, writer: Writer): Promise<void> {
  const nodes = new Map((await served.all<ListedNode>('/nodes')).map((node) => [node.id, node]));
  for (const { id, name, revoked } of writer.nodes.values()) {
    expect(nodes.get(id), `node ${name}`).toMatchObject({ name, status: revoked ? 'revoked' : 'active' });
  }
  // Every join got its answer in the end, so there is none that nobody knows of.
  expect(nodes.size).toBe(writer.nodes.size);
  const addresses = [...nodes.values()].flatMap((node) => node.addresses);
  expect(new Set(addresses).size).toBe(addresses.length);
  const tokens = new Map(
    (await served.all<{ id: string; uses: number; revokedAt: string | null }>('/tokens')).map((row) => [row.id, row]),
  );
  for (const { id, uses, revoked } of writer.tokens.values()) {
    const listed = tokens.get(id);
    expect(listed, `token ${id}`).toMatchObject({ uses });
    expect(listed!.revokedAt !== null, `token ${id} is revoked`).toBe(revoked);
  }
}

async function checkAgents(served: ServedPlane, writer: Writer): Promise<void> {
  const { body } = await served.rest('GET', '/networks/default');
  const { revision } = body as { revision: number };
  const living = [...writer.nodes.values()].filter((node) => !node.revoked);
  for (const agent of following) {
    const { revoked } = writer.nodes.get(agent.nodeId)!;
    if (revoked) {
      await until(() => agent.gone !== undefined, `${agent.name} hears that it was revoked`, 30_000);
      expect(agent.gone).toBe('node-revoked');
      continue;
    }
    await agent.agreesAt(revision);
    const others = living.filter(({ id }) => id !== agent.nodeId).map(({ name }) => name);
    expect(agent.stream!.names).toEqual(others.sort());
  }
}

/** Their keys stay out, whatever token they come with. */
async function checkRevoked(writer: Writer): Promise<void> {
  const token = await writer.createToken();
  for (const { keys, name } of [...writer.nodes.values()].filter((node) => node.revoked).slice(-3)) {
    await expect(FakeAgent.join(token.text, { name: `${name}-again`, keys })).rejects.toThrow('key-banned');
  }
}
