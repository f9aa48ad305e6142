import { WarrenError } from '@warren/base';
import type { MemberRow } from '@warren/db';
import { z } from 'zod';
import { type Api, networkOf, nodeOf, problems, type RestContext } from './context.js';
import { IdParams, NodeQuery } from './schemas.js';
import { ExplainQuery, ExplanationView, NodeTelemetryView, TopologyQuery, TopologyView } from './telemetry-schemas.js';

const tags = ['telemetry'];
const ByName = z.object({ network: NodeQuery.shape.network });
const config = { scope: 'nodes:read' } as const;

/** What agents report of the mesh. */
export function telemetryRoutes(api: Api, context: RestContext): void {
  const { store, hubs } = context;
  api.get(
    '/networks/:id/topology',
    {
      config,
      schema: { tags, params: IdParams, querystring: TopologyQuery, response: { 200: TopologyView, ...problems } },
    },
    async (request) => {
      const network = await networkOf(store, request.params.id);
      const rows = await store.members(network.id);
      const hub = await hubs.current(network.id);
      return {
        networkId: network.id,
        revision: hub.version.revision,
        at: new Date().toISOString(),
        nodes: rows.map((row) => nodeOfTopology(row, hubs.isOnline(network.id, row.id))),
        links: [],
      };
    },
  );
  api.get(
    '/nodes/:id/telemetry',
    {
      config,
      schema: { tags, params: IdParams, querystring: ByName, response: { 200: NodeTelemetryView, ...problems } },
    },
    async (request) => {
      const node = await nodeOf(store, request.params.id, request.query.network);
      return {
        ...{ online: node.kind === 'agent' ? hubs.isOnline(node.networkId, node.id) : null, connectedSince: null },
        ...{ lastSeenAt: node.lastSeenAt?.toISOString() ?? null, version: node.agentVersion, address: null, nat: null },
        ...{ rxBytes: 0, txBytes: 0, rxRate: 0, txRate: 0, paths: [], traffic: { intervalMs: 10_000, points: [] } },
      };
    },
  );
  api.get(
    '/nodes/:id/explain',
    {
      config,
      schema: { tags, params: IdParams, querystring: ExplainQuery, response: { 200: ExplanationView, ...problems } },
    },
    async (request) => {
      const node = await nodeOf(store, request.params.id, request.query.network);
      await nodeOf(store, request.query.peer, node.networkId);
      throw new WarrenError('agent-offline', `the agent of ${node.name} is not connected: only it can say why`);
    },
  );
}

const nodeOfTopology = (row: MemberRow, online: boolean) => ({
  ...{ id: row.id, name: row.name, role: row.role, kind: row.kind, status: row.status as 'active' },
  ...{ tags: [...row.tags], addresses: [...row.addresses], endpoint: row.endpoint },
  online: row.kind === 'agent' ? online : null,
  lastSeenAt: row.lastSeenAt?.toISOString() ?? null,
  ...{ version: row.agentVersion, home: null, disabled: row.disabledAt !== null, nat: null, reflexive: [] },
  ...{ rxRate: 0, txRate: 0, paths: { direct: 0, relay: 0, bounce: 0, none: 0 }, warnings: [] },
});
