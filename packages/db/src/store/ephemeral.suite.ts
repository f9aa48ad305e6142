import type { NodeId } from '@warren/base';
import { describe, expect, test } from 'vitest';
import type { Store } from '../store-api.js';
import { joinInput, makeNetwork, openTestStore } from '../testing/members.js';
import { query } from '../testing/servers.js';

const LONG = 60_000;

/** Ephemeral nodes that are seen, and removed when they are not. */
export function ephemeralSuite(given: () => { store: Store; url: string }): void {
  const setup = async () => {
    const { store, url } = given();
    const network = await makeNetwork(store);
    const token = await store.createToken({ networkId: network.id, ephemeral: true, tags: ['ci'] }, 'admin');
    const lasting = await store.createToken({ networkId: network.id }, 'admin');
    const join = async (from = token) => (await store.join(joinInput(from), 'x')).node;
    const age = (id: NodeId, seconds: number) =>
      query(
        url,
        `update node set seen_at = seen_at - $2 * interval '1 second', created_at = created_at - $2 * interval '1 second'
         where id = $1`,
        [id, seconds],
      );
    const revision = async () => (await store.findNetwork(network.id))!.revision;
    const known = async () =>
      (await store.presences('ephemeral')).filter(({ networkId }) => networkId === network.id).map(({ id }) => id);
    return { store, url, network, token, lasting, join, age, revision, known };
  };

  describe('an ephemeral node', () => {
    test('is known by when a stream of it was open, and before the first one by when it joined', async () => {
      const { store, network, lasting, join, age, known, revision } = await setup();
      const [one, two] = [await join(), await join()];
      await join(lasting);
      const before = await revision();
      expect(new Set(await known())).toEqual(new Set([one.id, two.id]));
      await age(one.id, 100);
      await age(two.id, 100);
      await store.noteSeen([two.id]);
      const seen = (await store.presences('ephemeral')).filter(({ networkId }) => networkId === network.id);
      const unseen = new Map(seen.map(({ id, unseenMs }) => [id, unseenMs]));
      expect(unseen.get(one.id)).toBeGreaterThanOrEqual(100_000);
      expect(unseen.get(two.id)).toBeLessThan(30_000);
      expect((await store.presences('bounce')).some(({ networkId }) => networkId === network.id)).toBe(false);
      expect(await revision()).toBe(before);
    });

    test('that is gone is removed by one of many who see it, in the change log as any deletion', async () => {
      const { store, url, network, join, age, revision } = await setup();
      const other = await openTestStore(url);
      try {
        const node = await join();
        await age(node.id, 100);
        const before = await revision();
        const decide = (it: Store) => it.removeEphemeral(node.id, LONG, 'control').catch((error: Error) => error);
        const decided = await Promise.all([store, other, store, other].map(decide));
        expect(decided.filter((it) => it === true)).toHaveLength(1);
        // Who came too late to see the node at all says so.
        const late = decided.filter((it) => it instanceof Error);
        for (const error of late) expect(error).toMatchObject({ code: 'not-found' });
        expect(await store.findNode(node.id)).toBeUndefined();
        expect(await store.changesSince(network.id, before)).toMatchObject([
          { nodeId: node.id, before: { id: node.id }, after: null, tombstone: null },
        ]);
        const { items } = await store.audit({ limit: 500 });
        expect(items.filter(({ subject, action }) => subject === node.id && action === 'node.delete')).toMatchObject([
          { actor: 'control', details: { name: node.name, ephemeral: true } },
        ]);
      } finally {
        await other.close();
      }
    });

    test('that was removed leaves its name and keys free, and its address at rest', async () => {
      const { store, token, age } = await setup();
      const input = joinInput(token);
      const { node } = await store.join(input, 'x');
      await age(node.id, 100);
      expect(await store.removeEphemeral(node.id, LONG, 'control')).toBe(true);
      const again = await store.join(input, 'x');
      expect(again).toMatchObject({ repeated: false, node: { id: node.id, name: node.name, ephemeral: true } });
      expect(again.node.addresses).toHaveLength(node.addresses.length);
      for (const address of again.node.addresses) expect(node.addresses).not.toContain(address);
    });

    test('stays while it was seen, and as soon as a stream of it begins', async () => {
      const { store, join, age, revision } = await setup();
      const node = await join();
      const before = await revision();
      expect(await store.removeEphemeral(node.id, LONG, 'control')).toBe(false);
      await age(node.id, 100);
      await store.noteSeen([node.id]);
      expect(await store.removeEphemeral(node.id, LONG, 'control')).toBe(false);
      await age(node.id, 100);
      expect(await store.claimGeneration(node.id, 1, true)).toBe(true);
      expect(await store.removeEphemeral(node.id, LONG, 'control')).toBe(false);
      expect(await revision()).toBe(before);
      await age(node.id, 100);
      const [claimed, removed] = await Promise.all([
        store.claimGeneration(node.id, 2, true),
        store.removeEphemeral(node.id, LONG, 'control'),
      ]);
      expect(removed).toBe(!claimed);
      expect((await store.findNode(node.id)) !== undefined).toBe(claimed);
    });

    test('is alone in this: others stay however long they are away, and revoked ones for the administrator', async () => {
      const { store, lasting, join, age, known } = await setup();
      const [plain, revoked] = [await join(lasting), await join()];
      await age(plain.id, 10_000);
      await store.noteSeen([plain.id]);
      expect(await store.removeEphemeral(plain.id, LONG, 'control')).toBe(false);
      await store.revokeNode(revoked.id, 'admin');
      await age(revoked.id, 10_000);
      expect(await store.removeEphemeral(revoked.id, LONG, 'control')).toBe(false);
      expect(await known()).toEqual([]);
      await store.deleteNode(revoked.id, 'admin');
      await expect(store.removeEphemeral(revoked.id, LONG, 'control')).rejects.toMatchObject({ code: 'not-found' });
    });
  });
}
