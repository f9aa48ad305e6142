import { randomBytes } from 'node:crypto';
import { type NodeId, publicKeyFromBytes, SecretKey } from '@warren/base';
import { pairId } from '@warren/topology';
import { describe, expect, test } from 'vitest';
import type { Store } from '../store-api.js';
import { makeNetwork, networkWithToken, openTestStore, uniqueName } from '../testing/members.js';
import { query } from '../testing/servers.js';

const key = () => publicKeyFromBytes(randomBytes(32));

/** Members without an agent: their keys, the settings of their files, preshared keys and config keys. */
export function vanillaSuite(given: () => { store: Store; url: string }): void {
  const member = async (more: Partial<Parameters<Store['createVanilla']>[0]> = {}) => {
    const network = await makeNetwork(given().store);
    const input = { networkId: network.id, name: uniqueName('phone'), role: 'client', ...more } as const;
    return { network, input, node: await given().store.createVanilla(input, 'admin') };
  };

  describe('a vanilla member', () => {
    test('without a key is pending with its addresses, is seen by nobody, and is active with its first key', async () => {
      const { store } = given();
      const { network, node } = await member({ tags: ['mobile'], settings: { dns: ['1.1.1.1'] } });
      expect(node).toMatchObject({
        status: 'pending',
        publicKey: null,
        tags: ['mobile'],
        settings: { dns: ['1.1.1.1'] },
      });
      expect(node.addresses).toEqual(['10.44.0.1', 'fd00:44::1']);
      expect((await store.loadNetwork(network.id))!.network.nodes.size).toBe(0);
      const publicKey = key();
      expect(await store.updateNode(node.id, { publicKey }, 'admin')).toMatchObject({ status: 'active', publicKey });
      expect((await store.loadNetwork(network.id))!.network.nodes.get(node.id)).toMatchObject({ publicKey });
      const [change] = (await store.changesSince(network.id, 2))!;
      expect(change).toMatchObject({ nodeId: node.id, before: null, after: { publicKey } });
    });

    test('that changes its key says that it is cut off until then, and the old key is nobody else’s', async () => {
      const { store } = given();
      const [first, second] = [key(), key()];
      const { network, node } = await member({ publicKey: first });
      expect(await store.updateNode(node.id, { publicKey: second }, 'admin')).toMatchObject({ publicKey: second });
      const [audited] = (await store.audit({ limit: 1 })).items;
      expect(audited).toMatchObject({
        action: 'node.update',
        details: { publicKey: second, replaces: first, interruption: expect.stringContaining('cut off') },
      });
      const thief = { networkId: network.id, name: uniqueName('thief'), role: 'client', publicKey: first } as const;
      await expect(store.createVanilla(thief, 'admin')).rejects.toMatchObject({ code: 'key-taken' });
      await expect(store.updateNode(node.id, { publicKey: first }, 'admin')).rejects.toMatchObject({
        code: 'key-taken',
      });
    });

    test('that is given the key it has does not change', async () => {
      const { store } = given();
      const publicKey = key();
      const { network, node } = await member({ publicKey });
      await store.updateNode(node.id, { publicKey, settings: {} }, 'admin');
      expect((await store.findNetwork(network.id))!.revision).toBe(2);
    });

    test('keeps settings key by key, and none that could not stand in a file', async () => {
      const { store } = given();
      const { node } = await member({ publicKey: key(), settings: { mtu: 1380, dns: ['lan'] } });
      const changed = await store.updateNode(node.id, { settings: { mtu: null, table: 'off' } }, 'admin');
      expect(changed.settings).toEqual({ dns: ['lan'], table: 'off' });
      const bad = store.updateNode(node.id, { settings: { postUp: ['a\nb'] } }, 'admin');
      await expect(bad).rejects.toMatchObject({ code: 'bad-request', message: expect.stringContaining('postUp') });
      expect((await store.findNode(node.id))!.settings).toEqual({ dns: ['lan'], table: 'off' });
    });

    test('is what a key can be set of: an agent makes its own', async () => {
      const { store } = given();
      const { join } = await networkWithToken(store);
      const { node } = await join();
      const refused = store.updateNode(node.id, { publicKey: key() }, 'admin');
      await expect(refused).rejects.toMatchObject({ code: 'not-vanilla' });
    });
  });

  describe('the settings of a network', () => {
    test('are defaults of all files: kept, merged, loaded, and refused where they are a node’s', async () => {
      const { store } = given();
      const network = await makeNetwork(store);
      await store.updateNetwork(network.id, { settings: { dns: ['9.9.9.9'], postUp: ['echo up'] } }, 'admin');
      const changed = await store.updateNetwork(network.id, { settings: { postUp: null, fwMark: 7 } }, 'admin');
      expect(changed.settings).toEqual({ dns: ['9.9.9.9'], fwMark: 7 });
      expect((await store.loadNetwork(network.id))!.network.settings).toEqual({ dns: ['9.9.9.9'], fwMark: 7 });
      const unchanged = await store.updateNetwork(network.id, { settings: { fwMark: 7 } }, 'admin');
      expect(unchanged.revision).toBe(changed.revision);
      const bad = store.updateNetwork(network.id, { settings: { listenPort: 51_820 } }, 'admin');
      await expect(bad).rejects.toMatchObject({ code: 'bad-request' });
    });
  });

  describe('the preshared key of a pair', () => {
    const pairOf = async () => {
      const { network, node } = await member({ publicKey: key() });
      const other = { networkId: network.id, name: uniqueName('tablet'), role: 'client', publicKey: key() } as const;
      return { network, pair: [node.id, (await given().store.createVanilla(other, 'admin')).id] as const };
    };

    test('is the one that was given, for either end, and loaded with the network', async () => {
      const { store } = given();
      const { network, pair } = await pairOf();
      const secret = new SecretKey(randomBytes(32));
      expect(await store.setPresharedKey(pair, secret, 'admin')).toMatchObject({ peerId: pair[1] });
      const loaded = (await store.loadNetwork(network.id))!.network.presharedKeys!;
      expect([...loaded.keys()]).toEqual([pairId(...pair)]);
      expect(loaded.get(pairId(...pair))!.expose()).toEqual(secret.expose());
      expect(await store.listPresharedKeys(pair[1])).toMatchObject([{ peerId: pair[0] }]);
      const [change] = (await store.changesSince(network.id, 3))!;
      expect(change).toMatchObject({ nodeId: null, pair: pairId(...pair), networkChanged: false });
    });

    test('is random when none is given, replaced by another, and gone when it is deleted', async () => {
      const { store } = given();
      const { network, pair } = await pairOf();
      const read = async () => [...(await store.presharedKeys(network.id)).values()].map((one) => one.expose().join());
      await store.setPresharedKey(pair, undefined, 'admin');
      const [first] = await read();
      await store.setPresharedKey([pair[1], pair[0]], undefined, 'admin');
      const [second, ...rest] = await read();
      expect(second).not.toBe(first);
      expect(rest).toEqual([]);
      await store.deletePresharedKey(pair, 'admin');
      expect(await read()).toEqual([]);
      await expect(store.deletePresharedKey(pair, 'admin')).rejects.toMatchObject({ code: 'not-found' });
    });

    test('is nowhere in the database as it is, and goes with a node that is deleted', async () => {
      const { store, url } = given();
      const { network, pair } = await pairOf();
      const secret = new SecretKey(randomBytes(32));
      await store.setPresharedKey(pair, secret, 'admin');
      const rows = await query(url, "SELECT encode(sealed, 'hex') AS sealed FROM preshared_key");
      const texts = JSON.stringify([
        rows,
        await query(url, 'SELECT * FROM change_log'),
        await query(url, 'SELECT details FROM audit_log'),
      ]);
      expect(texts).not.toContain(Buffer.from(secret.expose()).toString('hex'));
      expect(texts).not.toContain(Buffer.from(secret.expose()).toString('base64'));
      await store.deleteNode(pair[0], 'admin');
      expect((await store.presharedKeys(network.id)).size).toBe(0);
    });

    test('is refused for two agents, for one node, and for nodes of two networks', async () => {
      const { store } = given();
      const { join, network } = await networkWithToken(store);
      const [a, b] = [(await join()).node.id, (await join()).node.id];
      await expect(store.setPresharedKey([a, b], undefined, 'x')).rejects.toMatchObject({ code: 'not-vanilla' });
      const input = { networkId: network.id, name: uniqueName('phone'), role: 'client', publicKey: key() } as const;
      const { id } = await store.createVanilla(input, 'admin');
      expect(await store.setPresharedKey([a, id], undefined, 'x')).toMatchObject({ peerId: id });
      await expect(store.setPresharedKey([id, id], undefined, 'x')).rejects.toMatchObject({ code: 'bad-request' });
      const { pair } = await pairOf();
      await expect(store.setPresharedKey([id, pair[0]], undefined, 'x')).rejects.toMatchObject({ code: 'not-found' });
      const nobody = 'nobody' as NodeId;
      await expect(store.setPresharedKey([id, nobody], undefined, 'x')).rejects.toMatchObject({ code: 'not-found' });
    });

    test('does not open under another name or another sealing key', async () => {
      const { store, url } = given();
      const { network, pair } = await pairOf();
      const third = { networkId: network.id, name: uniqueName('c'), role: 'client', publicKey: key() } as const;
      const { id } = await store.createVanilla(third, 'admin');
      await store.setPresharedKey(pair, undefined, 'admin');
      await store.setPresharedKey([pair[0], id], undefined, 'admin');
      await query(url, 'UPDATE preshared_key SET sealed = (SELECT sealed FROM preshared_key LIMIT 1)');
      const other = await openTestStore(url);
      await expect(other.presharedKeys(network.id)).rejects.toMatchObject({ code: 'sealing-key-wrong' });
      await other.close();
      await query(url, 'DELETE FROM preshared_key');
    });
  });

  describe('a config key', () => {
    test('is shown once, kept hashed, finds its node, and is replaced or taken away', async () => {
      const { store, url } = given();
      const { network, node } = await member({ publicKey: key() });
      const made = await store.createConfigKey(node.id, 'admin');
      expect(made.secret).toMatch(/^warrenconf_[\w-]{43}$/);
      expect(made.node.configKeyCreatedAt).toBeInstanceOf(Date);
      expect(await store.checkConfigKey(made.secret)).toMatchObject({ id: node.id });
      expect((await store.findNetwork(network.id))!.revision).toBe(2);
      const all = JSON.stringify([await query(url, 'SELECT * FROM node'), await query(url, 'SELECT * FROM audit_log')]);
      expect(all).not.toContain(made.secret.slice(11));
      const next = await store.createConfigKey(node.id, 'admin');
      expect(await store.checkConfigKey(made.secret)).toBeUndefined();
      await store.deleteConfigKey(node.id, 'admin');
      expect(await store.checkConfigKey(next.secret)).toBeUndefined();
      await expect(store.deleteConfigKey(node.id, 'admin')).rejects.toMatchObject({ code: 'not-found' });
      expect((await store.findNode(node.id))!.configKeyCreatedAt).toBeNull();
    });

    test('is there from the beginning, in the transaction that makes the member', async () => {
      const { store, url } = given();
      const { network, node } = await member({ publicKey: key() });
      expect(await store.checkConfigKey(node.configKey)).toMatchObject({ id: node.id });
      expect(node.configKeyCreatedAt).toBeInstanceOf(Date);
      expect((await store.findNetwork(network.id))!.revision).toBe(2);
      const all = JSON.stringify([await query(url, 'SELECT * FROM node'), await query(url, 'SELECT * FROM audit_log')]);
      expect(all).not.toContain(node.configKey.slice(11));
      const next = await store.createConfigKey(node.id, 'admin');
      expect(await store.checkConfigKey(node.configKey)).toBeUndefined();
      expect(await store.checkConfigKey(next.secret)).toMatchObject({ id: node.id });
    });

    test('still names a revoked node, so that its host hears why, and nobody gets a new one', async () => {
      const { store } = given();
      const { node } = await member({ publicKey: key() });
      const { secret } = await store.createConfigKey(node.id, 'admin');
      await store.revokeNode(node.id, 'admin');
      expect(await store.checkConfigKey(secret)).toMatchObject({ id: node.id, status: 'revoked' });
      await expect(store.createConfigKey(node.id, 'admin')).rejects.toMatchObject({ code: 'node-revoked' });
    });

    test.each(['', 'warrenconf_', 'warrenkey_0_x', `warrenconf_${'x'.repeat(43)}`, `warrenconf_${'x'.repeat(44)}`])(
      'that is none finds nobody: %j',
      async (text) => {
        expect(await given().store.checkConfigKey(text)).toBeUndefined();
      },
    );
  });
}
