import { SecretKey } from '@warren/base';
import type { NodeRow, PresharedKeyRow } from '@warren/db';
import { z } from 'zod';
import { CreatedConfigKey, PresharedKeyView, SetPresharedKey } from './conf-settings-schemas.js';
import { type Api, nodeOf, problems, type RestContext } from './context.js';
import { IdParams, NodeQuery, page } from './schemas.js';

const ByName = z.object({ network: NodeQuery.shape.network });
const PairParams = IdParams.extend({ peer: IdParams.shape.id });

/** What vanilla members have besides their files: keys that read those, and preshared keys. */
export function vanillaRoutes(api: Api, context: RestContext): void {
  configKeyRoutes(api, context);
  presharedKeyRoutes(api, context);
}

function configKeyRoutes(api: Api, { store }: RestContext): void {
  const tags = ['config keys'];
  const schema = { tags, params: IdParams, querystring: ByName };

  api.post(
    '/nodes/:id/config-key',
    { config: { scope: 'nodes:write' }, schema: { ...schema, response: { 201: CreatedConfigKey, ...problems } } },
    async (request, reply) => {
      const { id } = await nodeOf(store, request.params.id, request.query.network);
      const { node, secret } = await store.createConfigKey(id, request.actor);
      const { name, networkId, configKeyCreatedAt } = node;
      const createdAt = (configKeyCreatedAt ?? new Date()).toISOString();
      return reply.code(201).send({ nodeId: id, node: name, networkId, createdAt, secret });
    },
  );

  api.delete(
    '/nodes/:id/config-key',
    { config: { scope: 'nodes:write' }, schema: { ...schema, response: { 204: z.null(), ...problems } } },
    async (request, reply) => {
      const { id } = await nodeOf(store, request.params.id, request.query.network);
      await store.deleteConfigKey(id, request.actor);
      return reply.code(204).send(null);
    },
  );
}

function presharedKeyRoutes(api: Api, { store }: RestContext): void {
  const tags = ['preshared keys'];
  /** Both ends; a name is looked for in the network of the first. */
  const pairOf = async (
    { id, peer }: z.infer<typeof PairParams>,
    network: string | undefined,
  ): Promise<readonly [NodeRow, NodeRow]> => {
    const node = await nodeOf(store, id, network);
    return [node, await nodeOf(store, peer, node.networkId)];
  };

  api.get(
    '/nodes/:id/preshared-keys',
    {
      config: { scope: 'nodes:read' },
      schema: { tags, params: IdParams, querystring: ByName, response: { 200: page(PresharedKeyView), ...problems } },
    },
    async (request) => {
      const { id } = await nodeOf(store, request.params.id, request.query.network);
      return { items: (await store.listPresharedKeys(id)).map(presharedKeyView), nextCursor: null };
    },
  );

  api.put(
    '/nodes/:id/preshared-keys/:peer',
    {
      config: { scope: 'nodes:write' },
      schema: {
        ...{ tags, params: PairParams, querystring: ByName, body: SetPresharedKey },
        response: { 200: PresharedKeyView, ...problems },
      },
    },
    async (request) => {
      const [node, peer] = await pairOf(request.params, request.query.network);
      const text = request.body?.presharedKey;
      const key = text === undefined ? undefined : SecretKey.parse(text);
      return presharedKeyView(await store.setPresharedKey([node.id, peer.id], key, request.actor));
    },
  );

  api.delete(
    '/nodes/:id/preshared-keys/:peer',
    {
      config: { scope: 'nodes:write' },
      schema: { tags, params: PairParams, querystring: ByName, response: { 204: z.null(), ...problems } },
    },
    async (request, reply) => {
      const [node, peer] = await pairOf(request.params, request.query.network);
      await store.deletePresharedKey([node.id, peer.id], request.actor);
      return reply.code(204).send(null);
    },
  );
}

const presharedKeyView = ({ peerId, name, createdAt }: PresharedKeyRow): z.infer<typeof PresharedKeyView> => ({
  peerId,
  peer: name,
  createdAt: createdAt.toISOString(),
});
