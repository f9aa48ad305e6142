import { InvariantError, WarrenError } from '@warren/base';
import type { Actor } from '@warren/db';
import type { FastifyInstance } from 'fastify';
import type { Authenticate } from './authentication.js';
import type { Grant } from './bearers.js';

/** What an API key may be given. `admin` is everything; `X:write` implies `X:read`. */
export const SCOPES = [
  'admin',
  'networks:read',
  'networks:write',
  'nodes:read',
  'nodes:write',
  'tokens:read',
  'tokens:write',
  'apikeys:read',
  'apikeys:write',
  'signals:read',
  'signals:write',
  'configs:read',
  'events:read',
  'audit:read',
  'status:read',
] as const;
export type Scope = (typeof SCOPES)[number];

declare module 'fastify' {
  interface FastifyContextConfig {
    /** `public`: nobody is asked. */
    scope?: Scope | 'public';
    /** A node's config key is taken here, too; the handler then compares `grant.nodeId` with the node that it found. */
    configKey?: boolean;
  }
  interface FastifyRequest {
    /** Set for routes that are not public. */
    actor: Actor;
    /** Who asks and what they may do; undefined at public routes. */
    grant: Grant | undefined;
    /** For a part of an answer that needs another scope than its route. @throws WarrenError `scope-missing` */
    requireScope: (scope: Scope) => void;
    /** For answers that last: whether who asked still may. */
    stillGranted: () => Promise<boolean>;
  }
}

export interface RouteScope {
  readonly method: string;
  readonly url: string;
  readonly scope: Scope | 'public';
}

/** Pages of the API's documentation come from a plugin, which declares no scope for them: they are public. */
const DOCUMENTATION = '/api/docs';

/** Refusals that say nothing about the key. */
const GRANT_UNKNOWN = ['database-unavailable', 'too-many-requests'];

/** Whether one of the held scopes covers the one that is needed. */
export function covers(held: readonly string[], needed: Scope): boolean {
  return held.some((scope) => scope === 'admin' || scope === needed || scope === needed.replace(/:read$/, ':write'));
}

/**
 * Makes every route declare its scope (invariant 13) and enforces it before the body is read.
 *
 * @returns the live list of all routes with their scopes.
 */
export function enforceScopes(app: FastifyInstance, authenticate: Authenticate): RouteScope[] {
  const routes: RouteScope[] = [];
  app.decorateRequest('actor', '');
  app.decorateRequest('grant', undefined);
  app.decorateRequest('requireScope', () => undefined);
  app.decorateRequest('stillGranted', async () => false);
  app.addHook('onRoute', (route) => {
    const scope = route.config?.scope ?? (route.url.startsWith(DOCUMENTATION) ? 'public' : undefined);
    if (!scope) throw new InvariantError(`route ${String(route.method)} ${route.url} declares no scope`);
    route.config = { ...route.config, scope };
    for (const method of [route.method].flat()) routes.push({ method, url: route.url, scope });
  });
  app.addHook('onRequest', async (request, reply) => {
    const { scope = 'admin', configKey = false } = request.routeOptions.config;
    if (request.is404 || scope === 'public') return;
    const grant = await authenticate(request, reply);
    request.grant = grant;
    request.actor = grant.actor;
    request.stillGranted = async () => {
      try {
        return covers((await authenticate(request, reply)).scopes, scope);
      } catch (error) {
        if (error instanceof WarrenError) return GRANT_UNKNOWN.includes(error.code);
        throw error;
      }
    };
    request.requireScope = (needed) => {
      if (covers(grant.scopes, needed) && (configKey || grant.nodeId === undefined)) return;
      // RFC 6750 §3.1
      void reply.header('www-authenticate', `Bearer realm="warren", error="insufficient_scope", scope="${needed}"`);
      throw scopeMissing(grant, needed);
    };
    request.requireScope(scope);
  });
  return routes;
}

function scopeMissing(grant: Grant, needed: Scope): WarrenError {
  if (grant.nodeId !== undefined)
    return new WarrenError('scope-missing', 'a config key reads the configuration files of its own node, nothing else');
  const held = grant.scopes.join(', ') || 'no scope';
  return new WarrenError(
    'scope-missing',
    `this needs an API key with the scope ${needed}; the one shown has ${held}: make one with \`warren apikey create\``,
  );
}
