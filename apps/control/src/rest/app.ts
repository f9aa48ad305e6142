import type { IncomingMessage, ServerResponse } from 'node:http';
import { WarrenError } from '@warren/base';
import Fastify, { type FastifyRequest } from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { addressRoutes } from './addresses.js';
import { adminRoutes } from './admin.js';
import { addNotFound, describeAnswer } from './answers.js';
import { createAuthentication } from './authentication.js';
import { createBearers } from './bearers.js';
import { configRoutes } from './configs.js';
import { type Api, PUBLIC, type RestContext } from './context.js';
import { IdempotencyTable } from './idempotency.js';
import { importRoutes } from './imports.js';
import { keyRotationRoutes } from './key-rotation.js';
import { renderMetrics } from './metrics.js';
import { networkRoutes } from './networks.js';
import { nodeRoutes } from './nodes.js';
import { documentation } from './openapi.js';
import { addPreconditions, conditional } from './preconditions.js';
import { errorHandler, sendProblem } from './problem.js';
import { enforceScopes, type RouteScope } from './scopes.js';
import { signalRoutes } from './signals.js';
import { tokenRoutes } from './tokens.js';

const BODY_LIMIT = 256 * 1024;
/** Milliseconds; probes give up after a few seconds themselves. */
const READY_TIMEOUT = 2_000;
const API = '/api/v1';

declare module 'fastify' {
  interface FastifyInstance {
    /** Aborts when the server begins to close: whoever waits answers at once. */
    closing: AbortSignal;
  }
}

export interface RestApp {
  readonly app: Api;
  /** Every route with its scope (invariant 13). */
  readonly routes: readonly RouteScope[];
  /** Serves a request that came over the local socket: whoever may open that is administrator. */
  handleLocal(request: IncomingMessage, response: ServerResponse): void;
}

export async function buildRest(context: RestContext): Promise<RestApp> {
  const local = new WeakSet<IncomingMessage>();
  const app = Fastify({
    logger: false,
    bodyLimit: BODY_LIMIT,
    forceCloseConnections: 'idle',
    // Before any route is found; without it these would be the only answers that are no problem documents.
    frameworkErrors: (error, _request, reply) => void sendProblem(reply, error),
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(errorHandler(context.log));
  const closing = new AbortController();
  app.decorate('closing', closing.signal);
  app.addHook('preClose', async () => closing.abort());
  addNotFound(app);
  const authenticate = createAuthentication(
    createBearers(context.store, context.now),
    (request) => local.has(request),
    context.rates,
    () => performance.now(),
  );
  const routes = enforceScopes(app, authenticate);
  addPreconditions(app, context.store);
  app.addHook('onSend', conditional);
  app.addHook('onSend', describeAnswer);
  addIdempotency(app, new IdempotencyTable(context.now));
  await documentation(app);
  await app.register(
    async (scope) => {
      const api = scope.withTypeProvider<ZodTypeProvider>();
      networkRoutes(api, context);
      importRoutes(api, context);
      addressRoutes(api, context);
      nodeRoutes(api, context);
      keyRotationRoutes(api, context);
      configRoutes(api, context);
      tokenRoutes(api, context);
      signalRoutes(api, context);
      adminRoutes(api, context);
    },
    { prefix: API },
  );
  healthRoutes(app, context);
  await app.ready();
  return {
    app,
    routes,
    handleLocal: (request, response) => {
      local.add(request);
      app.routing(request, response);
    },
  };
}

function healthRoutes(app: Api, { store, hubs, relay, log }: RestContext): void {
  app.get('/', { config: PUBLIC, schema: { hide: true } }, async (_request, reply) => reply.redirect('/api/docs'));
  app.get('/healthz', { config: PUBLIC, schema: { hide: true } }, async () => ({ status: 'ok' }));
  app.get('/readyz', { config: PUBLIC, schema: { hide: true } }, async () => {
    try {
      await inTime(store.ping(), READY_TIMEOUT);
    } catch (error) {
      log.warn({ err: error }, 'the database does not answer');
      throw new WarrenError('database-unavailable', 'the database does not answer', { cause: error });
    }
    return { status: 'ok' };
  });
  app.get('/metrics', { config: PUBLIC, schema: { hide: true } }, async (_request, reply) =>
    reply
      .header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
      .send(renderMetrics(hubs, await relay.stats())),
  );
}

/** Rejects when the answer takes longer, in milliseconds: a database that hangs is not ready either. */
async function inTime<T>(answer: Promise<T>, limit: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${limit} ms`)), limit);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

const WRITES = ['POST', 'PATCH', 'DELETE'];

function addIdempotency(app: Api, table: IdempotencyTable): void {
  /** Requests that are the first with their key, and whose answer is to be kept. */
  const begun = new WeakMap<FastifyRequest, { scope: string; key: string }>();
  app.addHook('preHandler', async (request, reply) => {
    const key = request.headers['idempotency-key'];
    if (typeof key !== 'string' || !WRITES.includes(request.method) || !request.actor) return;
    const scope = `${request.actor}\n${request.method} ${request.url}`;
    const answer = table.begin(scope, key, request.body);
    if (!answer) return void begun.set(request, { scope, key });
    if (answer.contentType) void reply.header('content-type', answer.contentType);
    void reply.code(answer.status).header('idempotent-replayed', 'true');
    void reply.serializer((body: unknown) => body as string);
    return reply.send(answer.body === '' ? null : answer.body);
  });
  app.addHook('onSend', async (request, reply, payload) => {
    const known = begun.get(request);
    if (!known) return payload;
    const contentType = String(reply.getHeader('content-type') ?? '');
    const body = typeof payload === 'string' ? payload : '';
    table.finish(known.scope, known.key, { status: reply.statusCode, contentType, body });
    return payload;
  });
}
