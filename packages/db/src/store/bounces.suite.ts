import { randomBytes } from 'node:crypto';
import { type HostPort, type NodeId, publicKeyFromBytes } from '@warren/base';
import { describe, expect, test } from 'vitest';
import type { Store } from '../store-api.js';
import { joinInput, networkWithToken, openTestStore } from '../testing/members.js';
import { query } from '../testing/servers.js';

const LONG = { unseenMs: 60_000, freshMs: 30_000 };

/** Bounces that are seen, withdrawn and restored. */
export function bouncesSuite(given: () => { store: Store; url: string }): void {
  const endpoint = '198.51.100.1:1' as HostPort;
  const setup = async () => {
    const { store, url } = given();
    const { network, token, join } = await networkWithToken(store);
    const [a, b] = [(await join({ role: 'bounce', endpoint })).node, (await join({ role: 'bounce', endpoint })).node];
    const age = (id: NodeId, seconds: number) =>
      query(url, `update node set seen_at = now() - $2 * interval '1 second' where id = $1`, [id, seconds]);
    const vanilla = () => {
      const publicKey = publicKeyFromBytes(randomBytes(32));
      return store.createVanilla(
        { networkId: network.id, name: 'router', role: 'bounce', endpoint, publicKey },
        'admin',
      );
    };
    const revision = async () => (await store.findNetwork(network.id))!.revision;
    return { store, url, network, token, join, a, b, age, revision, vanilla };
  };

  describe('a bounce', () => {
    test('is known by when a stream of it was open, and before the first one by when it joined', async () => {
      const { store, network, join, a, b, age, revision, vanilla } = await setup();
      const client = (await join()).node;
      await vanilla();
      const before = await revision();
      await age(a.id, 100);
      await store.noteSeen([b.id, client.id]);
      const seen = (await store.presences('bounce')).filter(({ networkId }) => networkId === network.id);
      expect(new Set(seen.map(({ id }) => id))).toEqual(new Set([a.id, b.id]));
      const unseen = new Map(seen.map(({ id, unseenMs }) => [id, unseenMs]));
      expect(unseen.get(a.id)).toBeGreaterThanOrEqual(100_000);
      expect(unseen.get(b.id)).toBeLessThan(30_000);
      expect(await revision()).toBe(before);
      await store.noteSeen([]);
    });

    test('that is silent is withdrawn by one of many who see it, and restored, with both in the change log', async () => {
      const { store, url, network, a, b, age, revision } = await setup();
      const other = await openTestStore(url);
      try {
        await age(a.id, 100);
        await store.noteSeen([b.id]);
        const before = await revision();
        const decided = await Promise.all([store, other, store].map((it) => it.withdrawBounce(a.id, LONG, 'control')));
        expect(decided.filter(Boolean)).toHaveLength(1);
        expect(await revision()).toBe(before + 1);
        expect(await store.findNode(a.id)).toMatchObject({ unavailable: true });
        const [row] = (await store.changesSince(network.id, before))!;
        expect(row).toMatchObject({ nodeId: a.id, after: { id: a.id, unavailable: true } });
        expect(row!.before).not.toHaveProperty('unavailable');
        const loaded = (await store.loadNetwork(network.id))!.network.nodes.get(a.id);
        expect(loaded).toEqual(row!.after);

        const restored = await Promise.all([store, other].map((it) => it.restoreBounce(a.id, 'control')));
        expect(restored.filter(Boolean)).toHaveLength(1);
        expect(await revision()).toBe(before + 2);
        expect((await store.loadNetwork(network.id))!.network.nodes.get(a.id)).toEqual(row!.before);
        const audited = (await store.audit({ limit: 500 })).items.filter(({ subject }) => subject === a.id);
        expect(audited.map(({ actor, action }) => `${actor} ${action}`).sort()).toEqual(
          expect.arrayContaining(['control bounce.restore', 'control bounce.withdraw']),
        );
      } finally {
        await other.close();
      }
    });

    test('stays while it was seen, while no other is, and while the others are withdrawn or of no use', async () => {
      const { store, join, a, b, age, revision, vanilla } = await setup();
      await age(a.id, 100);
      await age(b.id, 100);
      await vanilla();
      await join();
      const before = await revision();
      expect(await store.withdrawBounce(a.id, LONG, 'control')).toBe(false);
      await store.noteSeen([a.id, b.id]);
      expect(await store.withdrawBounce(a.id, LONG, 'control')).toBe(false);
      expect(await revision()).toBe(before);
      await age(a.id, 100);
      expect(await store.withdrawBounce(a.id, LONG, 'control')).toBe(true);
      // The last one that is available goes nowhere, though the withdrawn one is seen again.
      await store.noteSeen([a.id]);
      await age(b.id, 100);
      expect(await store.withdrawBounce(b.id, LONG, 'control')).toBe(false);
    });

    test('of another network takes nobody over', async () => {
      const [one, two] = [await setup(), await setup()];
      await one.age(one.a.id, 100);
      await one.age(one.b.id, 100);
      await two.store.noteSeen([two.a.id]);
      expect(await one.store.withdrawBounce(one.a.id, LONG, 'control')).toBe(false);
    });

    test('is alone in this: clients are never withdrawn, and who is gone is not found', async () => {
      const { store, token, a, age } = await setup();
      const client = (await store.join(joinInput(token), 'x')).node;
      await store.noteSeen([a.id]);
      await age(client.id, 100);
      expect(await store.withdrawBounce(client.id, LONG, 'control')).toBe(false);
      await store.revokeNode(a.id, 'admin');
      expect(await store.restoreBounce(a.id, 'control')).toBe(false);
      await store.deleteNode(a.id, 'admin');
      await expect(store.restoreBounce(a.id, 'control')).rejects.toMatchObject({ code: 'not-found' });
      await expect(store.withdrawBounce(a.id, LONG, 'control')).rejects.toMatchObject({ code: 'not-found' });
    });
  });
}
