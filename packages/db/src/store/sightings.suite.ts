import { randomUUID } from 'node:crypto';
import { networkId, nodeId } from '@warren/base';
import { describe, expect, test } from 'vitest';
import type { Store } from '../store-api.js';
import { networkWithToken } from '../testing/members.js';

/** When nodes were seen, and the members that a topology shows. */
export function sightingsSuite(given: () => { store: Store }): void {
  const setup = async () => {
    const { store } = given();
    const { network, join } = await networkWithToken(store);
    return { store, network, node: (await join()).node, other: (await join()).node };
  };
  const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second));

  describe('a sighting', () => {
    test('is kept with the version of the agent, the latest one counts, and nobody is told', async () => {
      const { store, network, node, other } = await setup();
      expect(node).toMatchObject({ lastSeenAt: null, agentVersion: null });
      const before = (await store.findNetwork(network.id))!.revision;
      await store.noteSightings([
        { id: node.id, at: at(20), agentVersion: '1.2.3' },
        { id: other.id, at: at(5) },
        { id: nodeId(randomUUID()), at: at(5) },
      ]);
      await store.noteSightings([{ id: node.id, at: at(10) }]);
      expect(await store.findNode(node.id)).toMatchObject({ lastSeenAt: at(20), agentVersion: '1.2.3' });
      expect(await store.findNode(other.id)).toMatchObject({ lastSeenAt: at(5), agentVersion: null });
      expect((await store.findNetwork(network.id))!.revision).toBe(before);
      await store.noteSightings([]);
    });

    test('of the same nodes by many at once hinders nobody', async () => {
      const { store, node, other } = await setup();
      const both = [node.id, other.id].map((id) => ({ id, at: at(1) }));
      await Promise.all(Array.from({ length: 8 }, (_, i) => store.noteSightings(i % 2 ? both : [...both].reverse())));
      expect(await store.findNode(other.id)).toMatchObject({ lastSeenAt: at(1) });
    });
  });

  describe('the members of a network', () => {
    test('are all nodes that are not revoked, as they are kept', async () => {
      const { store, network, node, other } = await setup();
      await store.disableNode(other.id, 'admin');
      const members = await store.members(network.id);
      expect(members.map(({ id }) => id)).toEqual([node.id, other.id].sort());
      const { addresses, name, role, kind, tags } = node;
      expect(members.find(({ id }) => id === node.id)).toEqual({
        ...{ id: node.id, name, role, kind, tags, addresses, status: 'active', endpoint: null },
        ...{ disabledAt: null, cloneNoticedAt: null, lastSeenAt: null, agentVersion: null },
      });
      expect(members.find(({ id }) => id === other.id)).toMatchObject({
        status: 'pending',
        disabledAt: expect.any(Date),
      });
      await store.revokeNode(node.id, 'admin');
      expect((await store.members(network.id)).map(({ id }) => id)).toEqual([other.id]);
      expect(await store.members(networkId(randomUUID()))).toEqual([]);
    });
  });
}
