import { type HostPort, type IpAddress, type PublicKey, WarrenError } from '@warren/base';
import type { NodeRow } from '@warren/db';
import { mergeConfSettings } from '@warren/topology';
import { z } from 'zod';
import { settingsChange } from './conf-settings-schemas.js';
import { type Api, networkOf, nodeOf, problems, type RestContext } from './context.js';
import { CreatedNode, CreateNode, IdParams, NodeQuery, NodeView, page, UpdatedNode, UpdateNode } from './schemas.js';
import { nodeView, pageQuery, pageView } from './views.js';

const tags = ['nodes'];
const ByName = z.object({ network: NodeQuery.shape.network });

const portIsTheAgents = ({ name }: NodeRow): WarrenError =>
  new WarrenError(
    'bad-request',
    `${name} is an agent: its port is chosen on its host, by \`agent join --listen-port\``,
  );

export function nodeRoutes(api: Api, { store, hubs }: RestContext): void {
  const view = async (row: NodeRow): Promise<z.infer<typeof NodeView>> =>
    nodeView(row, (await store.findNetwork(row.networkId))?.name ?? row.networkId, hubs);

  api.get(
    '/nodes',
    {
      config: { scope: 'nodes:read' },
      schema: { tags, querystring: NodeQuery, response: { 200: page(NodeView), ...problems } },
    },
    async (request) => {
      const { network, status, role, kind, tag, q } = request.query;
      const filter = {
        ...pageQuery(request.query),
        ...(network === undefined ? {} : { networkId: (await networkOf(store, network)).id }),
        ...(status === undefined ? {} : { status }),
        ...(role === undefined ? {} : { role }),
        ...(kind === undefined ? {} : { kind }),
        ...(tag === undefined ? {} : { tag }),
        ...(q === undefined ? {} : { q }),
      };
      const rows = await store.listNodes(filter);
      const names = new Map<string, string>();
      for (const id of new Set(rows.items.map((row) => row.networkId)))
        names.set(id, (await store.findNetwork(id))?.name ?? id);
      return pageView(rows, (row) => nodeView(row, names.get(row.networkId)!, hubs));
    },
  );

  api.post(
    '/nodes',
    {
      config: { scope: 'nodes:write' },
      schema: { tags, body: CreateNode, response: { 201: CreatedNode, ...problems } },
    },
    async (request, reply) => {
      const { network, name, role, publicKey, endpoint, addresses, settings, tags: labels } = request.body;
      if (role !== 'client' && endpoint === undefined) {
        throw new WarrenError(
          'endpoint-missing',
          `a ${role} node needs an endpoint (host:port) by which others reach it`,
        );
      }
      const { id } = await networkOf(store, network);
      const row = await store.createVanilla(
        {
          networkId: id,
          name,
          role,
          tags: labels,
          ...(publicKey === undefined ? {} : { publicKey: publicKey as PublicKey }),
          ...(settings === undefined ? {} : { settings: mergeConfSettings({}, settingsChange(settings)) }),
          ...(endpoint === undefined ? {} : { endpoint: endpoint as HostPort }),
          ...(addresses === undefined ? {} : { addresses: addresses as IpAddress[] }),
        },
        request.actor,
      );
      return reply.code(201).send({ ...(await view(row)), configKey: row.configKey });
    },
  );

  api.get(
    '/nodes/:id',
    {
      config: { scope: 'nodes:read' },
      schema: { tags, params: IdParams, querystring: ByName, response: { 200: NodeView, ...problems } },
    },
    async (request) => view(await nodeOf(store, request.params.id, request.query.network)),
  );

  api.patch(
    '/nodes/:id',
    {
      config: { scope: 'nodes:write' },
      schema: {
        tags,
        params: IdParams,
        querystring: ByName,
        body: UpdateNode,
        response: { 200: UpdatedNode, ...problems },
      },
    },
    async (request) => {
      const node = await nodeOf(store, request.params.id, request.query.network);
      const { name, endpoint, addresses, publicKey, settings, role, tags: labels, listenPort } = request.body;
      if (listenPort !== undefined && node.kind === 'agent') throw portIsTheAgents(node);
      const change = {
        ...(publicKey === undefined ? {} : { publicKey: publicKey as PublicKey }),
        ...(settings === undefined ? {} : { settings: settingsChange(settings) }),
        ...(name === undefined ? {} : { name }),
        ...(role === undefined ? {} : { role }),
        ...(labels === undefined ? {} : { tags: labels }),
        ...(listenPort === undefined ? {} : { listenPort }),
        ...(endpoint === undefined ? {} : { endpoint: endpoint as HostPort }),
        ...(addresses === undefined ? {} : { addresses: addresses as IpAddress[] }),
      };
      const after = await store.updateNode(node.id, change, request.actor);
      return { ...(await view(after)), interruption: interruptionOf(node, after) };
    },
  );

  api.delete(
    '/nodes/:id',
    {
      config: { scope: 'nodes:write' },
      schema: { tags, params: IdParams, querystring: ByName, response: { 204: z.null(), ...problems } },
    },
    async (request, reply) => {
      const node = await nodeOf(store, request.params.id, request.query.network);
      await store.deleteNode(node.id, request.actor);
      return reply.code(204).send(null);
    },
  );

  api.post(
    '/nodes/:id/revoke',
    {
      config: { scope: 'nodes:write' },
      schema: { tags, params: IdParams, querystring: ByName, response: { 200: NodeView, ...problems } },
    },
    async (request) => {
      const node = await nodeOf(store, request.params.id, request.query.network);
      return view(await store.revokeNode(node.id, request.actor));
    },
  );
}

/** A file cannot change everywhere at the same moment: who has another key is cut off until it is used there, too. */
function interruptionOf(before: NodeRow, after: NodeRow): string | null {
  if (before.kind !== 'vanilla' || before.publicKey === null || before.publicKey === after.publicKey) return null;
  return `${after.name} is cut off until it uses the new key; vanilla peers of it need their new file`;
}
