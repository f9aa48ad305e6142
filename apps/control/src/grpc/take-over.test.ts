import { randomUUID } from 'node:crypto';
import { type HostPort, publicKeyFromBytes } from '@warren/base';
import { nobleProvider } from '@warren/crypto';
import type { NodeRow } from '@warren/db';
import { parseJoinToken } from '@warren/identity';
import { type JoinResponse, Role } from '@warren/proto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestPlane, type TestPlane } from '../testing/control-plane.fixture.js';
import { FakeAgent, type FakeKeys, type JoinOptions, makeKeys, unary } from '../testing/fake-agent.fixture.js';

let plane: TestPlane;
let names = 0;

beforeAll(async () => {
  plane = await startTestPlane();
});
afterAll(() => plane?.stop());

const publicKeyOf = (keys: FakeKeys) => publicKeyFromBytes(nobleProvider.publicKey(keys.wireguard.expose()));

/** A vanilla member with the WireGuard key of these keys. */
async function member(keys: FakeKeys, role: 'client' | 'bounce' = 'client', endpoint?: string): Promise<NodeRow> {
  const { store } = plane.context;
  const input = { networkId: plane.network!.id, name: `member-${++names}`, role, publicKey: publicKeyOf(keys) };
  return store.createVanilla({ ...input, ...(endpoint && { endpoint: endpoint as HostPort }) }, 'local');
}
const takeOver = (token: string, keys: FakeKeys, options: Partial<JoinOptions> = {}): Promise<FakeAgent> =>
  FakeAgent.join(token, { name: 'ignored', keys, takeOver: true, ...options });
const usesOf = async (token: string): Promise<number | undefined> => {
  const { items } = await plane.context.store.listTokens({ limit: 500 });
  return items.find(({ id }) => id === parseJoinToken(token)!.id)?.uses;
};

describe('an agent with the key of a vanilla member', () => {
  it('takes it over: same id, name, role, addresses, endpoint and key, in one change', async () => {
    const { store } = plane.context;
    const keys = makeKeys();
    const before = await member(keys, 'bounce', 'relay.example:51820');
    const { revision } = (await store.findNetwork(before.networkId))!;
    const token = await plane.token({ maxUses: 1, tags: ['moved'] });
    const agent = await takeOver(token, keys);
    expect(agent.joined.self).toMatchObject({
      ...{ nodeId: before.id, name: before.name, role: Role.ROLE_BOUNCE, endpoint: 'relay.example:51820' },
      addresses: before.addresses,
    });
    const after = (await store.findNode(before.id))!;
    expect(after).toMatchObject({
      ...{ kind: 'agent', status: 'active', publicKey: before.publicKey, addresses: before.addresses, tags: ['moved'] },
      record: { identityKey: Uint8Array.from(agent.request.record!.identityKey) },
    });
    const [change, ...more] = (await store.changesSince(before.networkId, revision))!;
    expect(more).toEqual([]);
    expect(change).toMatchObject({ nodeId: before.id, before: { kind: 'vanilla' }, after: { kind: 'agent' } });
    const { items } = await store.audit({ limit: 1 });
    expect(items[0]).toMatchObject({ action: 'node.take-over', subject: before.id });
    expect(await usesOf(token)).toBe(1);
    // From here on it is an agent like any other.
    expect((await agent.sync().synced()).farewell).toBeUndefined();
    agent.close();
  });

  it('repeated after a lost answer is the same, and spends nothing', async () => {
    const keys = makeKeys();
    await member(keys);
    const token = await plane.token({ maxUses: 1 });
    const first = await takeOver(token, keys);
    const again = await unary<JoinResponse>((done) => first.client(null).join(first.request, done));
    expect(again.self).toEqual(first.joined.self);
    expect(await usesOf(token)).toBe(1);
    first.close();
  });

  it('that has an id of its own is refused as before', async () => {
    const keys = makeKeys();
    await member(keys);
    const other = { ...keys, nodeId: randomUUID() };
    await expect(FakeAgent.join(await plane.token(), { name: 'other', keys: other })).rejects.toThrow('key-taken');
  });

  it('by a token for another role is refused, and nothing is spent', async () => {
    const keys = makeKeys();
    const { id } = await member(keys);
    const token = await plane.token({ role: 'direct' });
    await expect(takeOver(token, keys)).rejects.toThrow('role-conflict');
    expect(await usesOf(token)).toBe(0);
    expect(await plane.context.store.findNode(id)).toMatchObject({ kind: 'vanilla' });
  });

  it('must prove that it holds the key', async () => {
    const keys = makeKeys();
    const { id } = await member(keys);
    const change: JoinOptions['change'] = (request) => {
      request.possessionProof = Buffer.alloc(32, 1);
    };
    await expect(takeOver(await plane.token(), keys, { change })).rejects.toThrow('possession-unproven');
    expect(await plane.context.store.findNode(id)).toMatchObject({ kind: 'vanilla' });
  });

  it('cannot take over an agent, nor a member that was revoked', async () => {
    const keys = makeKeys();
    const { id } = await member(keys);
    await takeOver(await plane.token(), keys);
    const thief = { ...makeKeys(), wireguard: keys.wireguard, nodeId: id };
    await expect(takeOver(await plane.token(), thief)).rejects.toThrow('key-taken');
    const gone = makeKeys();
    const revoked = await member(gone);
    await plane.context.store.revokeNode(revoked.id, 'local');
    await expect(takeOver(await plane.token(), { ...gone, nodeId: revoked.id })).rejects.toThrow('key-banned');
  });

  it('of which two hosts try at once becomes one of them', async () => {
    const keys = makeKeys();
    const { id } = await member(keys);
    const token = await plane.token();
    const tries = [1, 2, 3].map(() => ({ ...makeKeys(), wireguard: keys.wireguard, nodeId: id }));
    const done = await Promise.allSettled(tries.map((each) => takeOver(token, each)));
    expect(done.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await usesOf(token)).toBe(1);
  });
});
