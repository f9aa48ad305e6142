import { WarrenError } from '@warren/base';
import type { NodeRow } from '@warren/db';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { MemberRows } from '../telemetry/member-rows.js';
import { topologyJson } from '../telemetry/topology-json.js';
import { TRAFFIC_INTERVAL } from '../telemetry/traffic-history.js';
import { lastSeenAt, pathViews } from '../telemetry/views.js';
import { type Api, networkOf, nodeOf, problems, type RestContext } from './context.js';
import { matches } from './preconditions.js';
import { IdParams, NodeQuery } from './schemas.js';
import { ExplainQuery, ExplanationView, NodeTelemetryView, TopologyQuery, TopologyView } from './telemetry-schemas.js';

const tags = ['telemetry'];
const ByName = z.object({ network: NodeQuery.shape.network });
const config = { scope: 'nodes:read' } as const;

/** What agents report of the mesh: of those that are connected to the process that answers. */
export function telemetryRoutes(api: Api, context: RestContext): void {
  const { store, telemetry } = context;
  const rows = new MemberRows(store, () => performance.now());
  api.get(
    '/networks/:id/topology',
    {
      config,
      schema: { tags, params: IdParams, querystring: TopologyQuery, response: { 200: TopologyView, ...problems } },
    },
    async (request, reply) => {
      const traffic = request.query.traffic === 'true';
      return sendTopology(context, rows, { id: request.params.id, traffic }, request, reply as FastifyReply);
    },
  );

  api.get(
    '/nodes/:id/telemetry',
    {
      config,
      schema: { tags, params: IdParams, querystring: ByName, response: { 200: NodeTelemetryView, ...problems } },
    },
    async (request) => nodeTelemetry(await nodeOf(store, request.params.id, request.query.network), context),
  );

  api.get(
    '/nodes/:id/explain',
    {
      config,
      schema: { tags, params: IdParams, querystring: ExplainQuery, response: { 200: ExplanationView, ...problems } },
    },
    async (request) => {
      const node = await nodeOf(store, request.params.id, request.query.network);
      const peer = await nodeOf(store, request.query.peer, node.networkId);
      if (peer.id === node.id)
        throw new WarrenError('bad-request', 'the peer must be another node: no path leads from a node to itself');
      const explanation = await telemetry.explain(node, peer.id);
      // Whom it is about is ours to say.
      return { ...explanation, node: { ...explanation.node, id: peer.id, name: peer.name } };
    },
  );
}

/**
 * Sends it as bytes, past what every other answer goes through: of ten thousand nodes it is megabytes, which are made in pieces
 * and neither checked nor hashed. Its tag changes with everything that is in it.
 */
async function sendTopology(
  context: RestContext,
  rows: MemberRows,
  { id, traffic }: { readonly id: string; readonly traffic: boolean },
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { store, hubs, telemetry, about } = context;
  const network = await networkOf(store, id);
  const { version } = await hubs.current(network.id);
  const { facts, network: decided } = version.decided;
  const seen = telemetry.network(network.id);
  const members = await rows.of(network.id, version.revision);
  const moment = telemetry.moment();
  // Rates fall and handshakes age by themselves.
  const age = Math.floor(moment.unix / 1_000);
  const begun = about.startedAt.getTime().toString(36);
  const etag = `"${begun}-${version.revision}-${seen?.serial ?? 0}-${age}${traffic ? '-traffic' : ''}"`;
  void reply.header('etag', etag);
  if (matches(request.headers['if-none-match'], etag)) return reply.code(304).send();
  const json = await topologyJson({
    ...{ network, revision: version.revision, members, telemetry: seen, moment, traffic },
    homeOf: (node) => facts.homes.get(node),
    isUnavailable: (node) => decided.nodes.get(node)?.unavailable === true,
    lanClashesOf: (node) => hubs.observed(network.id, node).lanClashes,
  });
  return reply.header('content-type', 'application/json; charset=utf-8').send(json);
}

function nodeTelemetry(row: NodeRow, { hubs, telemetry }: RestContext): z.infer<typeof NodeTelemetryView> {
  const seen = telemetry.network(row.networkId);
  const node = seen?.nodes.get(row.id);
  const { unix, monotonic } = telemetry.moment();
  const names = hubs.members(row.networkId);
  const { connection, nat } = node ?? {};
  return {
    online: node?.isOnline(unix) ?? (row.kind === 'vanilla' && row.lastSeenAt === null ? null : false),
    connectedSince: connection ? new Date(connection.since).toISOString() : null,
    lastSeenAt: (node && lastSeenAt(node, unix)) ?? row.lastSeenAt?.toISOString() ?? null,
    version: node?.version ?? row.agentVersion,
    address: connection?.address ?? node?.address ?? null,
    nat: nat ? { ...nat, reflexive: [...nat.reflexive], homes: [...nat.homes] } : null,
    rxBytes: node?.rxBytes() ?? 0,
    txBytes: node?.txBytes() ?? 0,
    rxRate: node?.rxRate(monotonic) ?? 0,
    txRate: node?.txRate(monotonic) ?? 0,
    paths: node ? pathViews(node, (id) => names.get(id)?.name ?? id) : [],
    traffic: { intervalMs: TRAFFIC_INTERVAL, points: node?.history?.points(unix) ?? [] },
  };
}
