import { expect } from 'vitest';
import type { Contracts, World } from './engine.fixture.js';

const key = async (world: World) => ({
  params: { id: (await world.make('createApiKey', { body: { name: 'ci', scopes: ['nodes:read'] } })).id },
});

export const ADMIN_CONTRACTS: Contracts = {
  listApiKeys: { good: () => ({ query: { limit: 1 } }), status: 200 },
  createApiKey: {
    // What every key that may make keys may give.
    good: () => ({ body: { name: 'ci', scopes: ['apikeys:read'], expires: '90d' } }),
    status: 201,
    gives: (made: object) => expect(made).toMatchObject({ name: 'ci', scopes: ['apikeys:read'], lastUsedAt: null }),
    badBodies: [{ name: ' ' }, { name: 'a\u001b[31m' }, { scopes: [] }, { scopes: ['dance'] }, { expires: 'never' }],
    refused: [
      {
        what: 'a key that may do more than its maker',
        request: async (good, world) => ({
          body: { ...good.body, scopes: ['admin'] },
          headers: { authorization: `Bearer ${await world.key(['apikeys:write'])}` },
        }),
        ...{ status: 403, code: 'scope-missing' },
      },
    ],
  },
  getApiKey: { good: key, status: 200, gives: (found: object) => expect(found).not.toHaveProperty('secret') },
  deleteApiKey: { good: key, status: 204 },
  listAudit: {
    good: async (world) => {
      const { id } = await world.member();
      const query = { network: 'default', action: 'node.', actor: `apikey:${await world.firstKeyId()}`, subject: id };
      return { query: { ...query, since: '2020-01-01T00:00:00Z', until: '2100-01-01T00:00:00+01:00' } };
    },
    status: 200,
    gives: ({ items }: { items: object[] }) => expect(items).toMatchObject([{ action: 'node.create' }]),
    badQueries: [{ since: 'yesterday' }, { until: '2020-01-01' }, { actor: '' }, { action: '\u0000' }],
  },
  getStatus: { good: () => ({}), status: 200 },
};
