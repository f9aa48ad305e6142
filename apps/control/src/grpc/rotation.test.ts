import { randomBytes } from 'node:crypto';
import { type PublicKey, publicKeyFromBytes, SecretKey, toBase64 } from '@warren/base';
import { nobleProvider } from '@warren/crypto';
import { verifyRecord } from '@warren/identity';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTestPlane, type TestPlane, until } from '../testing/control-plane.fixture.js';
import { FakeAgent, makeKeys } from '../testing/fake-agent.fixture.js';

let plane: TestPlane;
const agents: FakeAgent[] = [];

beforeAll(async () => {
  plane = await startTestPlane();
});
afterEach(async () => {
  for (const agent of agents.splice(0)) {
    agent.close();
    await plane.context.store.deleteNode(agent.nodeId as never, 'local').catch(() => undefined);
  }
});
afterAll(() => plane?.stop());

let counter = 0;
async function join(): Promise<FakeAgent> {
  counter += 1;
  const agent = await FakeAgent.join(await plane.token(), { name: `node-${counter}` });
  agents.push(agent);
  return agent;
}

const fresh = (): SecretKey => new SecretKey(randomBytes(32));
const publicKey = (key: SecretKey): PublicKey => publicKeyFromBytes(nobleProvider.publicKey(key.expose()));
const rest = async (method: 'GET' | 'POST', url: string) => {
  const authorization = `Bearer ${plane.firstApiKey}`;
  return plane.rest.app.inject({ method, url: `/api/v1${url}`, headers: { authorization } });
};
const nodeNow = async (agent: FakeAgent) => (await plane.context.store.findNode(agent.nodeId))!;

describe('an agent that changes its WireGuard key', () => {
  it('is seen by all others with both keys and both records, until all have acknowledged; then with the new alone', async () => {
    const [alice, bob] = [await join(), await join()];
    const silent = await bob.sync({ acknowledge: false }).synced();
    const own = await alice.sync().synced();
    expect(silent.peers).toHaveLength(1);
    silent.send({ $case: 'ack', value: { position: silent.position } });
    const next = fresh();
    const { self } = await alice.rotate(next);
    expect(toBase64(self!.previousWireguardKey)).toBe(publicKey(alice.keys.wireguard));
    await until(() => toBase64(silent.peers[0]!.wireguardKey) === publicKey(next), 'bob sees the new key');
    const [entry] = silent.peers;
    expect(toBase64(entry!.previousWireguardKey)).toBe(publicKey(alice.keys.wireguard));
    expect(verifyRecord(entry!.record!)).toMatchObject({ wireguardKey: publicKey(next), generation: 2 });
    expect(verifyRecord(entry!.previousRecord!)).toMatchObject({
      wireguardKey: publicKey(alice.keys.wireguard),
      generation: 1,
    });
    await until(() => own.self!.previousWireguardKey.length === 32, 'alice is told so, too');
    // It is not over while one has not acknowledged.
    expect((await nodeNow(alice)).previousKey).toBeDefined();
    silent.send({ $case: 'ack', value: { position: silent.position } });
    await until(() => silent.peers[0]!.previousWireguardKey.length === 0, 'the old key is given up');
    await until(() => own.self!.previousWireguardKey.length === 0, 'alice hears it');
    expect(await nodeNow(alice)).toMatchObject({ publicKey: publicKey(next), overlapUntil: null });
    silent.heartbeat();
    await until(() => silent.replies.length > 0, 'digests agree');
    expect(silent.farewell).toBeUndefined();
  });

  it('waits for agents that are not connected, and for files that somebody has to change', async () => {
    const [alice, bob] = [await join(), await join()];
    await alice.sync().synced();
    await alice.rotate(fresh());
    expect((await nodeNow(alice)).previousKey).toBeDefined();
    await bob.sync().synced();
    await until(async () => (await nodeNow(alice)).previousKey === undefined, 'bob is there');
  });

  it('is seen with the new key alone when the old one is in wrong hands, and nobody can have that any more', async () => {
    const [alice, bob] = [await join(), await join()];
    const sees = await bob.sync().synced();
    const next = fresh();
    const { self } = await alice.rotate(next, { compromised: true });
    expect(self!.previousWireguardKey).toHaveLength(0);
    await until(() => toBase64(sees.peers[0]!.wireguardKey) === publicKey(next), 'bob sees the new key');
    expect(sees.peers[0]!.previousWireguardKey).toHaveLength(0);
    await expect(bob.rotate(alice.keys.wireguard)).rejects.toThrow('key-banned');
  });

  it('gets the same answer again when the first was lost', async () => {
    const alice = await join();
    await alice.sync().synced();
    const next = fresh();
    await alice.rotate(next);
    const before = (await plane.context.store.findNetwork('default'))!.revision;
    const again = await alice.rotate(next);
    expect(again.self!.nodeId).toBe(alice.nodeId);
    await until(async () => (await nodeNow(alice)).previousKey === undefined, 'it is over');
    expect((await alice.rotate(next)).self!.previousWireguardKey).toHaveLength(0);
    expect((await plane.context.store.findNetwork('default'))!.revision).toBeLessThanOrEqual(before + 1);
  });

  it.each([
    ['possession-unproven', { change: (request) => request.possessionProof.fill(1) }],
    ['challenge-bad', { change: (request) => request.challenge.fill(1) }],
    ['record-stale', { generation: 1 }],
    ['record-bad', { identity: makeKeys().identity }],
    ['record-bad', { path: makeKeys().path }],
    ['record-bad', { change: (request) => request.record!.record.fill(0, 30, 34) }],
    ['forbidden', { change: (request) => Object.assign(request, { nodeId: makeKeys().nodeId }) }],
  ] as [string, Parameters<FakeAgent['rotate']>[1]][])(
    'is refused with %s for what is not right',
    async (code, change) => {
      const alice = await join();
      await expect(alice.rotate(fresh(), change)).rejects.toThrow(code);
      expect((await nodeNow(alice)).publicKey).toBe(publicKey(alice.keys.wireguard));
    },
  );

  it('is refused when it does so all the time, but not the answer that it lost', async () => {
    const alice = await join();
    const taken = fresh();
    await alice.rotate(taken);
    const change: Parameters<FakeAgent['rotate']>[1] = { change: (request) => request.challenge.fill(1) };
    for (let i = 0; i < 99; i++)
      await expect(alice.rotate(fresh(), { ...change, generation: 3 })).rejects.toThrow('challenge-bad');
    await expect(alice.rotate(fresh(), { generation: 3 })).rejects.toThrow('too-many-requests');
    expect((await alice.rotate(taken)).self!.nodeId).toBe(alice.nodeId);
    expect((await nodeNow(alice)).publicKey).toBe(publicKey(taken));
  });

  it('cannot take a key that another has, keep its own, or use the challenge of another', async () => {
    const [alice, bob] = [await join(), await join()];
    await expect(alice.rotate(bob.keys.wireguard)).rejects.toThrow('key-taken');
    await expect(alice.rotate(alice.keys.wireguard)).rejects.toThrow('record-stale');
    const seen: Buffer[] = [];
    await bob.rotate(fresh(), { change: ({ challenge }) => void seen.push(challenge) });
    const stolen: Parameters<FakeAgent['rotate']>[1] = {
      change: (request) => Object.assign(request, { challenge: seen[0] }),
    };
    await expect(alice.rotate(fresh(), stolen)).rejects.toThrow('challenge-bad');
  });
});

describe('POST /nodes/:id/rotate-key', () => {
  it('tells the agent which generation is wanted, until it is there', async () => {
    const alice = await join();
    const own = await alice.sync().synced();
    const answer = await rest('POST', `/nodes/${alice.nodeId}/rotate-key`);
    expect([answer.statusCode, answer.json().rotateGeneration]).toEqual([200, 2]);
    await until(() => own.self!.rotateGeneration === 2, 'the agent hears it');
    await alice.rotate(fresh());
    expect((await rest('GET', `/nodes/${alice.nodeId}`)).json().rotateGeneration).toBeNull();
    await until(() => own.self!.rotateGeneration === 0, 'the agent hears that, too');
  });

  it('says of a vanilla member what to do instead', async () => {
    const phone = await plane.vanilla('phone');
    const answer = await rest('POST', `/nodes/${phone.id}/rotate-key`);
    expect([answer.statusCode, answer.json().code]).toEqual([409, 'vanilla-key']);
    expect(answer.json().detail).toContain('PATCH publicKey');
    await plane.context.store.deleteNode(phone.id, 'local');
  });
});
