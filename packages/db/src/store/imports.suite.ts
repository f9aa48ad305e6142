import { randomBytes, randomUUID } from 'node:crypto';
import { type HostPort, type IpAddress, nodeId, publicKeyFromBytes, SecretKey } from '@warren/base';
import { type PlannedNode, pairId } from '@warren/topology';
import { describe, expect, test } from 'vitest';
import type { Store } from '../store-api.js';
import { joinInput, makeNetwork, uniqueName } from '../testing/members.js';
import { query } from '../testing/servers.js';

const planned = (name: string, address: string, more: Partial<PlannedNode> = {}): PlannedNode => ({
  ...{ id: nodeId(randomUUID()), name, role: 'client', publicKey: publicKeyFromBytes(randomBytes(32)) },
  ...{ addresses: [address as IpAddress], settings: {} },
  ...more,
});
const CIDRS = ['10.7.0.0/24'];

/** Networks that move in whole, and members that agents take over. */
export function importsSuite(given: () => { store: Store; url: string }): void {
  const input = () => {
    const bounce = planned('hub', '10.7.0.1', { role: 'bounce', endpoint: 'hub.example:51820' as HostPort });
    const phone = planned('phone', '10.7.0.9', { settings: { dns: ['1.1.1.1'], postUp: ['echo up'] } });
    const key = new SecretKey(randomBytes(32));
    const plan = { cidrs: CIDRS, nodes: [bounce, phone], presharedKeys: [{ a: phone.id, b: bounce.id, key }] };
    return { ...plan, name: uniqueName('moved'), key, bounce, phone };
  };

  describe('importing', () => {
    test('makes network and members at once: keys, addresses, settings and preshared keys as planned', async () => {
      const { store } = given();
      const { key, bounce, phone, ...plan } = input();
      const made = await store.importNetwork(plan, 'admin');
      expect(made).toMatchObject({ created: true, network: { name: plan.name, cidrs: CIDRS, revision: 1 } });
      const { network, revision } = (await store.loadNetwork(made.network.id))!;
      expect(revision).toBe(1);
      expect(network.nodes.get(phone.id)).toEqual({ ...phone, kind: 'vanilla' });
      expect(network.nodes.get(bounce.id)).toMatchObject({ role: 'bounce', endpoint: 'hub.example:51820' });
      expect(network.presharedKeys!.get(pairId(phone.id, bounce.id))!.expose()).toEqual(key.expose());
      const [audited] = (await store.audit({ limit: 1 })).items;
      expect(audited).toMatchObject({
        action: 'network.import',
        details: { nodes: ['hub', 'phone'], presharedKeys: 1 },
      });
      expect(JSON.stringify(audited)).not.toContain(Buffer.from(key.expose()).toString('base64'));
    });

    test('leaves its addresses to their nodes: the next ones get others', async () => {
      const { store } = given();
      const { network } = await store.importNetwork(input(), 'admin');
      const taken = [];
      for (let i = 0; i < 8; i++) {
        const publicKey = publicKeyFromBytes(randomBytes(32));
        const node = { networkId: network.id, name: uniqueName('new'), role: 'client', publicKey } as const;
        taken.push(...(await store.createVanilla(node, 'admin')).addresses);
      }
      expect(taken).toEqual([2, 3, 4, 5, 6, 7, 8, 10].map((n) => `10.7.0.${n}`));
    });

    test('fills a network without members, which takes its prefixes; followers take a snapshot', async () => {
      const { store } = given();
      const network = await makeNetwork(store);
      const token = await store.createToken({ networkId: network.id }, 'admin');
      const made = await store.importNetwork({ ...input(), name: network.name }, 'admin');
      expect(made).toMatchObject({ created: false, network: { id: network.id, cidrs: CIDRS, pools: [] } });
      expect(await store.changesSince(network.id, network.revision)).toMatchObject([{ networkChanged: true }]);
      expect((await store.join(joinInput(token), 'token:x')).node.addresses).toEqual(['10.7.0.2']);
    });

    test('into a network with members is refused, and changes nothing', async () => {
      const { store } = given();
      const first = input();
      const { network } = await store.importNetwork(first, 'admin');
      await expect(store.importNetwork({ ...input(), name: first.name }, 'admin')).rejects.toMatchObject({
        code: 'network-not-empty',
      });
      expect(await store.findNetwork(network.id)).toEqual(network);
    });

    test('refuses keys that were revoked there, and leaves nothing half made', async () => {
      const { store } = given();
      const { bounce, phone, ...plan } = input();
      const { network } = await store.importNetwork(plan, 'admin');
      for (const { id } of [bounce, phone]) await store.revokeNode(id, 'admin');
      const again = {
        ...plan,
        nodes: [planned('fresh', '10.7.0.3'), { ...phone, id: nodeId(randomUUID()) }],
        presharedKeys: [],
      };
      await expect(store.importNetwork(again, 'admin')).rejects.toMatchObject({ code: 'key-banned' });
      expect((await store.loadNetwork(network.id))!.network.nodes.size).toBe(0);
      const bad = {
        ...plan,
        name: uniqueName('bad'),
        nodes: [planned('a', '10.7.0.3'), planned('b', '10.7.0.3')],
        presharedKeys: [],
      };
      await expect(store.importNetwork(bad, 'admin')).rejects.toThrow();
      expect(await store.findNetwork(bad.name)).toBeUndefined();
    });

    test('keeps preshared keys sealed', async () => {
      const { store, url } = given();
      const { key, ...plan } = input();
      await store.importNetwork(plan, 'admin');
      const [{ found }] = (await query(
        url,
        "SELECT count(*)::int AS found FROM preshared_key WHERE position(decode('" +
          Buffer.from(key.expose()).toString('hex') +
          "', 'hex') IN sealed) > 0",
      )) as [{ found: number }];
      expect(found).toBe(0);
    });
  });

  describe('taking a vanilla member over', () => {
    test('is found by its key in its own network only, as long as it is one', async () => {
      const { store } = given();
      const { phone, ...plan } = input();
      const { network } = await store.importNetwork(plan, 'admin');
      const other = await makeNetwork(store);
      expect(await store.findVanillaByKey(network.id, phone.publicKey)).toMatchObject({ id: phone.id, name: 'phone' });
      expect(await store.findVanillaByKey(other.id, phone.publicKey)).toBeUndefined();
      const token = await store.createToken({ networkId: network.id, maxUses: 1 }, 'admin');
      const join = joinInput(token, { nodeId: phone.id, publicKey: phone.publicKey, name: 'anything' });
      const { node, repeated } = await store.join(join, 'token:x');
      expect(repeated).toBe(false);
      expect(node).toMatchObject({
        ...{ id: phone.id, name: 'phone', kind: 'agent', addresses: ['10.7.0.9'], record: join.record },
        settings: phone.settings,
      });
      expect(await store.findVanillaByKey(network.id, phone.publicKey)).toBeUndefined();
      expect(await store.join(join, 'token:x')).toMatchObject({ repeated: true, node: { id: phone.id } });
      expect(await store.findNodeByIdentity(join.record.identityKey)).toMatchObject({ id: phone.id });
    });
  });
}
