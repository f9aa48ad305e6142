import { Role } from '@warren/proto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestPlane, type TestPlane, until } from '../testing/control-plane.fixture.js';
import { FakeAgent, type FakeKeys, makeKeys } from '../testing/fake-agent.fixture.js';

let plane: TestPlane;
const agents: FakeAgent[] = [];
beforeAll(async () => {
  plane = await startTestPlane();
});
afterAll(async () => {
  for (const agent of agents) agent.close();
  await plane?.stop();
});

let count = 0;
const name = (): string => `n-${++count}`;
async function join(token: string, options: { keys?: FakeKeys; name?: string } = {}): Promise<FakeAgent> {
  const agent = await FakeAgent.join(token, { name: name(), ...options });
  agents.push(agent);
  return agent;
}
const rowOf = async (agent: FakeAgent) => (await plane.context.store.findNode(agent.nodeId as never))!;
/** A bounce that everybody sees, and its stream. */
async function witness() {
  const endpoint = { role: Role.ROLE_BOUNCE, endpoint: '192.0.2.1:51820' };
  const agent = await FakeAgent.join(await plane.token(), { name: name(), ...endpoint });
  agents.push(agent);
  return { agent, stream: await agent.sync().synced() };
}
const sees = (stream: { names: string[] }, wanted: string, present: boolean) =>
  until(() => stream.names.includes(wanted) === present, `${wanted} is ${present ? '' : 'not '}seen`);

describe('an agent that waits for approval', () => {
  it('keeps its stream, knows itself and nobody, and gets its peers the moment it is approved', async () => {
    const { stream: others } = await witness();
    const agent = await join(await plane.token({ approval: true }));
    expect(agent.joined.self).toMatchObject({ pending: true, signalServers: [] });
    expect(agent.joined.self!.addresses).toHaveLength(2);
    const stream = await agent.sync().synced();
    expect(stream.self).toMatchObject({ pending: true });
    expect([stream.names, stream.tickets, stream.tombstones]).toEqual([[], [], []]);
    stream.heartbeat();
    await until(() => stream.replies.length === 1, 'a reply');
    const own = agent.joined.self!.name;
    expect(others.names).not.toContain(own);
    await plane.context.store.approveNode(agent.nodeId as never, 'local');
    await sees(others, own, true);
    await until(() => stream.names.length > 0 && stream.tickets.length > 0, 'peers and a ticket');
    expect(stream.self).toMatchObject({ pending: false });
    expect(stream.ended).toBeUndefined();
  });

  it('is in the same state after its stream began anew, and hears of a revocation', async () => {
    const agent = await join(await plane.token({ approval: true }));
    (await agent.sync().synced()).cancel();
    const stream = await agent.sync().synced();
    expect(stream.self?.pending).toBe(true);
    await plane.context.store.revokeNode(agent.nodeId as never, 'local');
    await until(() => stream.ended !== undefined, 'end');
    expect(stream.farewell).toMatchObject({ code: 'node-revoked' });
    expect(stream.farewell?.tombstone).toBeDefined();
    expect((await agent.sync().synced()).ended).toBe('node-revoked');
  });

  it('may renew its certificate, and leave', async () => {
    const agent = await join(await plane.token({ approval: true }));
    expect((await agent.renew()).certificateChain.length).toBeGreaterThan(1);
    await agent.leave();
    expect(await plane.context.store.findNode(agent.nodeId as never)).toBeUndefined();
  });
});

describe('an agent that is disabled', () => {
  it('is dropped by everybody, drops everybody, and is back when it is approved, on the same stream', async () => {
    const { stream: others } = await witness();
    const agent = await join(await plane.token());
    const own = agent.joined.self!.name;
    const stream = await agent.sync().synced();
    await sees(others, own, true);
    await plane.context.store.disableNode(agent.nodeId as never, 'local');
    await sees(others, own, false);
    await until(() => stream.self?.pending === true && stream.names.length === 0, 'it waits');
    await plane.context.store.approveNode(agent.nodeId as never, 'local');
    await sees(others, own, true);
    await until(() => stream.self?.pending === false && stream.names.length > 0, 'it is back');
    expect(stream.ended).toBeUndefined();
  });
});

describe('an agent whose key expires', () => {
  const expire = async (agent: FakeAgent) => {
    const { store } = plane.context;
    await store.extendNode(agent.nodeId as never, new Date(Date.now() + 100), 'local');
    await until(() => store.expireNode(agent.nodeId as never, 'control'), 'expired');
  };

  it('is told when, is sent away with a word for it, and is refused until an operator extends it', async () => {
    const { stream: others } = await witness();
    const agent = await join(await plane.token());
    const own = agent.joined.self!.name;
    const stream = await agent.sync().synced();
    await sees(others, own, true);
    const { store } = plane.context;
    await store.extendNode(agent.nodeId as never, new Date(Date.now() + 86_400_000), 'local');
    await until(() => (stream.self?.keyExpiresAtMs ?? 0) > Date.now(), 'it is told');
    expect(stream.self?.keyWarningMs).toBe(7 * 86_400_000);
    await expire(agent);
    await until(() => stream.ended !== undefined, 'end');
    expect(stream.farewell?.code).toBe('node-expired');
    await sees(others, own, false);
    expect((await agent.sync().synced()).ended).toBe('node-expired');
    await expect(agent.renew()).rejects.toThrow('node-expired');
    await store.extendNode(agent.nodeId as never, null, 'local');
    await sees(others, own, true);
    expect((await agent.sync({ startGeneration: 2 }).synced()).ended).toBeUndefined();
  });

  it('joins again as the same node with a new key and a good token', async () => {
    const agent = await join(await plane.token());
    const before = await rowOf(agent);
    await expire(agent);
    const keys = { ...agent.keys, wireguard: makeKeys().wireguard };
    // The record says the same generation: that is no newer key.
    await expect(join(await plane.token({ maxUses: 1 }), { keys })).rejects.toThrow('record-bad');
    const same = await join(await plane.token({ maxUses: 1 }), { keys: agent.keys });
    expect(same.joined.self).toMatchObject({ nodeId: agent.nodeId, addresses: [...before.addresses] });
    expect(await rowOf(agent)).toMatchObject({ status: 'active', name: before.name });
  });
});

describe('many joins at once', () => {
  const settled = async (tokens: readonly string[]) => {
    const results = await Promise.allSettled(tokens.map((token) => join(token)));
    const joined = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    const refused = results.flatMap((result) =>
      result.status === 'rejected' ? [(result.reason as Error).message] : [],
    );
    return { joined, refused };
  };

  it('50 with a token of 10 uses: exactly 10 succeed, the others hear that it is used up', async () => {
    const token = await plane.token({ maxUses: 10 });
    const { joined, refused } = await settled(Array.from({ length: 50 }, () => token));
    expect(joined).toHaveLength(10);
    expect(new Set(refused)).toEqual(new Set(['token-used-up']));
  }, 120_000);

  it('200: no address twice', async () => {
    const token = await plane.token();
    const { joined, refused } = await settled(Array.from({ length: 200 }, () => token));
    expect(refused).toEqual([]);
    const addresses = joined.flatMap((agent) => agent.joined.self!.addresses);
    expect(addresses).toHaveLength(400);
    expect(new Set(addresses).size).toBe(400);
  }, 180_000);
});
