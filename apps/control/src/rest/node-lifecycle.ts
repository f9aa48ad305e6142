import type { NodeRow } from '@warren/db';
import type { z } from 'zod';
import { parseDuration } from '../duration.js';
import { type Api, nodeOf, problems, type RestContext } from './context.js';
import { ExtendNode, NodeByName } from './lifecycle-schemas.js';
import { IdParams, NodeView } from './schemas.js';
import { nodeView } from './views.js';

const tags = ['nodes'];
const config = { scope: 'nodes:write' } as const;
const schema = { tags, params: IdParams, querystring: NodeByName, response: { 200: NodeView, ...problems } };

/** What an operator decides about a node that is there. */
export function nodeLifecycleRoutes(api: Api, { store, hubs, now }: RestContext): void {
  const find = async (request: { params: { id: string }; query: { network?: string | undefined } }) =>
    nodeOf(store, request.params.id, request.query.network);
  const view = async (row: NodeRow): Promise<z.infer<typeof NodeView>> =>
    nodeView(row, (await store.findNetwork(row.networkId))?.name ?? row.networkId, hubs);

  api.post('/nodes/:id/approve', { config, schema }, async (request) =>
    view(await store.approveNode((await find(request)).id, request.actor)),
  );

  api.post('/nodes/:id/disable', { config, schema }, async (request) =>
    view(await store.disableNode((await find(request)).id, request.actor)),
  );

  api.post('/nodes/:id/extend', { config, schema: { ...schema, body: ExtendNode } }, async (request) => {
    const { expires } = request.body;
    const expiresAt = typeof expires === 'string' ? new Date(now() + parseDuration(expires)!) : expires;
    return view(await store.extendNode((await find(request)).id, expiresAt, request.actor));
  });

  api.post('/nodes/:id/clone-seen', { config, schema }, async (request) =>
    view(await store.clearClone((await find(request)).id, request.actor)),
  );
}
