import { expect } from 'vitest';
import type { Contracts, World } from './engine.fixture.js';

const one = async (world: World) => ({ params: { id: (await world.network()).id } });
/** The n-th address of a network. */
const addressOf = async (world: World, id: string, n: number): Promise<string> => {
  const { cidrs } = await world.make<{ cidrs: string[] }>('getNetwork', { params: { id } });
  return cidrs[0]!.replace(/0\/24$/, String(n));
};

export const ADDRESS_CONTRACTS: Contracts = {
  listNetworkAddresses: {
    good: async (world) => {
      const { id } = await world.network();
      await world.member({ network: id });
      return { params: { id }, query: { state: 'in-use', limit: 1 } };
    },
    status: 200,
    gives: ({ items }: { items: object[] }) => expect(items).toHaveLength(1),
    badQueries: [{ state: 'lost' }],
  },
  listNetworkReservations: { good: one, status: 200 },
  createNetworkReservation: {
    good: async (world) => {
      const { params } = await one(world);
      const prefix = await addressOf(world, params.id, 7);
      return { params, body: { prefix, name: 'printer', note: 'on the second floor' } };
    },
    status: 201,
    gives: (reservation: object) => expect(reservation).toMatchObject({ name: 'printer', note: 'on the second floor' }),
    badBodies: [{ prefix: 'nowhere' }, { prefix: '192.0.2.1' }, { name: 'Über' }, { note: 'x'.repeat(201) }],
  },
  deleteNetworkReservation: {
    good: async (world) => {
      const { params } = await one(world);
      const prefix = await addressOf(world, params.id, 9);
      await world.make('createNetworkReservation', { params, body: { prefix } });
      return { params: { ...params, prefix } };
    },
    status: 204,
  },
  renumberNetwork: {
    good: async (world) => {
      const { id } = await world.network();
      await world.member({ network: id });
      return { params: { id }, body: { dryRun: false, cidrs: ['10.249.0.0/24'] } };
    },
    status: 200,
    gives: (answer: object) => expect(answer).toMatchObject({ dryRun: false, network: { cidrs: ['10.249.0.0/24'] } }),
    badBodies: [{ cidrs: [] }, { cidrs: ['x'] }, { dryRun: 'no' }],
  },
};
