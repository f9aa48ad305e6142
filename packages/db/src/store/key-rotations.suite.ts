import { randomBytes } from 'node:crypto';
import { type PublicKey, publicKeyFromBytes } from '@warren/base';
import type { SignedRecord } from '@warren/topology';
import { describe, expect, test } from 'vitest';
import type { KeyRotation } from '../key-store-api.js';
import type { NodeRow, Store } from '../store-api.js';
import { joinInput, networkWithToken, openTestStore } from '../testing/members.js';
import { query } from '../testing/servers.js';

const freshKey = (): PublicKey => publicKeyFromBytes(randomBytes(32));

/** What an agent sends after its `turn`th change. */
function rotation(node: NodeRow, change: Partial<KeyRotation> = {}): KeyRotation {
  const record: SignedRecord = {
    record: Uint8Array.from(randomBytes(80)),
    identityKey: node.record!.identityKey,
    signature: Uint8Array.from(randomBytes(64)),
  };
  const base = { nodeId: node.id, publicKey: freshKey(), record, generation: 2, compromised: false };
  return { ...base, replaces: node.publicKey!, ...change };
}

/** Keys that are replaced. */
export function keyRotationsSuite(given: () => { store: Store; url: string }): void {
  const setup = async () => {
    const { store, url } = given();
    const { network, token, join } = await networkWithToken(store);
    const { node } = await join();
    const revision = async () => (await store.findNetwork(network.id))!.revision;
    const last = async () => (await store.changesSince(network.id, (await revision()) - 1))!.at(-1)!;
    const seen = async () => (await store.loadNetwork(network.id))!.network.nodes.get(node.id)!;
    const overlaps = async () => (await store.keyOverlaps()).filter(({ networkId }) => networkId === network.id);
    return { store, url, network, token, join, node, revision, last, seen, overlaps };
  };

  describe('a key that is replaced', () => {
    test('is accepted for a while with the record that vouched for it, and both are in the change log', async () => {
      const { store, node, revision, last, seen, overlaps } = await setup();
      const before = await revision();
      const input = rotation(node);
      const { node: after, network } = await store.rotateKey(input, `node:${node.id}`);
      expect([network.revision, await revision()]).toEqual([before + 1, before + 1]);
      expect(after.publicKey).toBe(input.publicKey);
      expect(after.previousKey).toEqual({ publicKey: node.publicKey, record: node.record });
      expect(after.keyChangedAt.getTime()).toBeGreaterThanOrEqual(node.keyChangedAt.getTime());
      expect(after.overlapUntil!.getTime() - Date.now()).toBeGreaterThan(590_000);
      const row = await last();
      expect([row.before?.publicKey, row.after]).toEqual([node.publicKey, await seen()]);
      expect((await seen()).previousKey).toEqual(after.previousKey);
      const [overlap] = await overlaps();
      expect(overlap).toMatchObject({ nodeId: node.id, previous: node.publicKey });
      expect(overlap!.leftMs).toBeGreaterThan(590_000);
      const [entry] = (await store.audit({ limit: 1 })).items;
      expect(entry).toMatchObject({ action: 'node.rotate-key', subject: node.id, actor: `node:${node.id}` });
      expect(entry!.details).toMatchObject({ from: node.publicKey, to: input.publicKey, compromised: false });
    });

    test('gets the same answer when the agent asks again', async () => {
      const { store, node, revision } = await setup();
      const input = rotation(node);
      const first = await store.rotateKey(input, 'x');
      const before = await revision();
      expect(await store.rotateKey({ ...input, replaces: input.publicKey }, 'x')).toEqual(first);
      expect(await revision()).toBe(before);
    });

    test('is given up once, whoever decides it, and only if it is still that one', async () => {
      const { store, url, node, revision, seen, overlaps } = await setup();
      await store.rotateKey(rotation(node), 'x');
      const before = await revision();
      const other = await openTestStore(url);
      try {
        expect(await store.endKeyOverlap(node.id, freshKey(), 'control')).toBe(false);
        const ended = await Promise.all(
          [store, other, store].map((it) => it.endKeyOverlap(node.id, node.publicKey!, 'control')),
        );
        expect(ended.filter(Boolean)).toHaveLength(1);
      } finally {
        await other.close();
      }
      expect(await revision()).toBe(before + 1);
      expect((await seen()).previousKey).toBeUndefined();
      expect((await store.findNode(node.id))!.overlapUntil).toBeNull();
      expect(await overlaps()).toEqual([]);
      await expect(store.endKeyOverlap('nobody' as never, node.publicKey!, 'x')).rejects.toMatchObject({
        code: 'not-found',
      });
    });

    test('says when its time is over', async () => {
      const { store, url, node, overlaps } = await setup();
      await store.rotateKey(rotation(node), 'x');
      await query(url, `update node set overlap_until = now() - interval '1 second' where id = $1`, [node.id]);
      expect((await overlaps())[0]!.leftMs).toBeLessThan(0);
    });

    test('stays its node’s, so that nobody can have it, not even the same node again', async () => {
      const { store, node, token, join } = await setup();
      const input = rotation(node);
      const { node: after } = await store.rotateKey(input, 'x');
      await expect(join({ publicKey: node.publicKey! })).rejects.toMatchObject({ code: 'key-taken' });
      await expect(join({ publicKey: input.publicKey })).rejects.toMatchObject({ code: 'key-taken' });
      const back = rotation(after, { publicKey: node.publicKey!, generation: 3 });
      await expect(store.rotateKey(back, 'x')).rejects.toMatchObject({ code: 'key-taken' });
      const { node: second } = await store.join(joinInput(token), 'x');
      await expect(store.rotateKey(rotation(second, { publicKey: input.publicKey }), 'x')).rejects.toMatchObject({
        code: 'key-taken',
      });
    });

    test('is banned at once when it is in wrong hands, for ever', async () => {
      const { store, node, join, overlaps } = await setup();
      const { node: second } = await store.rotateKey(rotation(node), 'x');
      const { node: third } = await store.rotateKey(rotation(second, { generation: 3, compromised: true }), 'x');
      expect([third.previousKey, third.overlapUntil]).toEqual([undefined, null]);
      expect(await overlaps()).toEqual([]);
      await store.deleteNode(node.id, 'admin');
      for (const publicKey of [node.publicKey!, second.publicKey!]) {
        await expect(join({ publicKey })).rejects.toMatchObject({ code: 'key-banned' });
      }
      expect((await join({ publicKey: third.publicKey! })).node.status).toBe('active');
    });

    test('twice in a row leaves the newest two', async () => {
      const { store, node, seen } = await setup();
      const { node: second } = await store.rotateKey(rotation(node), 'x');
      const { node: third } = await store.rotateKey(rotation(second, { generation: 3 }), 'x');
      expect([(await seen()).publicKey, (await seen()).previousKey?.publicKey]).toEqual([
        third.publicKey,
        second.publicKey,
      ]);
    });

    test('by two at once is one change: the other hears that it was changed', async () => {
      const { store, node } = await setup();
      const both = [rotation(node), rotation(node)].map((input) =>
        store.rotateKey(input, 'x').catch((error: Error) => error),
      );
      const errors = (await Promise.all(both)).filter((it) => it instanceof Error);
      expect(errors).toMatchObject([{ code: 'key-changed' }]);
    });

    test('goes with its node when that is revoked', async () => {
      const { store, node, join } = await setup();
      await store.rotateKey(rotation(node), 'x');
      await store.revokeNode(node.id, 'admin');
      await expect(join({ publicKey: node.publicKey! })).rejects.toMatchObject({ code: 'key-banned' });
    });

    test('puts off the expiry of the node', async () => {
      const { store, url, network, node } = await setup();
      await query(url, 'update network set key_expiry_ms = 3600000 where id = $1', [network.id]);
      const { node: after } = await store.rotateKey(rotation(node), 'x');
      expect(after.keyExpiresAt! - after.keyChangedAt.getTime()).toBe(3_600_000);
    });
  });

  describe('another key that an operator asks for', () => {
    test('is wanted until the agent has it', async () => {
      const { store, node, revision, seen } = await setup();
      const asked = await store.requestRotation(node.id, () => 4, 'admin');
      expect([asked.rotateGeneration, (await seen()).rotateGeneration]).toEqual([5, 5]);
      const before = await revision();
      await store.requestRotation(node.id, () => 4, 'admin');
      expect(await revision()).toBe(before);
      const { node: old } = await store.rotateKey(rotation(node, { generation: 4 }), 'x');
      expect(old.rotateGeneration).toBe(5);
      const { node: after } = await store.rotateKey(rotation(old, { generation: 5 }), 'x');
      expect(after.rotateGeneration).toBeUndefined();
    });

    test('is refused for whoever has none to change', async () => {
      const { store, network, node } = await setup();
      const vanilla = await store.createVanilla(
        { networkId: network.id, name: 'phone', role: 'client', publicKey: freshKey() },
        'admin',
      );
      const ask = (id: NodeRow['id']) => store.requestRotation(id, () => 1, 'admin');
      await expect(ask(vanilla.id)).rejects.toMatchObject({ code: 'vanilla-key' });
      await expect(ask('nobody' as never)).rejects.toMatchObject({ code: 'not-found' });
      await store.revokeNode(node.id, 'admin');
      await expect(ask(node.id)).rejects.toMatchObject({ code: 'node-not-active' });
      await expect(store.rotateKey(rotation(node), 'x')).rejects.toMatchObject({ code: 'node-not-active' });
    });
  });
}
