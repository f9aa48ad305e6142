import { randomBytes } from 'node:crypto';
import type { HostPort, NetworkId, NodeId, PublicKey } from '@warren/base';
import { publicKeyFromBytes } from '@warren/base';
import { describe, expect, test } from 'vitest';
import type { Store } from '../store-api.js';
import { joinInput, makeNetwork, networkWithToken, uniqueName } from '../testing/members.js';
import { query } from '../testing/servers.js';

/** Joining, being found, changing, revoking, leaving. */
export function membersSuite(given: () => { store: Store; url: string }): void {
  describe('joining', () => {
    test('gives a node an address of each family, the role of the token, its tags and its ephemeral flag', async () => {
      const { store } = given();
      const network = await makeNetwork(store);
      const made = { networkId: network.id, role: 'direct', tags: ['web'], ephemeral: true } as const;
      const token = await store.createToken(made, 'admin');
      const input = joinInput(token, { endpoint: '203.0.113.5:51820' as HostPort });
      const joined = await store.join(input, 'token:x');
      expect(joined).toMatchObject({ repeated: false, network: { id: network.id, revision: network.revision + 1 } });
      expect(joined.node).toMatchObject({
        ...{ id: input.nodeId, name: input.name, role: 'direct', kind: 'agent', status: 'active', tags: ['web'] },
        ...{ ephemeral: true, listenPort: 51_820, endpoint: '203.0.113.5:51820', record: input.record },
        addresses: ['10.44.0.1', 'fd00:44::1'],
      });
      expect(await store.findNode(input.nodeId)).toEqual(joined.node);
    });

    test('again with the same token and identity gives the same answer and spends nothing, also when used up', async () => {
      const { store } = given();
      const network = await makeNetwork(store);
      const token = await store.createToken({ networkId: network.id, maxUses: 1 }, 'admin');
      const input = joinInput(token);
      const first = await store.join(input, 'token:x');
      const again = await store.join(input, 'token:x');
      expect(again).toEqual({ ...first, repeated: true });
      expect((await store.listTokens({ networkId: network.id })).items[0]).toMatchObject({ uses: 1 });
      expect(await store.findNetwork(network.id)).toMatchObject({ revision: first.network.revision });
      await expect(store.join(joinInput(token), 'token:x')).rejects.toMatchObject({ code: 'token-used-up' });
    });

    test('again by the same identity with other keys is refused', async () => {
      const { store } = given();
      const { token } = await networkWithToken(store);
      const input = joinInput(token);
      await store.join(input, 'token:x');
      const other = { ...input, publicKey: publicKeyFromBytes(randomBytes(32)) };
      await expect(store.join(other, 'token:x')).rejects.toMatchObject({ code: 'key-taken' });
    });

    test('with another good token by a node that is there already is that node', async () => {
      const { store } = given();
      const { network, token } = await networkWithToken(store);
      const input = joinInput(token);
      const first = await store.join(input, 'token:x');
      const second = await store.createToken({ networkId: network.id, maxUses: 1 }, 'admin');
      const tokenInput = { tokenId: second.token.id, tokenSecret: second.secret };
      expect(await store.join({ ...input, ...tokenInput }, 'token:y')).toMatchObject({
        node: first.node,
        repeated: true,
      });
      await store.revokeToken(second.token.id, 'admin');
      await expect(store.join({ ...input, ...tokenInput }, 'y')).rejects.toMatchObject({ code: 'token-revoked' });
    });

    test('a token for a role refuses another role, and a public node must be reachable', async () => {
      const { store } = given();
      const network = await makeNetwork(store);
      const token = await store.createToken({ networkId: network.id, role: 'bounce' }, 'admin');
      await expect(store.join(joinInput(token, { role: 'client' }), 'x')).rejects.toMatchObject({
        code: 'role-conflict',
      });
      await expect(store.join(joinInput(token), 'x')).rejects.toMatchObject({ code: 'endpoint-missing' });
      expect((await store.listTokens({ networkId: network.id })).items[0]).toMatchObject({ uses: 0 });
      const free = await store.createToken({ networkId: network.id }, 'admin');
      const endpoint = 'relay.example:51820' as HostPort;
      expect((await store.join(joinInput(free, { role: 'bounce', endpoint }), 'x')).node).toMatchObject({
        ...{ role: 'bounce', endpoint },
      });
    });

    test('names and keys that are in use are refused', async () => {
      const { store } = given();
      const { join, token } = await networkWithToken(store);
      const { node } = await join({ name: 'laptop' });
      await expect(join({ name: 'laptop' })).rejects.toMatchObject({ code: 'name-taken' });
      await expect(join({ publicKey: node.publicKey! })).rejects.toMatchObject({ code: 'key-taken' });
      await expect(join({ nodeId: node.id })).rejects.toMatchObject({ code: 'bad-request' });
      await expect(join({ name: 'no spaces' })).rejects.toMatchObject({ code: 'bad-request' });
      const unknown = { ...joinInput(token), tokenSecret: new Uint8Array(32) };
      await expect(store.join(unknown, 'x')).rejects.toMatchObject({ code: 'token-unknown' });
      expect((await store.listNodes({ networkId: node.networkId })).items).toHaveLength(1);
    });

    test('the same keys may join two networks', async () => {
      const { store } = given();
      const a = await networkWithToken(store);
      const b = await networkWithToken(store);
      const { publicKey, record } = joinInput(a.token);
      const first = await a.join({ publicKey, record });
      const second = await b.join({ publicKey, record });
      expect(second.node.networkId).not.toBe(first.node.networkId);
      expect(await store.findNodeByIdentity(record.identityKey, b.network.id)).toEqual(second.node);
      expect(await store.findNodeByIdentity(record.identityKey, a.network.id)).toEqual(first.node);
    });

    test('50 joins at once with a token for 10 make exactly 10 nodes with addresses of their own', async () => {
      const { store } = given();
      const network = await makeNetwork(store);
      const token = await store.createToken({ networkId: network.id, maxUses: 10 }, 'admin');
      const results = await Promise.allSettled(Array.from({ length: 50 }, () => store.join(joinInput(token), 'x')));
      const refused = results.filter((result) => result.status === 'rejected').map(({ reason }) => reason.code);
      expect(refused).toEqual(Array.from({ length: 40 }, () => 'token-used-up'));
      const { items } = await store.listNodes({ networkId: network.id });
      expect(items).toHaveLength(10);
      expect(new Set(items.flatMap((node) => node.addresses)).size).toBe(20);
      expect((await store.findNetwork(network.id))?.revision).toBe(network.revision + 10);
    });

    test('the same join 10 times at once is one node', async () => {
      const { store } = given();
      const network = await makeNetwork(store);
      const token = await store.createToken({ networkId: network.id, maxUses: 5 }, 'admin');
      const input = joinInput(token);
      const joined = await Promise.all(Array.from({ length: 10 }, () => store.join(input, 'x')));
      expect(joined.filter(({ repeated }) => !repeated)).toHaveLength(1);
      expect((await store.listTokens({ networkId: network.id })).items[0]).toMatchObject({ uses: 1 });
    });
  });

  describe('vanilla members', () => {
    const publicKey = (): PublicKey => publicKeyFromBytes(randomBytes(32));

    test('are made without a record, and need, when public, an endpoint', async () => {
      const { store } = given();
      const { id: networkId } = await makeNetwork(store);
      const key = publicKey();
      const node = await store.createVanilla({ networkId, name: 'phone', role: 'client', publicKey: key }, 'admin');
      expect(node).toMatchObject({
        kind: 'vanilla',
        status: 'active',
        publicKey: key,
        addresses: ['10.44.0.1', 'fd00:44::1'],
      });
      expect(node.record).toBeUndefined();
      const make = (change: object) =>
        store.createVanilla(
          { networkId, name: uniqueName('v'), role: 'client', publicKey: publicKey(), ...change },
          'admin',
        );
      await expect(make({ name: 'phone' })).rejects.toMatchObject({ code: 'name-taken' });
      await expect(make({ publicKey: key })).rejects.toMatchObject({ code: 'key-taken' });
      await expect(make({ role: 'direct' })).rejects.toMatchObject({ code: 'endpoint-missing' });
      await expect(make({ publicKey: 'AAAA' })).rejects.toMatchObject({ code: 'bad-request' });
      const elsewhere = 'c0ffee00-0000-4000-8000-000000000000' as NetworkId;
      await expect(make({ networkId: elsewhere })).rejects.toMatchObject({ code: 'not-found' });
      await store.revokeNode(node.id, 'admin');
      await expect(make({ publicKey: key })).rejects.toMatchObject({ code: 'key-banned' });
    });
  });

  describe('nodes', () => {
    test('are listed in pages and filtered by network, status and text', async () => {
      const { store } = given();
      const { network, join } = await networkWithToken(store);
      const names: string[] = [];
      for (const word of ['alpha', 'beta', 'beta-two', 'gamma', 'x100'])
        names.push((await join({ name: word })).node.name);
      const networkId = network.id;
      const seen: string[] = [];
      let cursor: string | null | undefined;
      do {
        const page = await store.listNodes({ networkId, limit: 2, ...(cursor && { cursor }) });
        expect(page.items.length).toBeLessThanOrEqual(2);
        seen.push(...page.items.map(({ name }) => name));
        cursor = page.nextCursor;
      } while (cursor);
      expect(seen).toEqual(names);
      const found = async (q: string) => (await store.listNodes({ networkId, q })).items.map(({ name }) => name);
      expect(await found('BETA')).toEqual(['beta', 'beta-two']);
      expect(await found('%')).toEqual([]);
      expect(await found('x_00')).toEqual([]);
      expect(await found('10.44.0.4')).toEqual(['gamma']);
      expect(await found('fd00:44::1')).toEqual(['alpha']);
      for (const half of ['1', '10.44', '10.44.0.999', '1.2.3.4.5', ':', 'fd00:', '2001:db8:::1']) {
        expect(await found(half)).toEqual(half === '1' ? ['x100'] : []);
      }
      await store.revokeNode((await store.findNode('gamma', networkId))!.id, 'admin');
      expect((await store.listNodes({ networkId, status: 'revoked' })).items.map(({ name }) => name)).toEqual([
        'gamma',
      ]);
      expect((await store.listNodes({ networkId, status: 'active' })).items).toHaveLength(4);
      await expect(store.listNodes({ limit: 0 })).rejects.toMatchObject({ code: 'bad-request' });
      await expect(store.listNodes({ cursor: 'nonsense' })).rejects.toMatchObject({ code: 'bad-request' });
    });

    test('a name in several networks must be looked for in one', async () => {
      const { store } = given();
      const a = await networkWithToken(store);
      const b = await networkWithToken(store);
      const name = uniqueName('twin');
      const { node } = await a.join({ name });
      expect(await store.findNode(name)).toEqual(node);
      await b.join({ name });
      await expect(store.findNode(name)).rejects.toMatchObject({ code: 'bad-request' });
      expect(await store.findNode(name, a.network.id)).toEqual(node);
      expect(await store.findNode(node.id, b.network.id)).toBeUndefined();
      expect(await store.findNode('nobody')).toBeUndefined();
    });

    test('are renamed and moved to another endpoint; a change of nothing is none', async () => {
      const { store } = given();
      const { network, join } = await networkWithToken(store);
      const endpoint = '198.51.100.1:1' as HostPort;
      const { node } = await join({ role: 'direct', endpoint });
      await join({ name: 'other' });
      const revision = (await store.findNetwork(network.id))!.revision;
      expect(await store.updateNode(node.id, { name: node.name, endpoint }, 'admin')).toEqual(node);
      expect((await store.findNetwork(network.id))!.revision).toBe(revision);
      const moved = '198.51.100.2:2' as HostPort;
      const changed = { name: 'renamed', endpoint: moved, listenPort: 2 };
      expect(await store.updateNode(node.id, changed, 'admin')).toMatchObject(changed);
      await expect(store.updateNode(node.id, { name: 'other' }, 'admin')).rejects.toMatchObject({ code: 'name-taken' });
      const nobody = 'c0ffee00-0000-4000-8000-000000000000' as NodeId;
      await expect(store.updateNode(nobody, { name: 'x' }, 'admin')).rejects.toMatchObject({ code: 'not-found' });
    });

    test('claims of a start generation: newer ones win, equal ones only when resuming', async () => {
      const { store } = given();
      const { join } = await networkWithToken(store);
      const { node } = await join();
      expect(await store.claimGeneration(node.id, 3, false)).toBe(true);
      expect(await store.claimGeneration(node.id, 3, false)).toBe(false);
      expect(await store.claimGeneration(node.id, 3, true)).toBe(true);
      expect(await store.claimGeneration(node.id, 2, true)).toBe(false);
      const races = await Promise.all(Array.from({ length: 8 }, () => store.claimGeneration(node.id, 4, false)));
      expect(races.filter(Boolean)).toHaveLength(1);
      expect((await store.findNode(node.id))?.startGeneration).toBe(4);
    });
  });

  describe('revoking and leaving', () => {
    test('a revoked node keeps its row, its keys stay banned even when it is deleted, its name is free', async () => {
      const { store, url } = given();
      const { network, join, token } = await networkWithToken(store);
      const input = joinInput(token, { name: 'lost' });
      const { node } = await store.join(input, 'x');
      const revoked = await store.revokeNode(node.id, 'admin');
      expect(revoked).toMatchObject({ id: node.id, status: 'revoked', addresses: [] });
      expect(revoked.revokedAt).toBeInstanceOf(Date);
      expect(await store.revokeNode(node.id, 'admin')).toEqual(revoked);
      expect((await store.findNode('lost', network.id))?.id).toBe(node.id);
      await expect(store.updateNode(node.id, { name: 'found' }, 'x')).rejects.toMatchObject({ code: 'node-revoked' });
      const banned = { code: 'key-banned' };
      await expect(store.join(input, 'x')).rejects.toMatchObject(banned);
      await store.deleteNode(node.id, 'admin');
      await expect(store.join(input, 'x')).rejects.toMatchObject(banned);
      await expect(join({ publicKey: input.publicKey })).rejects.toMatchObject(banned);
      await expect(join({ record: input.record })).rejects.toMatchObject(banned);
      expect((await join({ name: 'lost' })).node.name).toBe('lost');
      expect((await store.loadNetwork(network.id))?.tombstones).toHaveLength(1);
      await expect(store.revokeNode(node.id, 'admin')).rejects.toMatchObject({ code: 'not-found' });
      const states = await query(url, 'select distinct state from node_key where key = $1', [input.record.identityKey]);
      expect(states).toEqual([{ state: 'banned' }]);
    });

    test('the id of a revoked node is never given to another one, which could not be revoked and nobody would trust', async () => {
      const { store } = given();
      const { join } = await networkWithToken(store);
      const { node } = await join();
      await store.revokeNode(node.id, 'admin');
      await store.deleteNode(node.id, 'admin');
      await expect(join({ nodeId: node.id })).rejects.toMatchObject({ code: 'key-banned' });
    });

    test('a node that left may come back with the same keys, with a use of its own', async () => {
      const { store } = given();
      const network = await makeNetwork(store);
      const token = await store.createToken({ networkId: network.id, maxUses: 2 }, 'admin');
      const input = joinInput(token);
      const { node } = await store.join(input, 'x');
      await store.deleteNode(node.id, `node:${node.id}`);
      expect(await store.findNode(node.id)).toBeUndefined();
      await expect(store.deleteNode(node.id, 'admin')).rejects.toMatchObject({ code: 'not-found' });
      const back = await store.join(input, 'x');
      expect(back).toMatchObject({ repeated: false });
      expect((await store.listTokens({ networkId: network.id })).items[0]).toMatchObject({ uses: 2 });
      await store.deleteNode(node.id, `node:${node.id}`);
      await expect(store.join(input, 'x')).rejects.toMatchObject({ code: 'token-used-up' });
    });

    test('a failing signature undoes the whole revocation', async () => {
      const { store, url } = given();
      const { openTestStore } = await import('../testing/members.js');
      const { join } = await networkWithToken(store);
      const { node } = await join();
      const broken = await openTestStore(url, {
        signTombstone: () => {
          throw new Error('no signing key');
        },
      });
      try {
        await expect(broken.revokeNode(node.id, 'admin')).rejects.toThrow('no signing key');
      } finally {
        await broken.close();
      }
      expect(await store.findNode(node.id)).toEqual(node);
    });
  });
}
