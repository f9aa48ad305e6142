import { expect } from 'vitest';
import type { Contracts, World } from './engine.fixture.js';

const one = async (world: World) => ({ params: { id: (await world.member()).id } });

const disabled = async (world: World) => {
  const request = await one(world);
  await world.make('disableNode', request);
  return request;
};

const revoked = async (_: unknown, world: World) => {
  const request = await one(world);
  await world.make('revokeNode', request);
  return request;
};

export const NODE_CONTRACTS: Contracts = {
  listNodes: {
    good: async (world) => ({
      query: {
        ...{ network: 'default', status: 'active', kind: 'vanilla', role: 'client', tag: 'contract' },
        q: (await world.member({ tags: ['contract'] })).name,
      },
    }),
    status: 200,
    gives: ({ items }: { items: object[] }) => expect(items).toHaveLength(1),
    badQueries: [{ status: 'dead' }, { kind: 'ghost' }, { role: 'king' }, { tag: '' }, { q: 'x'.repeat(200) }],
    refused: [
      {
        what: 'the network is unknown',
        request: () => ({ query: { network: 'nowhere' } }),
        ...{ status: 404, code: 'not-found' },
      },
    ],
  },
  createNode: {
    good: (world) => ({ body: { network: 'default', name: world.name('node'), publicKey: world.publicKey() } }),
    status: 201,
    gives: (node: object, { body }) =>
      expect(node).toMatchObject({
        ...{ ...body, kind: 'vanilla', status: 'active' },
        ...{ configKey: expect.stringMatching(/^warrenconf_[\w-]{43}$/), configKeyCreatedAt: expect.any(String) },
      }),
    badBodies: [{ name: 'Über' }, { publicKey: 'short' }, { role: 'king' }, { endpoint: 'x' }, { privateKey: 'x' }],
    refused: [
      {
        what: 'the name is taken',
        request: async (good, world) => ({ body: { ...good.body, name: (await world.member()).name } }),
        ...{ status: 409, code: 'name-taken' },
      },
      {
        what: 'a bounce without an endpoint',
        request: (good) => ({ body: { ...good.body, role: 'bounce' } }),
        ...{ status: 400, code: 'endpoint-missing' },
      },
    ],
  },
  getNode: { good: one, status: 200 },
  updateNode: {
    good: async (world) => ({
      params: { id: (await world.member({ role: 'direct', endpoint: '203.0.113.8:51820' })).id },
      body: { name: world.name('node'), endpoint: '203.0.113.9:51820' },
    }),
    status: 200,
    gives: (node: object, { body }) => expect(node).toMatchObject(body!),
    badBodies: [{ name: '' }, { endpoint: 'nowhere' }],
    refused: [
      {
        what: 'the name is taken',
        request: async (good, world) => ({ ...good, body: { name: (await world.member()).name } }),
        ...{ status: 409, code: 'name-taken' },
      },
    ],
  },
  deleteNode: { good: one, status: 204 },
  approveNode: {
    good: disabled,
    status: 200,
    gives: (node: object) => expect(node).toMatchObject({ status: 'active', disabledAt: null }),
    refused: [
      {
        what: 'the node was revoked',
        request: revoked,
        ...{ status: 403, code: 'node-revoked' },
      },
    ],
  },
  disableNode: {
    good: one,
    status: 200,
    gives: (node: object) => expect(node).toMatchObject({ status: 'pending', disabledAt: expect.any(String) }),
    refused: [{ what: 'the node was revoked', request: revoked, ...{ status: 409, code: 'node-not-active' } }],
  },
  extendNode: {
    good: async (world) => ({ params: { id: await world.agent() }, body: { expires: '30d' } }),
    status: 200,
    gives: (node: { keyExpiresAt: string }) => expect(Date.parse(node.keyExpiresAt)).toBeGreaterThan(Date.now()),
    badBodies: [{ expires: 'soon' }, { expires: 5 }],
    refused: [
      {
        what: 'the node is a vanilla member',
        request: async (good, world) => ({ ...good, ...(await one(world)) }),
        ...{ status: 400, code: 'bad-request' },
      },
    ],
  },
  acceptNodeClone: {
    good: one,
    status: 200,
    gives: (node: object) => expect(node).toMatchObject({ cloneNoticedAt: null }),
  },
  revokeNode: { good: one, status: 200, gives: (node: object) => expect(node).toMatchObject({ status: 'revoked' }) },
};
