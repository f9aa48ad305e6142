import { randomBytes } from 'node:crypto';
import type { IpAddress, NetworkId } from '@warren/base';
import { publicKeyFromBytes } from '@warren/base';
import { describe, expect, test } from 'vitest';
import type { Store } from '../store-api.js';
import { makeNetwork, networkWithToken, uniqueName } from '../testing/members.js';
import { query } from '../testing/servers.js';

const addresses = (...texts: string[]): IpAddress[] => texts as IpAddress[];
const key = () => publicKeyFromBytes(randomBytes(32));

/** Pools, fixed addresses, reservations, quarantine, renumbering. */
export function addressingSuite(given: () => { store: Store; url: string }): void {
  const create = (networkId: NetworkId, name: string, ...wanted: string[]) =>
    given().store.createVanilla(
      { networkId, name, role: 'client', publicKey: key(), addresses: addresses(...wanted) },
      'admin',
    );

  describe('pools', () => {
    test('are where addresses come from, each family for itself', async () => {
      const { store } = given();
      const { network, join } = await networkWithToken(store, '10.1.0.0/16', 'fd01::/64');
      expect((await join()).node.addresses).toEqual(['10.1.0.1', 'fd01::1']);
      const changed = await store.updateNetwork(network.id, { pools: ['10.1.8.0/30', '10.1.9.7'] }, 'admin');
      expect(changed.pools).toEqual(['10.1.8.0/30', '10.1.9.7/32']);
      const nodes = [await join(), await join(), await join()].map(({ node }) => node.addresses);
      expect(nodes).toEqual([
        ['10.1.8.1', 'fd01::801'],
        ['10.1.8.2', 'fd01::802'],
        ['10.1.9.7', 'fd01::907'],
      ]);
      await expect(join()).rejects.toMatchObject({ code: 'addresses-exhausted' });
      await store.updateNetwork(network.id, { pools: [] }, 'admin');
      expect((await join()).node.addresses).toEqual(['10.1.0.2', 'fd01::2']);
      await expect(store.updateNetwork(network.id, { pools: ['10.2.0.0/24'] }, 'admin')).rejects.toMatchObject({
        code: 'bad-request',
      });
    });

    test('that are empty say how many addresses are in use, rest and are reserved', async () => {
      const { store } = given();
      const { network, join } = await networkWithToken(store, '10.1.0.0/29');
      await store.createReservation(network.id, { prefix: '10.1.0.4/31' }, 'admin');
      const nodes = [await join(), await join(), await join(), await join()].map(({ node }) => node);
      expect(nodes.map((node) => node.addresses[0])).toEqual(['10.1.0.1', '10.1.0.2', '10.1.0.3', '10.1.0.6']);
      await store.deleteNode(nodes[0]!.id, 'admin');
      await expect(join()).rejects.toMatchObject({
        code: 'addresses-exhausted',
        message: expect.stringMatching(
          /10\.1\.0\.0\/29.*: 3 in use, 1 resting \(the next is free at 20\d\d-.*Z\), 2 reserved;/,
        ),
      });
      expect(await store.summariseAddresses(network.id)).toMatchObject({ inUse: 3, resting: 1, reservations: 1 });
    });
  });

  describe('fixed addresses', () => {
    test('are given as asked, and the other family is found', async () => {
      const { store } = given();
      const { id } = await makeNetwork(store);
      expect((await create(id, 'a', '10.44.7.7')).addresses).toEqual(['10.44.7.7', 'fd00:44::707']);
      expect((await create(id, 'b', 'fd00:44::9')).addresses).toEqual(['10.44.0.1', 'fd00:44::9']);
      expect((await create(id, 'c', '10.44.0.9', 'fd00:44::c')).addresses).toEqual(['10.44.0.9', 'fd00:44::c']);
      for (const [wanted, code] of [
        ['10.44.7.7', 'address-taken'],
        ['10.45.0.1', 'bad-request'],
        ['10.44.0.0', 'bad-request'],
        ['nonsense', 'bad-request'],
      ] as const) {
        await expect(create(id, 'x', wanted)).rejects.toMatchObject({ code, message: expect.stringContaining(wanted) });
      }
    });

    test('of a node change with everybody knowing; what it had rests', async () => {
      const { store, url } = given();
      const { network, join } = await networkWithToken(store);
      const { node } = await join();
      const { node: other } = await join();
      const move = (...texts: string[]) => store.updateNode(node.id, { addresses: addresses(...texts) }, 'admin');
      const { revision } = (await store.findNetwork(network.id))!;
      const moved = await move('10.44.0.50');
      expect(moved.addresses).toEqual(['10.44.0.50', 'fd00:44::1']);
      const [change] = (await store.changesSince(network.id, revision))!;
      expect(change).toMatchObject({
        networkChanged: false,
        before: { addresses: node.addresses },
        after: { addresses: moved.addresses },
      });
      expect(await move('10.44.0.50')).toEqual(moved);
      expect(await store.changesSince(network.id, revision + 1)).toEqual([]);
      await expect(move(other.addresses[0]!)).rejects.toMatchObject({
        code: 'address-taken',
        message: expect.stringContaining(other.name),
      });
      await expect(move('10.44.0.1')).rejects.toMatchObject({
        code: 'address-taken',
        message: expect.stringMatching(/rests until 20/),
      });
      expect((await join()).node.addresses).toEqual(['10.44.0.3', 'fd00:44::3']);
      // The operator says whose it is, so that it need not rest.
      await store.createReservation(network.id, { prefix: '10.44.0.1', name: node.name }, 'admin');
      expect((await move('10.44.0.1')).addresses).toEqual(['10.44.0.1', 'fd00:44::1']);
      await query(url, `update node_address set rested_at = now() - interval '25 hours' where address = '10.44.0.50'`);
      expect((await move('10.44.0.50')).addresses[0]).toBe('10.44.0.50');
    });
  });

  describe('reservations', () => {
    test('go to the node of their name, and to nobody else', async () => {
      const { store } = given();
      const { network, join } = await networkWithToken(store);
      await store.createReservation(network.id, { prefix: '10.44.0.1', name: 'printer', note: 'in the hall' }, 'admin');
      await store.createReservation(network.id, { prefix: '10.44.0.2/31' }, 'admin');
      await store.createReservation(network.id, { prefix: '10.44.0.3', name: 'camera' }, 'admin');
      expect((await join()).node.addresses).toEqual(['10.44.0.4', 'fd00:44::4']);
      const printer = await join({ name: 'printer' });
      expect(printer.node.addresses).toEqual(['10.44.0.1', 'fd00:44::1']);
      expect((await join({ name: 'camera' })).node.addresses).toEqual(['10.44.0.3', 'fd00:44::3']);
      await expect(create(network.id, 'x', '10.44.0.2')).rejects.toMatchObject({
        message: expect.stringContaining('nobody'),
      });
      await store.deleteNode(printer.node.id, 'admin');
      expect((await join()).node.addresses[0]).toBe('10.44.0.5');
      expect((await join({ name: 'printer' })).node.addresses).toEqual(['10.44.0.1', 'fd00:44::2']);
    });

    test('for a name that has an address of them already give another of them, or else an ordinary one', async () => {
      const { store } = given();
      const { network, join } = await networkWithToken(store);
      await create(network.id, 'squatter', '10.44.9.1');
      await store.createReservation(network.id, { prefix: '10.44.9.0/30', name: 'web' }, 'admin');
      expect((await join({ name: 'web' })).node.addresses[0]).toBe('10.44.9.2');
      await store.createReservation(network.id, { prefix: '10.44.9.9', name: 'db' }, 'admin');
      await create(network.id, 'db', '10.44.0.77');
      expect((await join()).node.addresses[0]).toBe('10.44.0.1');
    });

    test('are made, listed in order of address and removed, and refused for a reason', async () => {
      const { store } = given();
      const { id } = await makeNetwork(store);
      for (const prefix of ['10.44.10.0/24', '10.44.9.0/24', 'fd00:44::5/128', '10.44.9.7/32']) {
        await store.createReservation(id, { prefix }, 'admin');
      }
      const first = await store.listReservations(id, { limit: 3 });
      const second = await store.listReservations(id, { limit: 3, cursor: first.nextCursor! });
      const all = [...first.items, ...second.items].map(({ prefix }) => prefix);
      expect(all).toEqual(['10.44.9.0/24', '10.44.9.7', '10.44.10.0/24', 'fd00:44::5']);
      expect(second.nextCursor).toBeNull();
      const again = store.createReservation(id, { prefix: '10.44.9.7', name: 'x' }, 'admin');
      await expect(again).rejects.toMatchObject({ code: 'reservation-exists' });
      for (const bad of [
        { prefix: '10.45.0.0/24' },
        { prefix: '10.44.9.1/24' },
        { prefix: '10.44.9.8', name: 'A b' },
      ]) {
        await expect(store.createReservation(id, bad, 'admin')).rejects.toMatchObject({ code: 'bad-request' });
      }
      await store.deleteReservation(id, '10.44.9.7/32', 'admin');
      await expect(store.deleteReservation(id, '10.44.9.7', 'admin')).rejects.toMatchObject({ code: 'not-found' });
      const { items } = await store.audit({ limit: 2 });
      expect(items[0]).toMatchObject({ action: 'network.unreserve', details: { prefix: '10.44.9.7' } });
    });
  });

  test('the list of addresses says what each is, page by page', async () => {
    const { store } = given();
    const { network, join } = await networkWithToken(store, '10.1.0.0/24');
    const nodes = [await join(), await join()].map(({ node }) => node);
    await store.deleteNode(nodes[1]!.id, 'admin');
    await store.createReservation(network.id, { prefix: '10.1.0.1', name: 'x', note: 'later' }, 'admin');
    await store.createReservation(network.id, { prefix: '10.1.0.128/25' }, 'admin');
    const items = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page = await store.listAddresses(network.id, { limit: 1, ...(cursor && { cursor }) });
      items.push(...page.items);
      cursor = page.nextCursor;
    }
    expect(items).toEqual([
      { address: '10.1.0.1', state: 'reserved', name: 'x', note: 'later' },
      { address: '10.1.0.1', state: 'in-use', node: { id: nodes[0]!.id, name: nodes[0]!.name } },
      { address: '10.1.0.2', state: 'resting', until: expect.any(Date) },
      { address: '10.1.0.128/25', state: 'reserved', name: null, note: '' },
    ]);
    expect((await store.listAddresses(network.id, { state: 'resting' })).items).toEqual([items[2]]);
    await expect(store.listAddresses(network.id, { cursor: 'x' })).rejects.toMatchObject({ code: 'bad-request' });
  });

  describe('renumbering', () => {
    test('gives everybody another address at one revision; a dry run changes nothing', async () => {
      const { store } = given();
      const { network, join } = await networkWithToken(store, '10.1.0.0/16', 'fd01::/64');
      const { node } = await join();
      const phone = await create(network.id, 'phone', '10.1.7.7');
      await store.createReservation(network.id, { prefix: '10.1.9.0/24', note: 'hall' }, 'admin');
      await store.createReservation(network.id, { prefix: '10.1.200.0/24' }, 'admin');
      const before = await store.loadNetwork(network.id);
      const input = { cidrs: ['10.2.0.0/17', 'fd02::/64'] };
      const dry = await store.renumberNetwork(network.id, { ...input, dryRun: true }, 'admin');
      expect(await store.loadNetwork(network.id)).toEqual(before);
      const done = await store.renumberNetwork(network.id, input, 'admin');
      expect(done).toEqual({ ...dry, network: { ...dry.network, revision: before!.revision + 1 } });
      expect(done.nodes).toEqual([
        { id: node.id, name: node.name, kind: 'agent', addresses: node.addresses, next: ['10.2.0.1', 'fd02::1'] },
        { id: phone.id, name: 'phone', kind: 'vanilla', addresses: phone.addresses, next: ['10.2.7.7', 'fd02::707'] },
      ]);
      expect(done.reservations).toEqual(
        expect.arrayContaining([
          { prefix: '10.1.9.0/24', name: null, next: '10.2.9.0/24' },
          { prefix: '10.1.200.0/24', name: null, next: null },
        ]),
      );
      const state = await store.loadNetwork(network.id);
      expect(state!.network.cidrs).toEqual(['10.2.0.0/17', 'fd02::/64']);
      expect(state!.network.nodes.get(phone.id)?.addresses).toEqual(['10.2.7.7', 'fd02::707']);
      expect(await store.changesSince(network.id, before!.revision)).toMatchObject([{ networkChanged: true }]);
      expect((await store.listReservations(network.id)).items).toMatchObject([{ prefix: '10.2.9.0/24', note: 'hall' }]);
      expect((await join()).node.addresses).toEqual(['10.2.0.2', 'fd02::2']);
    });

    test('puts the addresses of before to rest', async () => {
      const { store } = given();
      const { network, join } = await networkWithToken(store, '10.1.0.0/24');
      const nodes = [await join(), await join()].map(({ node }) => node);
      await store.renumberNetwork(network.id, { cidrs: ['10.2.0.0/24'] }, 'admin');
      await store.deleteNode(nodes[0]!.id, 'admin');
      const back = await store.renumberNetwork(network.id, { cidrs: ['10.1.0.0/24'] }, 'admin');
      expect(back.nodes).toMatchObject([{ id: nodes[1]!.id, addresses: ['10.2.0.2'], next: ['10.1.0.3'] }]);
      expect((await join()).node.addresses).toEqual(['10.1.0.4']);
    });

    test('adds a family and takes it away, and leaves the other in peace', async () => {
      const { store } = given();
      const { network, join } = await networkWithToken(store, '10.1.0.0/24');
      const { node } = await join();
      const both = await store.renumberNetwork(network.id, { cidrs: ['10.1.0.0/24', 'fd01::/64'] }, 'admin');
      expect(both.nodes).toMatchObject([{ addresses: ['10.1.0.1'], next: ['10.1.0.1', 'fd01::1'] }]);
      await store.renumberNetwork(network.id, { cidrs: ['fd01::/64'] }, 'admin');
      expect((await store.findNode(node.id))!.addresses).toEqual(['fd01::1']);
      const { revision } = (await store.findNetwork(network.id))!;
      await store.renumberNetwork(network.id, { cidrs: ['fd01::/64'] }, 'admin');
      expect((await store.findNetwork(network.id))!.revision).toBe(revision);
    });

    test('moves pools along, and refuses what is too small or no prefix without changing anything', async () => {
      const { store } = given();
      const { network, join } = await networkWithToken(store, '10.1.0.0/16');
      await store.updateNetwork(network.id, { pools: ['10.1.3.0/24'] }, 'admin');
      for (let i = 0; i < 4; i++) await join();
      const before = await store.loadNetwork(network.id);
      const renumber = (...cidrs: string[]) => store.renumberNetwork(network.id, { cidrs }, 'admin');
      await expect(renumber('10.2.0.0/30')).rejects.toMatchObject({ code: 'addresses-exhausted' });
      await expect(renumber('10.2.0.1/30')).rejects.toMatchObject({ code: 'bad-request' });
      await expect(renumber()).rejects.toMatchObject({ code: 'bad-request' });
      expect(await store.loadNetwork(network.id)).toEqual(before);
      const { network: moved, nodes } = await renumber('10.2.0.0/16');
      expect(moved.pools).toEqual(['10.2.3.0/24']);
      expect(nodes[0]!.next).toEqual(['10.2.3.1']);
    });

    test('and 40 joins at the same time give no address twice', async () => {
      const { store } = given();
      const { network, join } = await networkWithToken(store, '10.1.0.0/20');
      const joins = Array.from({ length: 40 }, (_, n) => {
        if (n % 20 !== 10) return join({ name: uniqueName('crowd') }).then(() => undefined);
        return store.renumberNetwork(network.id, { cidrs: [`10.${n}.0.0/20`] }, 'admin').then(() => undefined);
      });
      await Promise.all(joins);
      const nodes = [...(await store.loadNetwork(network.id))!.network.nodes.values()];
      const prefix = (await store.findNetwork(network.id))!.cidrs[0]!.split('.').slice(0, 2).join('.');
      expect(new Set(nodes.map((node) => node.addresses[0])).size).toBe(38);
      expect(nodes.every((node) => node.addresses[0]!.startsWith(`${prefix}.`))).toBe(true);
    });
  });
}
