import { expect } from 'vitest';
import type { Contracts, Request, World } from './engine.fixture.js';

const one = async (world: World) => ({ params: { id: (await world.member()).id } });
const pair = async (world: World): Promise<Request> => ({
  params: { id: (await world.member()).id, peer: (await world.member()).id },
});
const withConfigKey = async (world: World) => {
  const request = await one(world);
  await world.make('createNodeConfigKey', request);
  return request;
};
const withPresharedKey = async (world: World) => {
  const request = await pair(world);
  await world.make('putNodePresharedKey', request);
  return request;
};

export const VANILLA_CONTRACTS: Contracts = {
  createNodeConfigKey: {
    good: one,
    status: 201,
    gives: (key: object) => expect(key).toMatchObject({ secret: expect.stringMatching(/^warrenconf_[\w-]{43}$/) }),
    refused: [
      {
        what: 'the node is revoked',
        request: async (good, world) => {
          await world.make('revokeNode', good);
          return good;
        },
        ...{ status: 403, code: 'node-revoked' },
      },
    ],
  },
  deleteNodeConfigKey: {
    good: withConfigKey,
    status: 204,
    refused: [
      {
        what: 'there is none any more',
        request: async (good, world) => {
          await world.make('deleteNodeConfigKey', good);
          return good;
        },
        ...{ status: 404, code: 'not-found' },
      },
    ],
  },
  listNodePresharedKeys: {
    good: async (world) => ({ params: { id: (await withPresharedKey(world)).params!.id! } }),
    status: 200,
    gives: ({ items }: { items: object[] }) => expect(items).toHaveLength(1),
  },
  putNodePresharedKey: {
    good: async (world) => ({ ...(await pair(world)), body: { presharedKey: world.publicKey() } }),
    status: 200,
    gives: (row: object, { params }) => expect(row).toMatchObject({ peerId: params!.peer }),
    badBodies: [{ presharedKey: 'short' }, { presharedKey: Buffer.alloc(32).toString('base64') }],
    refused: [
      {
        what: 'the two are one',
        request: (good) => ({ ...good, params: { id: good.params!.id!, peer: good.params!.id! } }),
        ...{ status: 400, code: 'bad-request' },
      },
    ],
  },
  deleteNodePresharedKey: {
    good: withPresharedKey,
    status: 204,
    refused: [{ what: 'there is none', request: (_, world) => pair(world), ...{ status: 404, code: 'not-found' } }],
  },
};
