import { z } from 'zod';
import { VERSION } from '../version.js';
import { ADMIN, type Api, problems, type RestContext } from './context.js';
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
import { apiKeyView, auditView, pageQuery, pageView } from './views.js';

/** API keys, the audit log, and what this process is doing. */
export function adminRoutes(api: Api, { store, hubs, about }: RestContext): void {
  api.get(
    '/apikeys',
    { config: ADMIN, schema: { tags: ['API keys'], response: { 200: page(ApiKeyView), ...problems } } },
    async () => pageView({ items: await store.listApiKeys(), nextCursor: null }, apiKeyView),
  );

  api.post(
    '/apikeys',
    {
      config: ADMIN,
      schema: { tags: ['API keys'], body: CreateApiKey, response: { 201: CreatedApiKey, ...problems } },
    },
    async (request, reply) => {
      const { key, secret } = await store.createApiKey(request.body.name, request.actor);
      return reply.code(201).send({ ...apiKeyView(key), secret });
    },
  );

  api.delete(
    '/apikeys/:id',
    { config: ADMIN, schema: { tags: ['API keys'], params: IdParams, response: { 204: z.null(), ...problems } } },
    async (request, reply) => {
      await store.deleteApiKey(request.params.id, request.actor);
      return reply.code(204).send(null);
    },
  );

  api.get(
    '/audit',
    {
      config: ADMIN,
      schema: { tags: ['audit'], querystring: PageQuery, response: { 200: page(AuditView), ...problems } },
    },
    async (request) => pageView(await store.audit(pageQuery(request.query)), auditView),
  );

  api.get(
    '/status',
    { config: ADMIN, schema: { tags: ['status'], response: { 200: StatusView, ...problems } } },
    async () => {
      const { items } = await store.listNetworks({ limit: 500 });
      return {
        version: VERSION,
        startedAt: about.startedAt.toISOString(),
        database: about.database,
        http: about.httpUrl,
        agents: [...about.agentAddresses],
        networks: items.map(({ id, name, cidrs, revision }) => ({
          id,
          name,
          cidrs: [...cidrs],
          revision,
          connected: hubs.connected(id),
        })),
      };
    },
  );
}
