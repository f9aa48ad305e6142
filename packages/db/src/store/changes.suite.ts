import type { HostPort, NetworkId, NodeId } from '@warren/base';
import type { NetworkNode } from '@warren/topology';
import { describe, expect, test } from 'vitest';
import type { ChangeRow, Store } from '../store-api.js';
import { makeNetwork, networkWithToken, openTestStore } from '../testing/members.js';
import { query, until } from '../testing/servers.js';

/** Revisions, the change log, and hearing of changes. */
export function changesSuite(given: () => { store: Store; url: string }): void {
  describe('the change log', () => {
    test('applied from any revision on gives the network as it is loaded', async () => {
      const { store } = given();
      const { network, join } = await networkWithToken(store);
      const states = [await store.loadNetwork(network.id)];
      const step = async (work: Promise<unknown>) => {
        await work;
        states.push(await store.loadNetwork(network.id));
      };
      const a = (await join({ role: 'bounce', endpoint: '198.51.100.1:1' as HostPort })).node;
      states.push(await store.loadNetwork(network.id));
      const b = (await join()).node;
      states.push(await store.loadNetwork(network.id));
      await step(join());
      await step(store.updateNode(a.id, { endpoint: '198.51.100.2:2' as HostPort }, 'admin'));
      await step(store.revokeNode(b.id, 'admin'));
      await step(store.deleteNode(b.id, 'admin'));
      await step(store.deleteNode(a.id, 'admin'));
      const last = states.at(-1)!;
      for (const state of states) {
        const changes = await store.changesSince(network.id, state!.revision);
        expect(changes?.map(({ revision }) => revision)).toEqual(range(state!.revision + 1, last.revision));
        expect(apply(state!.network.nodes, changes!)).toEqual(last.network.nodes);
        const tombstones = changes!.flatMap(({ tombstone }) => (tombstone ? [tombstone] : []));
        expect([...state!.tombstones, ...tombstones]).toEqual(last.tombstones);
      }
    });

    test('says when the network itself changed', async () => {
      const { store } = given();
      const network = await makeNetwork(store);
      await store.updateNetwork(network.id, { mtu: 1300 }, 'admin');
      expect(await store.changesSince(network.id, 1)).toEqual([
        { revision: 2, nodeId: null, before: null, after: null, tombstone: null, networkChanged: true },
      ]);
    });

    test('asks for a snapshot when it does not reach back, or forward', async () => {
      const { store } = given();
      const { network, join } = await networkWithToken(store);
      for (let i = 0; i < 5; i++) await join();
      expect(await store.changesSince(network.id, 6)).toEqual([]);
      expect(await store.changesSince(network.id, 7)).toBeUndefined();
      expect(await store.changesSince(network.id, 0)).toBeUndefined();
      expect(await store.pruneChanges(3)).toBeGreaterThanOrEqual(2);
      expect(await store.changesSince(network.id, 2)).toBeUndefined();
      expect(await store.changesSince(network.id, 3)).toHaveLength(3);
      expect(await store.changesSince('nonsense' as NetworkId, 3)).toBeUndefined();
      expect(await store.loadNetwork('nonsense' as NetworkId)).toBeUndefined();
    });

    test('a reader that follows while replicas write sees every revision once, in order (invariant 11)', async () => {
      const { store, url } = given();
      const other = await openTestStore(url);
      try {
        const { network, token, join } = await networkWithToken(store);
        const from = network.revision;
        let writing = true;
        const seen: ChangeRow[] = [];
        const reader = (async () => {
          while (writing || seen.length < 40) {
            const position = seen.at(-1)?.revision ?? from;
            seen.push(...((await other.changesSince(network.id, position)) ?? []));
          }
        })();
        const { joinInput } = await import('../testing/members.js');
        const writes = Array.from({ length: 20 }, async (_, i) => {
          const { node } = i % 2 ? await join() : await other.join(joinInput(token), 'x');
          await (i % 3 ? store : other).revokeNode(node.id, 'admin');
        });
        await Promise.all(writes);
        writing = false;
        await reader;
        expect(seen.map(({ revision }) => revision)).toEqual(range(from + 1, from + 40));
        expect(apply(new Map(), seen).size).toBe(0);
      } finally {
        await other.close();
      }
    });
  });

  describe('listening', () => {
    test('hears of changes of this and of other replicas, also after the connection was lost', async () => {
      const { store, url } = given();
      const other = await openTestStore(url);
      const heard: string[] = [];
      const listening = await store.onChange((id) => heard.push(id));
      try {
        const own = await makeNetwork(store);
        const foreign = await makeNetwork(other);
        await until(() => heard.includes(own.id) && heard.includes(foreign.id));
        await query(
          url,
          `select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and pid <> pg_backend_pid() and query ilike 'listen%'`,
        );
        heard.length = 0;
        const later = await makeNetwork(other);
        await until(() => heard.includes(later.id));
        await listening.close();
        heard.length = 0;
        const again = await store.onChange((id) => heard.push(`second ${id}`));
        const last = await makeNetwork(other);
        await until(() => heard.includes(`second ${last.id}`));
        expect(heard).not.toContain(last.id);
        await again.close();
      } finally {
        await other.close();
      }
    });

    test('looks now and then without being told', async () => {
      const { url } = given();
      const store = await openTestStore(url, { pollInterval: 50 });
      const heard: string[] = [];
      try {
        await store.onChange((id) => heard.push(id));
        const [row] = await query<{ id: string }>(
          url,
          `insert into network (id, name, cidrs, mtu) values (gen_random_uuid(), 'quiet', '{10.0.0.0/8}', 1400) returning id`,
        );
        await until(() => heard.includes(row!.id));
        heard.length = 0;
        await query(url, 'delete from network where id = $1', [row!.id]);
        await until(() => heard.includes(row!.id));
      } finally {
        await store.close();
      }
    });
  });
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** What a follower does with the log; it also checks that `before` is what it has. */
function apply(nodes: ReadonlyMap<NodeId, NetworkNode>, changes: readonly ChangeRow[]): Map<NodeId, NetworkNode> {
  const now = new Map(nodes);
  for (const { nodeId, before, after } of changes) {
    if (nodeId === null) continue;
    expect(now.get(nodeId) ?? null).toEqual(before);
    if (after) now.set(nodeId, after);
    else now.delete(nodeId);
  }
  return now;
}
