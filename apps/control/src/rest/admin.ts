import { type NetworkId, WarrenError } from '@warren/base';
import type { ApiKeyRow, NodeCount, Page, PageQuery as PageQueryRow } from '@warren/db';
import { z } from 'zod';
import { parseDuration } from '../duration.js';
import { VERSION } from '../version.js';
import { type Api, found, problems, type RestContext } from './context.js';
import { AuditQuery } from './event-schemas.js';
import { processHealth } from './process-health.js';
import {
  ApiKeyView,
  AuditView,
  CreateApiKey,
  CreatedApiKey,
  IdParams,
  PageQuery,
  page,
  StatusView,
} from './schemas.js';
import { covers } from './scopes.js';
import { apiKeyView, auditView, pageQuery, pageView, signalServerView } from './views.js';

/** API keys are so few that the store gives all of them. @throws WarrenError `bad-request` */
function pageOf(all: readonly ApiKeyRow[], { limit = 100, cursor }: PageQueryRow): Page<ApiKeyRow> {
  const from = cursor === undefined ? 0 : all.findIndex(({ id }) => id === cursor) + 1;
  if (cursor !== undefined && from === 0) {
    throw new WarrenError('bad-request', 'cursor must be the nextCursor of the page before');
  }
  const items = all.slice(from, from + limit);
  return { items, nextCursor: from + limit < all.length ? items.at(-1)!.id : null };
}

/** A key that ends makes none that goes on, or its end would mean nothing. @throws WarrenError `forbidden` */
function checkOutlives(end: Date | undefined, expiresAt: Date | null): void {
  if (!end || (expiresAt && expiresAt <= end)) return;
  const text = `a key that expires at ${end.toISOString()} makes only keys that expire by then: say when with expires`;
  throw new WarrenError('forbidden', text);
}

/** API keys, the audit log, and what this process is doing. */
export function adminRoutes(api: Api, context: RestContext): void {
  const { store, hubs, signals, relay, about, now } = context;
  api.get(
    '/apikeys',
    {
      config: { scope: 'apikeys:read' },
      schema: { tags: ['API keys'], querystring: PageQuery, response: { 200: page(ApiKeyView), ...problems } },
    },
    async (request) => pageView(pageOf(await store.listApiKeys(), pageQuery(request.query)), apiKeyView),
  );

  api.post(
    '/apikeys',
    {
      config: { scope: 'apikeys:write' },
      schema: { tags: ['API keys'], body: CreateApiKey, response: { 201: CreatedApiKey, ...problems } },
    },
    async (request, reply) => {
      const { name, scopes, expires } = request.body;
      const held = request.grant?.scopes ?? [];
      const missing = scopes.find((scope) => !covers(held, scope));
      if (missing)
        throw new WarrenError('scope-missing', `a key without the scope ${missing} cannot give it to another`);
      const expiresAt = expires === null ? null : new Date(now() + parseDuration(expires)!);
      checkOutlives(request.grant?.expiresAt, expiresAt);
      const { key, secret } = await store.createApiKey(
        name,
        { scopes: [...new Set(scopes)], expiresAt },
        request.actor,
      );
      return reply.code(201).send({ ...apiKeyView(key), secret });
    },
  );

  api.get(
    '/apikeys/:id',
    {
      config: { scope: 'apikeys:read' },
      schema: { tags: ['API keys'], params: IdParams, response: { 200: ApiKeyView, ...problems } },
    },
    async (request) => {
      const { id } = request.params;
      return apiKeyView(
        found(
          (await store.listApiKeys()).find((key) => key.id === id),
          `API key ${id}`,
          'apikey',
        ),
      );
    },
  );

  api.delete(
    '/apikeys/:id',
    {
      config: { scope: 'apikeys:write' },
      schema: { tags: ['API keys'], params: IdParams, response: { 204: z.null(), ...problems } },
    },
    async (request, reply) => {
      await store.deleteApiKey(request.params.id, request.actor);
      return reply.code(204).send(null);
    },
  );

  api.get(
    '/audit',
    {
      config: { scope: 'audit:read' },
      schema: { tags: ['audit'], querystring: AuditQuery, response: { 200: page(AuditView), ...problems } },
    },
    async (request) => {
      const { network, action, actor, subject, since, until } = request.query;
      const networkId = network === undefined ? undefined : ((await store.findNetwork(network))?.id ?? network);
      const filter = {
        ...pageQuery(request.query),
        ...(networkId === undefined ? {} : { networkId: networkId as NetworkId }),
        ...(action === undefined ? {} : { action }),
        ...(actor === undefined ? {} : { actor }),
        ...(subject === undefined ? {} : { subject }),
        ...(since === undefined ? {} : { since: new Date(since) }),
        ...(until === undefined ? {} : { until: new Date(until) }),
      };
      return pageView(await store.audit(filter), auditView);
    },
  );

  api.get(
    '/status',
    { config: { scope: 'status:read' }, schema: { tags: ['status'], response: { 200: StatusView, ...problems } } },
    async () => {
      const [{ items }, counts, servers, stats, health] = await Promise.all([
        store.listNetworks({ limit: 500 }),
        store.nodeCounts(),
        signals.rows(),
        relay.stats(),
        processHealth(context),
      ]);
      return {
        version: VERSION,
        startedAt: about.startedAt.toISOString(),
        database: about.database,
        http: about.httpUrl,
        agents: [...about.agentAddresses],
        stun: about.stunAddress,
        relay: { ...stats, drops: { ...stats.drops } },
        signalServers: servers.map(signalServerView),
        health,
        networks: items.map(({ id, name, cidrs, revision }) => ({
          id,
          name,
          cidrs: [...cidrs],
          revision,
          connected: hubs.connected(id),
          nodes: byStatus(counts.filter(({ networkId }) => networkId === id)),
        })),
      };
    },
  );
}

function byStatus(counts: readonly NodeCount[]): z.infer<typeof StatusView>['networks'][number]['nodes'] {
  const nodes = { active: 0, pending: 0, expired: 0, revoked: 0 };
  for (const { status, count } of counts) nodes[status] += count;
  return nodes;
}
