import { decodeNodeRecord } from '@warren/identity';
import type { SignedRecord } from '@warren/topology';
import { z } from 'zod';
import { type Api, nodeOf, problems, type RestContext } from './context.js';
import { IdParams, NodeQuery, NodeView } from './schemas.js';
import { nodeView } from './views.js';

/** Asking an agent for another WireGuard key. */
export function keyRotationRoutes(api: Api, { store, hubs }: RestContext): void {
  api.post(
    '/nodes/:id/rotate-key',
    {
      config: { scope: 'nodes:write' },
      schema: {
        tags: ['nodes'],
        description:
          'The agent makes another WireGuard key as soon as it hears of it; the answer comes before. `rotateGeneration` is null again ' +
          'when it has. Refused with `vanilla-key` for a vanilla member, whose key is made where it runs.',
        params: IdParams,
        querystring: z.object({ network: NodeQuery.shape.network }),
        response: { 200: NodeView, ...problems },
      },
    },
    async (request) => {
      const { id } = await nodeOf(store, request.params.id, request.query.network);
      const row = await store.requestRotation(id, generationOf, request.actor);
      return nodeView(row, (await store.findNetwork(row.networkId))?.name ?? row.networkId, hubs);
    },
  );
}

const generationOf = ({ record }: SignedRecord): number => decodeNodeRecord(record)?.generation ?? 0;
