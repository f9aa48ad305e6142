import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { NodeRow, Store } from '../store-api.js';
import { makeNetwork, networkWithToken, openTestStore } from '../testing/members.js';
import { embeddedServer, freshDatabase, type TestServer } from '../testing/servers.js';

let server: TestServer | undefined;
let store: Store | undefined;

beforeAll(async () => {
  server = await embeddedServer();
  store = await openTestStore(await freshDatabase(server), { addressRest: 0 });
});
afterAll(async () => {
  await store?.close();
  await server?.close();
});

/** One step: what to do, and with which of the nodes that there are. */
const step = fc.record({ kind: fc.constantFrom('join', 'rename', 'revoke', 'delete'), which: fc.nat() });

test('after any history the store holds what a list of nodes would (addresses are never shared, rests of none)', async () => {
  await makeNetwork(store!);
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
      // Room for six nodes: addresses come back, and run out.
      const { network, join } = await networkWithToken(store!, '10.7.0.0/29');
      const model = new Map<string, NodeRow>();
      let revision = network.revision;
      let tombstones = 0;
      for (const { kind, which } of steps) {
        const nodes = [...model.values()];
        const active = nodes.filter(({ status }) => status === 'active');
        const node = nodes[which % Math.max(1, nodes.length)];
        if (kind === 'join') {
          const joined = join();
          if (active.length === 6) await expect(joined).rejects.toMatchObject({ code: 'addresses-exhausted' });
          else {
            const { node: added } = await joined;
            expect(active.flatMap(({ addresses }) => addresses)).not.toContain(added.addresses[0]);
            model.set(added.id, added);
            revision++;
          }
        } else if (!node) continue;
        else if (kind === 'delete') {
          await store!.deleteNode(node.id, 'x');
          model.delete(node.id);
          revision++;
        } else if (kind === 'revoke') {
          model.set(node.id, await store!.revokeNode(node.id, 'x'));
          if (node.status === 'active') {
            revision++;
            tombstones++;
          }
        } else if (node.status === 'active') {
          model.set(node.id, await store!.updateNode(node.id, { name: `renamed-${revision}` }, 'x'));
          revision++;
        }
      }
      const state = await store!.loadNetwork(network.id);
      const expected = [...model.values()].filter(({ status }) => status === 'active');
      expect([...state!.network.nodes.keys()].sort()).toEqual(expected.map(({ id }) => id).sort());
      for (const [id, node] of state!.network.nodes) expect(model.get(id)).toMatchObject({ ...node });
      expect(state).toMatchObject({ revision, tombstones: { length: tombstones } });
      expect(await store!.changesSince(network.id, network.revision)).toHaveLength(revision - network.revision);
    }),
    { numRuns: 8, seed: 12 },
  );
});
