import { randomBytes, randomInt } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestPlane, type TestPlane, until } from '../testing/control-plane.fixture.js';
import { FakeAgent } from '../testing/fake-agent.fixture.js';
import { FollowingAgent } from '../testing/following-agent.fixture.js';
import { seeded } from './seeded.fixture.js';

// Random changes by REST, in bursts, while agents follow, leave and come: after each burst all digests agree, everybody
// sees exactly the active others, and who was removed knows it. Seed: WARREN_SEED.
const SOAK = process.env.WARREN_SOAK !== undefined;
const DURATION = SOAK ? Number(process.env.WARREN_SOAK_MINUTES ?? 10) * 60_000 : 8_000;
const SEED = Number(process.env.WARREN_SEED ?? randomInt(2 ** 31));
const AGENTS = SOAK ? 40 : 10;
const BURST = 12;
const MOST_NODES = 60;
/** Goes on until each of these was done, on a slow machine too. */
const REQUIRED = ['join', 'rename', 'revoke', 'delete', 'disable', 'approve', 'reserve'];
const MOST_BURSTS = 40;

interface ListedNode {
  readonly id: string;
  readonly name: string;
  readonly kind: 'agent' | 'vanilla';
  readonly status: string;
}

const random = seeded(SEED);
const pick = <T>(items: readonly T[]): T | undefined => items[Math.floor(random() * items.length)];
let plane: TestPlane;
let key = '';
let names = 0;
let followers: FollowingAgent[] = [];
const done: Record<string, number> = {};

beforeAll(async () => {
  plane = await startTestPlane({ config: { logLevel: 'warn' } });
  key = plane.firstApiKey!;
});
afterAll(async () => {
  await Promise.all(followers.map((agent) => agent.close()));
  await plane?.stop();
});

it(
  'agents agree with the control plane and with each other after every burst of random changes',
  async () => {
    console.log(`convergence: seed ${SEED}`);
    for (let i = 0; i < AGENTS; i++) await join();
    const began = performance.now();
    let bursts = 0;
    do {
      // Several at once, as several operators.
      await Promise.all(Array.from({ length: 3 }, () => changes(BURST / 3)));
      await converge();
      bursts += 1;
    } while (performance.now() - began < DURATION || (bursts < MOST_BURSTS && REQUIRED.some((what) => !done[what])));
    console.log(`convergence: ${bursts} bursts, ${JSON.stringify(done)}`);
    for (const what of REQUIRED) expect(done[what], what).toBeGreaterThan(0);
    // A digest that differed would have been mended by a snapshot: there shall have been none to mend.
    expect(followers.map(({ resyncs }) => resyncs)).toEqual(followers.map(() => 0));
    expect(plane.log()).not.toContain('digests differ');
  },
  DURATION + (SOAK ? 600_000 : 120_000),
);

async function changes(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await change();
}

/** Nodes by what may be asked of them; whoever was a moment earlier may have made that impossible, which is a refusal. */
async function change(): Promise<void> {
  const nodes = (await rest<{ items: ListedNode[] }>('GET', '/nodes?limit=500')).body.items;
  const active = nodes.filter(({ status }) => status === 'active');
  const pending = nodes.filter(({ status }) => status === 'pending');
  const some = pick(active);
  const room = nodes.length < MOST_NODES;
  const spare = active.length > 4;
  const revoked = nodes.filter(({ status }) => status === 'revoked');
  const on = (target: ListedNode | undefined, what: string, method: string, path = '', body?: unknown): Change => {
    return target && (() => count(what, rest(method, `/nodes/${target.id}${path}`, body)));
  };
  const change = weighted([
    [15, room ? () => join(random() < 0.2) : undefined],
    [10, room ? createVanilla : undefined],
    [22, on(some, 'rename', 'PATCH', '', { name: freshName() })],
    [6, on(some, 'endpoint', 'PATCH', '', { endpoint: endpoint() })],
    [5, () => count('mtu', rest('PATCH', '/networks/default', { mtu: 1280 + Math.floor(random() * 200) }))],
    [5, () => count('settings', rest('PATCH', '/networks/default', { offlineTolerance: pick(['1d', '7d', null]) }))],
    [6, () => count('reserve', rest('POST', '/networks/default/reservations', reservation()))],
    [7, spare ? on(some, 'revoke', 'POST', '/revoke') : undefined],
    [6, spare ? on(some, 'delete', 'DELETE') : undefined],
    [9, spare ? on(some, 'disable', 'POST', '/disable') : undefined],
    [14, on(pick(pending), 'approve', 'POST', '/approve')],
    [4, on(pick(revoked), 'forget', 'DELETE')],
  ]);
  await change?.();
}

type Change = (() => Promise<void>) | undefined;

/** One of those that can be done now, by its weight. */
function weighted(choices: readonly (readonly [weight: number, change: Change])[]): Change {
  const open = choices.filter(([, possible]) => possible !== undefined);
  let dice = random() * open.reduce((sum, [weight]) => sum + weight, 0);
  return open.find(([weight]) => {
    dice -= weight;
    return dice < 0;
  })?.[1];
}

const reservation = (): object => ({
  prefix: `10.44.${200 + Math.floor(random() * 50)}.${Math.floor(random() * 64) * 4}/30`,
});

async function join(approval = false): Promise<void> {
  const name = freshName();
  const agent = await FakeAgent.join(await plane.token({ approval }), { name });
  followers.push(new FollowingAgent(agent, name));
  const what = approval ? 'join, pending' : 'join';
  done[what] = (done[what] ?? 0) + 1;
}

/** Some are bounces, so that homes move. */
function createVanilla(): Promise<void> {
  const role = random() < 0.2 ? { role: 'bounce', endpoint: endpoint() } : { role: 'client' };
  const body = { name: freshName(), publicKey: randomBytes(32).toString('base64'), ...role };
  return count('create', rest('POST', '/nodes', body));
}

async function converge(): Promise<void> {
  const nodes = (await rest<{ items: ListedNode[] }>('GET', '/nodes?limit=500')).body.items;
  const { revision } = (await rest<{ revision: number }>('GET', '/networks/default')).body;
  const active = nodes.filter(({ status }) => status === 'active');
  const statusOf = new Map(nodes.map(({ id, status }) => [id, status]));
  for (const follower of followers) {
    const status = statusOf.get(follower.nodeId);
    if (status === 'active') {
      await follower.agreesAt(revision);
      const others = active.filter(({ id }) => id !== follower.nodeId).map(({ name }) => name);
      expect(follower.stream!.names).toEqual(others.sort());
    } else if (status === 'pending') {
      await until(() => follower.stream!.entries.size === 0, `${follower.name} has no peers while it waits`);
    } else
      await until(() => follower.gone !== undefined, `${follower.name}, ${status ?? 'deleted'}, knows that it is out`);
  }
  const [gone, staying] = [followers.filter((one) => one.gone), followers.filter((one) => !one.gone)];
  for (const one of gone) expect(one.gone).toMatch(/^node-(revoked|removed)$/);
  await Promise.all(gone.map((one) => one.close()));
  followers = staying;
}

/** Counts what was done. A conflict with another change is an answer, too; a failure of ours is none. */
async function count(what: string, asked: Promise<{ status: number; body: unknown }>): Promise<void> {
  const { status, body } = await asked;
  expect(status, JSON.stringify(body)).toBeLessThan(500);
  if (status < 300) done[what] = (done[what] ?? 0) + 1;
}

async function rest<T>(method: string, url: string, body?: unknown): Promise<{ status: number; body: T }> {
  const answer = await plane.rest.app.inject({
    method: method as 'GET',
    url: `/api/v1${url}`,
    headers: { authorization: `Bearer ${key}` },
    ...(body !== undefined && { payload: body as object }),
  });
  return { status: answer.statusCode, body: (answer.body === '' ? undefined : answer.json()) as T };
}

function freshName(): string {
  names += 1;
  return `n${names}`;
}

const endpoint = (): string => `203.0.113.${1 + Math.floor(random() * 250)}:${1024 + Math.floor(random() * 60_000)}`;
