import { setMaxListeners } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import cookie from '@fastify/cookie';
import Fastify from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { dashboardFolder } from '../dashboard/dashboard-files.js';
import { type ServePage, serveDashboard } from '../dashboard/serve-dashboard.js';
import { addressRoutes } from './addresses.js';
import { adminRoutes } from './admin.js';
import { addNotFound, describeAnswer } from './answers.js';
import { createAuthentication } from './authentication.js';
import { createBearers } from './bearers.js';
import { configRoutes } from './configs.js';
import type { Api, RestContext } from './context.js';
import { eventRoutes } from './events.js';
import { healthRoutes } from './health.js';
import { addIdempotency } from './idempotency.js';
import { importRoutes } from './imports.js';
import { keyRotationRoutes } from './key-rotation.js';
import { networkRoutes } from './networks.js';
import { nodeLifecycleRoutes } from './node-lifecycle.js';
import { nodeRoutes } from './nodes.js';
import { observeRequests } from './observe.js';
import { documentation } from './openapi.js';
import { addPreconditions, conditional } from './preconditions.js';
import { errorHandler, sendProblem } from './problem.js';
import { enforceScopes, type RouteScope } from './scopes.js';
import { sessionRoutes } from './sessions.js';
import { signalRoutes } from './signals.js';
import { telemetryRoutes } from './telemetry.js';
import { tokenRoutes } from './tokens.js';
import { vanillaRoutes } from './vanilla.js';

const BODY_LIMIT = 256 * 1024;
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
    // A proxy on this machine says whom it speaks for; anybody else could say anything.
    trustProxy: 'loopback',
    // Before any route is found; without it these would be the only answers that are no problem documents.
    frameworkErrors: (error, _request, reply) => void sendProblem(reply, error),
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(errorHandler(context.log));
  acceptNoBody(app);
  const closing = new AbortController();
  // As many listen as wait.
  setMaxListeners(0, closing.signal);
  app.decorate('closing', closing.signal);
  app.addHook('preClose', async () => closing.abort());
  observeRequests(app, context.log, context.metrics);
  let servePage: ServePage | undefined;
  addNotFound(app, () => servePage);
  await app.register(cookie);
  const authenticate = createAuthentication({
    bearers: createBearers(context.store, context.now),
    store: context.store,
    isLocal: (request) => local.has(request),
    rates: context.rates,
    now: () => performance.now(),
  });
  const routes = enforceScopes(app, authenticate);
  addPreconditions(app, context.store);
  app.addHook('onSend', conditional);
  app.addHook('onSend', describeAnswer);
  // Wraps what the preconditions wrapped.
  addIdempotency(app, context);
  await documentation(app);
  await app.register(
    async (scope) => {
      const api = scope.withTypeProvider<ZodTypeProvider>();
      networkRoutes(api, context);
      importRoutes(api, context);
      addressRoutes(api, context);
      nodeRoutes(api, context);
      nodeLifecycleRoutes(api, context);
      keyRotationRoutes(api, context);
      configRoutes(api, context);
      vanillaRoutes(api, context);
      telemetryRoutes(api, context);
      tokenRoutes(api, context);
      signalRoutes(api, context);
      adminRoutes(api, context);
      sessionRoutes(api, context);
      eventRoutes(api, context);
    },
    { prefix: API },
  );
  servePage = await serveDashboard(app, context.dashboard ?? dashboardFolder(), context.log);
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

/** Many clients say `application/json` with every request, also where there is nothing to send: that is no body, and no error. */
function acceptNoBody(app: Api): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined);
    else void parse(request, body, done);
  });
}
