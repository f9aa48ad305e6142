import { randomBytes } from 'node:crypto';
import { type NodeId, type PublicKey, publicKeyFromBytes } from '@warren/base';
import { describe, expect, test } from 'vitest';
import type { Store } from '../store-api.js';
import { joinInput, makeNetwork, openTestStore } from '../testing/members.js';
import { query } from '../testing/servers.js';

const DAY = 86_400_000;

const anyKey = (): PublicKey => publicKeyFromBytes(randomBytes(32));
const at = (date: number | undefined): number => date ?? Number.NaN;

/** Nodes that wait, are disabled, expire, come back, or have a copy. */
export function lifecycleSuite(given: () => { store: Store; url: string }): void {
  const setup = async (token: { approval?: boolean; ephemeral?: boolean } = {}) => {
    const { store, url } = given();
    const network = await makeNetwork(store);
    const made = await store.createToken({ networkId: network.id, ...token }, 'admin');
    const join = async () => {
      const input = joinInput(made);
      return { input, node: (await store.join(input, 'x')).node };
    };
    const revision = async () => (await store.findNetwork(network.id))!.revision;
    const seen = async () => [...(await store.loadNetwork(network.id))!.network.nodes.keys()];
    const actions = async (id: NodeId) =>
      (await store.audit({ limit: 500 })).items.filter(({ subject }) => subject === id).map(({ action }) => action);
    /** As if the key had been made, and were to expire, so many seconds earlier. */
    const age = (id: NodeId, seconds: number) =>
      query(
        url,
        `update node set key_changed_at = key_changed_at - $2 * interval '1 second',
           key_expires_at = key_expires_at - $2 * interval '1 second' where id = $1`,
        [id, seconds],
      );
    const expire = async (id: NodeId) => {
      await store.extendNode(id, new Date(Date.now() + 1_000), 'admin');
      await age(id, 10);
      expect(await store.expireNode(id, 'control')).toBe(true);
    };
    return { store, url, network, made, join, revision, seen, actions, age, expire };
  };

  describe('a token that asks for approval', () => {
    test('gives a node with address and name that nobody sees, until it is approved', async () => {
      const { store, join, seen, actions, revision } = await setup({ approval: true });
      const { node } = await join();
      expect(node).toMatchObject({ status: 'pending', disabledAt: null });
      expect(node.addresses).toHaveLength(2);
      expect(await seen()).toEqual([]);
      const approved = await store.approveNode(node.id, 'admin');
      expect(approved).toMatchObject({ status: 'active', addresses: node.addresses });
      expect(await seen()).toEqual([node.id]);
      const before = await revision();
      await store.approveNode(node.id, 'admin');
      expect(await revision()).toBe(before);
      expect(await actions(node.id)).toEqual(['node.approve', 'node.join']);
    });

    test('repeated, gives the same waiting node and spends nothing', async () => {
      const { store, made, join } = await setup({ approval: true });
      const { input, node } = await join();
      const again = await store.join(input, 'x');
      expect(again).toMatchObject({ repeated: true, node: { id: node.id, status: 'pending' } });
      expect((await store.findToken(made.token.id))!.uses).toBe(1);
    });

    test('is not got round by another token', async () => {
      const { store, network, join } = await setup({ approval: true });
      const { input, node } = await join();
      const free = await store.createToken({ networkId: network.id }, 'admin');
      await store.join({ ...input, tokenId: free.token.id, tokenSecret: free.secret }, 'x');
      expect((await store.findNode(node.id))!.status).toBe('pending');
    });

    test('gives a node that can be revoked or deleted while it waits', async () => {
      const { store, network, join } = await setup({ approval: true });
      const [one, two] = [await join(), await join()];
      await store.revokeNode(one.node.id, 'admin');
      await expect(store.approveNode(one.node.id, 'admin')).rejects.toMatchObject({ code: 'node-revoked' });
      await expect(store.join(one.input, 'x')).rejects.toMatchObject({ code: 'key-banned' });
      expect((await store.loadNetwork(network.id))!.tombstones).toHaveLength(1);
      await store.deleteNode(two.node.id, 'admin');
      expect(await store.findNode(two.node.id)).toBeUndefined();
      expect((await store.join(two.input, 'x')).node.status).toBe('pending');
    });
  });

  describe('a disabled node', () => {
    test('is pending again and seen by nobody, keeps name and addresses, and comes back when it is approved', async () => {
      const { store, network, join, seen, revision } = await setup();
      const { node } = await join();
      const before = await revision();
      const disabled = await store.disableNode(node.id, 'admin');
      expect(disabled).toMatchObject({ status: 'pending', name: node.name, addresses: node.addresses });
      expect(disabled.disabledAt).toBeInstanceOf(Date);
      expect(await seen()).toEqual([]);
      expect(await store.changesSince(network.id, before)).toMatchObject([{ before: { id: node.id }, after: null }]);
      await store.disableNode(node.id, 'admin');
      expect(await revision()).toBe(before + 1);
      expect(await store.approveNode(node.id, 'admin')).toMatchObject({ status: 'active', disabledAt: null });
      expect(await seen()).toEqual([node.id]);
    });

    test('is not let in by joining again', async () => {
      const { store, join } = await setup();
      const { input, node } = await join();
      await store.disableNode(node.id, 'admin');
      expect((await store.join(input, 'x')).node.status).toBe('pending');
    });

    test('that is revoked stays revoked', async () => {
      const { store, join } = await setup();
      const { node } = await join();
      await store.disableNode(node.id, 'admin');
      await store.revokeNode(node.id, 'admin');
      await expect(store.approveNode(node.id, 'admin')).rejects.toMatchObject({ code: 'node-revoked' });
      await expect(store.disableNode(node.id, 'admin')).rejects.toMatchObject({ code: 'node-not-active' });
    });
  });

  describe('the key of a node', () => {
    test('lives as long as its network says when it joins', async () => {
      const { store, network, join } = await setup();
      expect((await join()).node.keyExpiresAt).toBeUndefined();
      await store.updateNetwork(network.id, { keyExpiryMs: DAY }, 'admin');
      const { node } = await join();
      expect(Math.abs(at(node.keyExpiresAt) - Date.now() - DAY)).toBeLessThan(60_000);
    });

    test('gets what is left of a life that is set later, and at least the time of warning', async () => {
      const { store, network, join, age } = await setup();
      const [young, old] = [await join(), await join()];
      await store.updateNetwork(network.id, { keyExpiryMs: 100 * DAY }, 'admin');
      await age(old.node.id, 99 * 86_400);
      await store.updateNetwork(network.id, { keyExpiryMs: 10 * DAY }, 'admin');
      const left = async (id: NodeId) => at((await store.findNode(id))!.keyExpiresAt) - Date.now();
      expect(Math.abs((await left(young.node.id)) - 10 * DAY)).toBeLessThan(60_000);
      expect(Math.abs((await left(old.node.id)) - DAY)).toBeLessThan(60_000);
      await store.updateNetwork(network.id, { keyExpiryMs: null }, 'admin');
      expect((await store.findNode(old.node.id))!.keyExpiresAt).toBeUndefined();
    });

    test('that runs out is warned of once, and then ends the node, whoever of many looks', async () => {
      const { store, url, network, join, age, seen, actions } = await setup();
      await store.updateNetwork(network.id, { keyExpiryMs: 1_000_000 }, 'admin');
      const { node } = await join();
      const due = async () => (await store.dueKeys()).filter(({ id }) => id === node.id).map((key) => key.due);
      expect(await due()).toEqual([]);
      expect(await store.expireNode(node.id, 'control')).toBe(false);
      await age(node.id, 910);
      expect(await due()).toEqual(['warning']);
      const other = await openTestStore(url);
      try {
        const all = [store, other, store, other];
        const warned = await Promise.all(all.map((it) => it.warnOfExpiry(node.id, 'control')));
        expect(warned.filter(Boolean)).toHaveLength(1);
        expect(await due()).toEqual([]);
        await age(node.id, 100);
        expect(await due()).toEqual(['expiry']);
        const ended = await Promise.all(all.map((it) => it.expireNode(node.id, 'control')));
        expect(ended.filter(Boolean)).toHaveLength(1);
      } finally {
        await other.close();
      }
      expect(await store.findNode(node.id)).toMatchObject({ status: 'expired', addresses: node.addresses });
      expect(await seen()).toEqual([]);
      expect(await due()).toEqual([]);
      expect(await actions(node.id)).toEqual(['node.expire', 'node.key-expiring', 'node.join']);
    });

    test('is warned of anew when it got another end', async () => {
      const { store, network, join, age } = await setup();
      await store.updateNetwork(network.id, { keyExpiryMs: 1_000_000 }, 'admin');
      const { node } = await join();
      await age(node.id, 950);
      expect(await store.warnOfExpiry(node.id, 'control')).toBe(true);
      await store.extendNode(node.id, undefined, 'admin');
      await age(node.id, 950);
      expect(await store.warnOfExpiry(node.id, 'control')).toBe(true);
    });

    test('is extended by an operator, which brings an expired node back', async () => {
      const { store, join, expire, seen } = await setup();
      const { node } = await join();
      await expire(node.id);
      await expect(store.approveNode(node.id, 'admin')).rejects.toMatchObject({ code: 'node-expired' });
      const until = new Date(Date.now() + DAY);
      expect(await store.extendNode(node.id, until, 'admin')).toMatchObject({
        status: 'active',
        keyExpiresAt: until.getTime(),
      });
      expect(await seen()).toEqual([node.id]);
      expect((await store.extendNode(node.id, null, 'admin')).keyExpiresAt).toBeUndefined();
    });

    test('has no end for vanilla members, and none in the past for anybody', async () => {
      const { store, network, join } = await setup();
      await store.updateNetwork(network.id, { keyExpiryMs: DAY }, 'admin');
      const member = { networkId: network.id, name: 'router', role: 'client', publicKey: anyKey() } as const;
      const vanilla = await store.createVanilla(member, 'admin');
      expect(vanilla.keyExpiresAt).toBeUndefined();
      await expect(store.extendNode(vanilla.id, null, 'admin')).rejects.toMatchObject({ code: 'bad-request' });
      const { node } = await join();
      const past = store.extendNode(node.id, new Date(Date.now() - 1), 'admin');
      await expect(past).rejects.toMatchObject({ code: 'bad-request' });
    });

    test('is given a new life when its node is approved after it ran out', async () => {
      const { store, network, join, age } = await setup({ approval: true });
      await store.updateNetwork(network.id, { keyExpiryMs: DAY }, 'admin');
      const { node } = await join();
      await age(node.id, 2 * 86_400);
      expect(await store.expireNode(node.id, 'control')).toBe(false);
      const approved = await store.approveNode(node.id, 'admin');
      expect(at(approved.keyExpiresAt)).toBeGreaterThan(Date.now());
    });
  });

  describe('an expired node that joins again', () => {
    test('is what it was, with a new key and a new life, for a use of a token that is still good', async () => {
      const { store, network, join, expire, seen, actions } = await setup();
      const { input, node } = await join();
      await store.updateNetwork(network.id, { keyExpiryMs: DAY }, 'admin');
      await expire(node.id);
      const token = await store.createToken({ networkId: network.id, maxUses: 1 }, 'admin');
      const again = { ...input, tokenId: token.token.id, tokenSecret: token.secret, publicKey: anyKey() };
      const back = await store.join(again, 'x');
      expect(back).toMatchObject({ repeated: false, node: { id: node.id, name: node.name, status: 'active' } });
      expect(back.node.addresses).toEqual(node.addresses);
      expect(back.node.publicKey).toBe(again.publicKey);
      expect(at(back.node.keyExpiresAt)).toBeGreaterThan(Date.now() + DAY / 2);
      expect(await seen()).toEqual([node.id]);
      // The answer may have been lost: again the same, and no second use.
      expect(await store.join(again, 'x')).toMatchObject({ repeated: true, node: { id: node.id } });
      expect((await store.findToken(token.token.id))!.uses).toBe(1);
      expect((await actions(node.id))[0]).toBe('node.rejoin');
    });

    test('is refused with a token that is spent, and with a key that another node had', async () => {
      const { store, network, join, expire } = await setup();
      const once = await store.createToken({ networkId: network.id, maxUses: 1 }, 'admin');
      const input = joinInput(once);
      const { node } = await store.join(input, 'x');
      const other = await join();
      await expire(node.id);
      await expect(store.join(input, 'x')).rejects.toMatchObject({ code: 'token-used-up' });
      const fresh = await store.createToken({ networkId: network.id }, 'admin');
      const again = { ...input, tokenId: fresh.token.id, tokenSecret: fresh.secret };
      const stolen = store.join({ ...again, publicKey: other.input.publicKey }, 'x');
      await expect(stolen).rejects.toMatchObject({ code: 'key-taken' });
      expect((await store.findToken(fresh.token.id))!.uses).toBe(0);
    });

    test('waits when the token asks for approval, and keeps its role against the token', async () => {
      const { store, network, join, expire } = await setup();
      const { input, node } = await join();
      await expire(node.id);
      const withToken = async (change: { role?: 'bounce'; approval?: boolean }) => {
        const made = await store.createToken({ networkId: network.id, ...change }, 'admin');
        return { ...input, tokenId: made.token.id, tokenSecret: made.secret };
      };
      const conflict = store.join(await withToken({ role: 'bounce' }), 'x');
      await expect(conflict).rejects.toMatchObject({ code: 'role-conflict' });
      const { node: back } = await store.join(await withToken({ approval: true }), 'x');
      expect(back).toMatchObject({ id: node.id, status: 'pending' });
    });

    test('is refused after it was revoked', async () => {
      const { store, network, join, expire } = await setup();
      const { input, node } = await join();
      await expire(node.id);
      await store.revokeNode(node.id, 'admin');
      const fresh = await store.createToken({ networkId: network.id }, 'admin');
      const again = { ...input, tokenId: fresh.token.id, tokenSecret: fresh.secret };
      await expect(store.join(again, 'x')).rejects.toMatchObject({ code: 'key-banned' });
      await expect(store.extendNode(node.id, null, 'admin')).rejects.toMatchObject({ code: 'node-revoked' });
    });
  });

  describe('a copy of a node', () => {
    test('is noted once until somebody has seen to it, without a revision', async () => {
      const { store, join, revision, actions } = await setup();
      const { node } = await join();
      const before = await revision();
      const sighting = { startGeneration: 3, from: '192.0.2.7' };
      expect(await store.noteClone(node.id, sighting, 'control')).toBe(true);
      expect(await store.noteClone(node.id, sighting, 'control')).toBe(false);
      expect((await store.findNode(node.id))!.cloneNoticedAt).toBeInstanceOf(Date);
      expect((await store.clearClone(node.id, 'admin')).cloneNoticedAt).toBeNull();
      await store.clearClone(node.id, 'admin');
      expect(await store.noteClone(node.id, sighting, 'control')).toBe(true);
      expect(await revision()).toBe(before);
      expect(await actions(node.id)).toEqual(['node.clone', 'node.clone-seen', 'node.clone', 'node.join']);
    });

    test('once seen to, any start of the node may connect', async () => {
      const { store, join } = await setup();
      const { node } = await join();
      await store.claimGeneration(node.id, 9, true);
      await store.noteClone(node.id, { startGeneration: 4, from: null }, 'control');
      expect(await store.claimGeneration(node.id, 4, true)).toBe(false);
      await store.clearClone(node.id, 'admin');
      expect(await store.claimGeneration(node.id, 4, true)).toBe(true);
    });
  });

  describe('a node', () => {
    test('gets other tags and another role', async () => {
      const { store, join, network } = await setup();
      const { node } = await join();
      const endpoint = '192.0.2.1:51820' as never;
      expect((await store.updateNode(node.id, { tags: ['web', 'eu'] }, 'admin')).tags).toEqual(['web', 'eu']);
      const direct = store.updateNode(node.id, { role: 'direct' }, 'admin');
      await expect(direct).rejects.toMatchObject({ code: 'endpoint-missing' });
      await store.updateNode(node.id, { role: 'bounce', endpoint }, 'admin');
      await store.updateNode(node.id, { signalPort: 3478 }, 'admin');
      expect((await store.loadNetwork(network.id))!.network.nodes.get(node.id)).toMatchObject({
        role: 'bounce',
        endpoint,
        signalPort: 3478,
      });
      const client = await store.updateNode(node.id, { role: 'client' }, 'admin');
      expect(client).toMatchObject({ role: 'client', tags: ['web', 'eu'] });
      expect(client.endpoint ?? client.signalPort).toBeUndefined();
      const bad = store.updateNode(node.id, { tags: ['no tag'] }, 'admin');
      await expect(bad).rejects.toMatchObject({ code: 'bad-request' });
    });

    test('that is ephemeral goes also while it waits or after it expired, but not while it is disabled', async () => {
      const { store, url, network, join, expire } = await setup({ ephemeral: true, approval: true });
      const [waiting, expired, disabled] = [await join(), await join(), await join()];
      await store.approveNode(expired.node.id, 'admin');
      await expire(expired.node.id);
      await store.disableNode(disabled.node.id, 'admin');
      await query(url, `update node set created_at = created_at - interval '1 hour' where network_id = $1`, [
        network.id,
      ]);
      await store.updateNetwork(network.id, { ephemeralAfterMs: 60_000 }, 'admin');
      const gone = (await store.presences('ephemeral')).filter(({ networkId }) => networkId === network.id);
      expect(new Set(gone.map(({ id }) => id))).toEqual(new Set([waiting.node.id, expired.node.id]));
      expect(gone.every(({ ephemeralAfterMs }) => ephemeralAfterMs === 60_000)).toBe(true);
      const remove = ({ node }: { node: { id: NodeId } }) => store.removeEphemeral(node.id, 60_000, 'control');
      expect(await Promise.all([waiting, expired, disabled].map(remove))).toEqual([true, true, false]);
    });
  });

  describe('a list of tokens', () => {
    test('is of those in one state', async () => {
      const { store, url, network, made } = await setup();
      const make = (change: object) => store.createToken({ networkId: network.id, ...change }, 'admin');
      const usedUp = await make({ maxUses: 1 });
      await store.join(joinInput(usedUp), 'x');
      const expired = await make({ expiresAt: new Date(Date.now() + 60_000), maxUses: 1 });
      await query(url, `update join_token set expires_at = now() - interval '1 second' where id = $1`, [
        expired.token.id,
      ]);
      const revoked = await make({ name: 'for the fair', approval: true });
      await store.revokeToken(revoked.token.id, 'admin');
      const of = async (state: 'usable' | 'used-up' | 'expired' | 'revoked') =>
        (await store.listTokens({ networkId: network.id, state })).items.map(({ id }) => id);
      expect(await of('usable')).toEqual([made.token.id]);
      expect(await of('used-up')).toEqual([usedUp.token.id]);
      expect(await of('expired')).toEqual([expired.token.id]);
      expect(await of('revoked')).toEqual([revoked.token.id]);
      expect(await store.findToken(revoked.token.id)).toMatchObject({ name: 'for the fair', approval: true });
      expect(await store.findToken('nonsense')).toBeUndefined();
    });
  });

  describe('the times of a network', () => {
    test('are kept, told to agents, and refused when they are absurd', async () => {
      const { store, network } = await setup();
      const times = { offlineToleranceMs: 0, keyRotationMs: DAY, ephemeralAfterMs: 5_000, keyExpiryMs: 2 * DAY };
      expect(await store.updateNetwork(network.id, times, 'admin')).toMatchObject(times);
      const { keyExpiryMs, offlineToleranceMs } = (await store.loadNetwork(network.id))!.network;
      expect({ keyExpiryMs, offlineToleranceMs }).toEqual({ keyExpiryMs: 2 * DAY, offlineToleranceMs: 0 });
      for (const bad of [{ keyExpiryMs: 0 }, { ephemeralAfterMs: 999 }, { offlineToleranceMs: -1 }]) {
        await expect(store.updateNetwork(network.id, bad, 'admin')).rejects.toMatchObject({ code: 'bad-request' });
      }
    });
  });
}
