import { expect } from 'vitest';
import type { Contracts, World } from './engine.fixture.js';

const one = async (world: World) => ({ params: { id: (await world.make('createToken', { body: {} })).id } });

export const TOKEN_CONTRACTS: Contracts = {
  listTokens: {
    good: async (world) => {
      await one(world);
      return { query: { network: 'default', state: 'usable', limit: 1 } };
    },
    status: 200,
    gives: ({ items }: { items: object[] }) => expect(items[0]).not.toHaveProperty('token'),
  },
  createToken: {
    good: () => ({ body: { network: 'default', role: 'client', maxUses: 3, expires: '30m', tags: ['web'] } }),
    status: 201,
    gives: (token: object) => expect(token).toMatchObject({ role: 'client', maxUses: 3, uses: 0, tags: ['web'] }),
    badBodies: [
      { approval: 'yes' },
      { name: '' },
      { maxUses: 0 },
      { expires: 'soon' },
      { role: 'boss' },
      { uses: 2 },
      { tags: ['NOT'] },
    ],
    refused: [
      {
        what: 'the network is unknown',
        request: () => ({ body: { network: 'nowhere' } }),
        ...{ status: 404, code: 'not-found' },
      },
    ],
  },
  getToken: {
    good: one,
    status: 200,
    gives: (token: object) => {
      expect(token).toMatchObject({ state: 'usable', uses: 0, approval: false });
      expect(token).not.toHaveProperty('token');
    },
  },
  deleteToken: { good: one, status: 204 },
};
