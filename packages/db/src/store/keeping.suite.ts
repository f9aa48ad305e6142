import type { NetworkId } from '@warren/base';
import { describe, expect, test } from 'vitest';
import type { Store } from '../store-api.js';
import { joinInput, makeNetwork, networkWithToken, openTestStore, prefixes, uniqueName } from '../testing/members.js';
import { query } from '../testing/servers.js';
import { ensureDefaultNetwork } from './default-network.js';

const NOWHERE = 'c0ffee00-0000-4000-8000-000000000000' as NetworkId;

/** Networks, tokens, addresses, secrets, API keys, audit. */
export function keepingSuite(given: () => { store: Store; url: string }): void {
  describe('networks', () => {
    test('are made, found by id and name, listed, changed and deleted', async () => {
      const { store } = given();
      const network = await makeNetwork(store, '10.9.0.0/16', 'fd00:0:0::/64');
      expect(network).toMatchObject({ cidrs: ['10.9.0.0/16', 'fd00::/64'], mtu: 1400, epoch: 1, revision: 1 });
      expect(await store.findNetwork(network.id)).toEqual(network);
      expect(await store.findNetwork(network.name)).toEqual(network);
      expect(await store.findNetwork('nothing')).toBeUndefined();
      const name = uniqueName('renamed');
      const changed = await store.updateNetwork(network.id, { name, mtu: 1380 }, 'admin');
      expect(changed).toMatchObject({ name, mtu: 1380, revision: 2 });
      expect(await store.updateNetwork(network.id, { mtu: 1380 }, 'admin')).toEqual(changed);
      expect((await store.listNetworks({ limit: 500 })).items).toContainEqual(changed);
      await store.deleteNetwork(network.id, 'admin');
      expect(await store.findNetwork(network.id)).toBeUndefined();
      await expect(store.deleteNetwork(network.id, 'admin')).rejects.toMatchObject({ code: 'not-found' });
      await expect(store.updateNetwork(NOWHERE, { mtu: 1300 }, 'admin')).rejects.toMatchObject({ code: 'not-found' });
    });

    test('with a name that is taken, or CIDRs and MTUs that cannot work, are refused with one line', async () => {
      const { store } = given();
      const { name } = await makeNetwork(store);
      const other = await makeNetwork(store);
      const make = (change: object) =>
        store.createNetwork({ name: uniqueName('n'), cidrs: prefixes('10.0.0.0/8'), ...change }, 'admin');
      await expect(make({ name })).rejects.toMatchObject({ code: 'name-taken' });
      await expect(store.updateNetwork(other.id, { name }, 'admin')).rejects.toMatchObject({ code: 'name-taken' });
      for (const change of [
        { cidrs: [] },
        { cidrs: prefixes('10.0.0.0/31') },
        { cidrs: prefixes('300.0.0.0/8') },
        { cidrs: prefixes('10.9.8.7/16') },
        { cidrs: prefixes('10.0.0.0/8', '10.1.0.0/16') },
        { mtu: 1000 },
        { name: 'a b' },
      ]) {
        await expect(make(change)).rejects.toMatchObject({
          code: 'bad-request',
          message: expect.not.stringMatching(/\n/),
        });
      }
    });

    test('with nodes are not deleted; revoked nodes do not keep one', async () => {
      const { store } = given();
      const { network, join } = await networkWithToken(store);
      const { node } = await join();
      await expect(store.deleteNetwork(network.id, 'admin')).rejects.toMatchObject({ code: 'network-not-empty' });
      await store.revokeNode(node.id, 'admin');
      await store.deleteNetwork(network.id, 'admin');
      expect(await store.loadNetwork(network.id)).toBeUndefined();
      expect(await store.changesSince(network.id, 1)).toBeUndefined();
    });
  });

  describe('tokens', () => {
    test('are kept hashed, looked at without spending, and refused for a reason', async () => {
      const { store, url } = given();
      const { id: networkId } = await makeNetwork(store);
      const { token, secret } = await store.createToken({ networkId, maxUses: 3, tags: ['a', 'b'] }, 'admin');
      expect(secret).toHaveLength(32);
      expect(token).toMatchObject({ networkId, role: null, tags: ['a', 'b'], maxUses: 3, uses: 0, expiresAt: null });
      expect(await store.checkToken(token.id, secret)).toMatchObject({ token, network: { id: networkId } });
      const [row] = await query<{ text: string }>(
        url,
        'select join_token::text as text from join_token where id = $1',
        [token.id],
      );
      expect(row?.text).not.toContain(Buffer.from(secret).toString('hex'));
      const wrong = store.checkToken(token.id, new Uint8Array(32));
      await expect(wrong).rejects.toMatchObject({ code: 'token-unknown' });
      await expect(store.checkToken('nobody', secret)).rejects.toMatchObject({ code: 'token-unknown' });
      await store.revokeToken(token.id, 'admin');
      await store.revokeToken(token.id, 'admin');
      await expect(store.checkToken(token.id, secret)).rejects.toMatchObject({ code: 'token-revoked' });
      await expect(store.revokeToken('nobody', 'admin')).rejects.toMatchObject({ code: 'not-found' });
      await expect(store.createToken({ networkId: NOWHERE }, 'admin')).rejects.toMatchObject({ code: 'not-found' });
      for (const bad of [{ maxUses: 0 }, { expiresAt: new Date(0) }, { tags: ['no space'] }]) {
        await expect(store.createToken({ networkId, ...bad }, 'x')).rejects.toMatchObject({ code: 'bad-request' });
      }
    });

    test('expire', async () => {
      const { store, url } = given();
      const { id: networkId } = await makeNetwork(store);
      const made = await store.createToken({ networkId, expiresAt: new Date(Date.now() + 60_000) }, 'admin');
      await query(url, 'update join_token set expires_at = now() where id = $1', [made.token.id]);
      const expired = { code: 'token-expired' };
      await expect(store.checkToken(made.token.id, made.secret)).rejects.toMatchObject(expired);
      await expect(store.join(joinInput(made), 'x')).rejects.toMatchObject(expired);
    });
  });

  describe('addresses (invariant 12)', () => {
    test('never used ones come first, rested ones later, resting ones not at all', async () => {
      const { store, url } = given();
      const { join } = await networkWithToken(store, '10.1.0.0/29', 'fd01::/64');
      const nodes = [];
      for (let i = 0; i < 5; i++) nodes.push((await join()).node);
      expect(nodes.map(({ addresses }) => addresses[0])).toEqual([1, 2, 3, 4, 5].map((n) => `10.1.0.${n}`));
      await store.revokeNode(nodes[0]!.id, 'admin');
      await store.deleteNode(nodes[1]!.id, 'admin');
      expect((await join()).node.addresses[0]).toBe('10.1.0.6');
      await expect(join()).rejects.toMatchObject({ code: 'addresses-exhausted' });
      const rest = `update node_address set rested_at = now() - $2::interval where address = $1`;
      await query(url, rest, ['10.1.0.1', '25 hours']);
      await query(url, rest, ['10.1.0.2', '26 hours']);
      expect((await join()).node.addresses[0]).toBe('10.1.0.2');
      expect((await join()).node.addresses[0]).toBe('10.1.0.1');
      await expect(join()).rejects.toMatchObject({ code: 'addresses-exhausted' });
    });
  });

  describe('the default network', () => {
    test('is made once, by one of several replicas', async () => {
      const { url } = given();
      const stores = await Promise.all([openTestStore(url), openTestStore(url)]);
      try {
        await query(url, 'delete from node_address');
        await query(url, 'delete from network');
        const made = await Promise.all([...stores, ...stores].map((store) => ensureDefaultNetwork(store)));
        expect(new Set(made.map((network) => network?.id)).size).toBe(1);
        expect(made[0]).toMatchObject({
          name: 'default',
          cidrs: ['10.44.0.0/16', expect.stringMatching(/^fd.*::\/64$/)],
        });
        await makeNetwork(stores[0]!);
        await stores[0]!.deleteNetwork(made[0]!.id, 'admin');
        expect(await ensureDefaultNetwork(stores[1]!)).toBeUndefined();
      } finally {
        await Promise.all(stores.map((store) => store.close()));
      }
    });
  });

  describe('secrets', () => {
    test('are sealed, shared, and the first writer wins', async () => {
      const { store, url } = given();
      const other = await openTestStore(url);
      try {
        const values = [1, 2, 3, 4, 5, 6].map((n) => new Uint8Array(40).fill(n));
        const got = await Promise.all(
          values.map((value, i) => (i % 2 ? store : other).secret('ca-key', async () => value)),
        );
        expect(new Set(got.map((value) => value[0])).size).toBe(1);
        expect(await store.secret('ca-key', () => new Uint8Array(1))).toEqual(got[0]);
        const [row] = await query<{ sealed: Buffer }>(url, `select sealed from secret where name = 'ca-key'`);
        expect(row?.sealed.includes(Buffer.from(got[0]!))).toBe(false);
        await query(url, `update secret set name = 'moved' where name = 'ca-key'`);
        await expect(store.secret('moved', () => new Uint8Array(1))).rejects.toMatchObject({
          code: 'sealing-key-wrong',
        });
      } finally {
        await other.close();
      }
    });

    test('a wrong sealing key is told at once', async () => {
      const { url } = given();
      const wrong = { sealingKey: new Uint8Array(32).fill(9) };
      await expect(openTestStore(url, wrong)).rejects.toMatchObject({ code: 'sealing-key-wrong' });
      await expect(openTestStore(url, { sealingKey: new Uint8Array(5) })).rejects.toMatchObject({
        code: 'bad-request',
      });
    });
  });

  describe('API keys', () => {
    test('are made, checked, listed and deleted; kept hashed', async () => {
      const { store, url } = given();
      const { key, secret } = await store.createApiKey(
        'ci',
        { scopes: ['nodes:read'], expiresAt: new Date('2100-01-01') },
        'admin',
      );
      expect(await store.checkApiKey(secret)).toMatchObject({
        id: key.id,
        name: 'ci',
        scopes: ['nodes:read'],
        lastUsedAt: expect.any(Date),
      });
      expect(await store.listApiKeys()).toContainEqual(expect.objectContaining({ id: key.id }));
      const last = secret.at(-2) === 'A' ? 'B' : 'A';
      for (const bad of ['', 'x', `${secret.slice(0, -2)}${last}${secret.at(-1)}`, secret.slice(0, -1), `${secret}A`]) {
        expect(await store.checkApiKey(bad)).toBeUndefined();
      }
      const [row] = await query<{ text: string }>(url, 'select api_key::text as text from api_key where id = $1', [
        key.id,
      ]);
      expect(row?.text).not.toContain(secret.split('_').at(-1));
      await store.deleteApiKey(key.id, 'admin');
      expect(await store.checkApiKey(secret)).toBeUndefined();
      await expect(store.deleteApiKey(key.id, 'admin')).rejects.toMatchObject({ code: 'not-found' });
      await expect(store.createApiKey(' ', { scopes: ['admin'], expiresAt: null }, 'admin')).rejects.toMatchObject({
        code: 'bad-request',
      });
    });
  });

  describe('audit', () => {
    test('says who did what, newest first, in pages, without secrets', async () => {
      const { store } = given();
      const { network, token, join } = await networkWithToken(store);
      const { node } = await join();
      await store.revokeNode(node.id, 'apikey:7');
      await store.deleteNode(node.id, 'local');
      const first = await store.audit({ limit: 3 });
      const second = await store.audit({ limit: 2, cursor: first.nextCursor! });
      const all = [...first.items, ...second.items];
      expect(all.map(({ action, actor }) => [action, actor])).toEqual([
        ['node.delete', 'local'],
        ['node.revoke', 'apikey:7'],
        ['node.join', `token:${token.token.id}`],
        ['token.create', 'admin'],
        ['network.create', 'admin'],
      ]);
      expect(all.every(({ networkId }) => networkId === network.id)).toBe(true);
      expect(all[2]).toMatchObject({ subject: node.id, details: { name: node.name, addresses: [...node.addresses] } });
      await expect(store.audit({ cursor: 'x' })).rejects.toMatchObject({ code: 'bad-request' });
    });
  });
}
