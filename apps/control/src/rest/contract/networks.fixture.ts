import { expect } from 'vitest';
import type { Contracts, World } from './engine.fixture.js';

const one = async (world: World) => ({ params: { id: (await world.network()).id } });

export const NETWORK_CONTRACTS: Contracts = {
  listNetworks: { good: () => ({ query: { limit: 1 } }), status: 200 },
  createNetwork: {
    good: (world) => ({ body: { name: world.name('net'), cidrs: ['10.250.0.0/24', 'fd00:250::/64'], mtu: 1380 } }),
    status: 201,
    gives: (network: object, { body }) => expect(network).toMatchObject(body!),
    badBodies: [
      { name: 'Über' },
      { name: '' },
      { cidrs: [] },
      { cidrs: ['10.0.0.0/33'] },
      { mtu: 9000 },
      { mtu: '1400' },
    ],
    refused: [
      {
        what: 'the name is taken',
        request: async (good, world) => ({ body: { ...good.body, name: (await world.network()).name } }),
        ...{ status: 409, code: 'name-taken' },
      },
    ],
  },
  getNetwork: { good: one, status: 200 },
  updateNetwork: {
    good: async (world) => ({ ...(await one(world)), body: { name: world.name('net'), mtu: 1300 } }),
    status: 200,
    gives: (network: object, { body }) => expect(network).toMatchObject(body!),
    badBodies: [{ name: '' }, { mtu: 1 }],
    refused: [
      {
        what: 'the name is taken',
        request: (good) => ({ ...good, body: { name: 'default' } }),
        ...{ status: 409, code: 'name-taken' },
      },
    ],
  },
  deleteNetwork: {
    good: one,
    status: 204,
    refused: [
      {
        what: 'it has active nodes',
        request: async (good, world) => {
          await world.member({ network: good.params!.id });
          return good;
        },
        ...{ status: 409, code: 'network-not-empty' },
      },
    ],
  },
};
