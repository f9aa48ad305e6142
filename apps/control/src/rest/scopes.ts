import type { IncomingMessage } from 'node:http';
import { InvariantError, WarrenError } from '@warren/base';
import type { Actor, Store } from '@warren/db';
import type { FastifyInstance, FastifyRequest } from 'fastify';

/** Who may call a route: nobody is asked, or the holder of an API key (or whoever may open the local socket). */
type RestScope = 'public' | 'admin';

declare module 'fastify' {
  interface FastifyContextConfig {
    scope?: RestScope;
  }
  interface FastifyRequest {
    /** Set for routes of scope `admin`. */
    actor: Actor;
  }
}

export interface RouteScope {
  readonly method: string;
  readonly url: string;
  readonly scope: RestScope;
}

/** Pages of the API's documentation come from a plugin, which declares no scope for them: they are public. */
const DOCUMENTATION = '/api/docs';

/**
 * Makes every route declare its scope (invariant 13) and enforces it before the body is read.
 *
 * @returns the live list of all routes with their scopes.
 */
export function enforceScopes(
  app: FastifyInstance,
  store: Store,
  isLocal: (request: IncomingMessage) => boolean,
): RouteScope[] {
  const routes: RouteScope[] = [];
  app.decorateRequest('actor', '');
  app.addHook('onRoute', (route) => {
    const scope = route.config?.scope ?? (route.url.startsWith(DOCUMENTATION) ? 'public' : undefined);
    if (!scope) throw new InvariantError(`route ${String(route.method)} ${route.url} declares no scope`);
    route.config = { ...route.config, scope };
    for (const method of [route.method].flat()) routes.push({ method, url: route.url, scope });
  });
  app.addHook('onRequest', async (request) => {
    if (request.is404 || request.routeOptions.config.scope === 'public') return;
    request.actor = isLocal(request.raw) ? 'local' : await bearer(request, store);
  });
  return routes;
}

async function bearer(request: FastifyRequest, store: Store): Promise<Actor> {
  const secret = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(request.headers.authorization ?? '')?.[1];
  if (!secret)
    throw new WarrenError(
      'unauthorized',
      'send an API key as `Authorization: Bearer …`; make one with `warren apikey create`',
    );
  const key = await store.checkApiKey(secret);
  if (!key) throw new WarrenError('unauthorized', 'the control plane does not know this API key');
  return `apikey:${key.id}`;
}
