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
  'sessions:read',
  'sessions:write',
  'signals:read',
  'signals:write',
  'configs:read',
  'events:read',
  'audit:read',
  'status:read',
] as const;
export type Scope = (typeof SCOPES)[number];
/** What a route asks for. `public`: nobody is asked; `session`: it is about the session of who has signed in. */
type Needed = Scope | 'public' | 'session';

declare module 'fastify' {
  interface FastifyContextConfig {
    scope?: Needed;
    /** False: an Idempotency-Key is not heeded, as what would be kept of the request is secret. */
    repeatable?: boolean;
    /** A node's config key is taken here, too; the handler then compares `grant.nodeId` with the node that it found. */
    configKey?: boolean;
  }
  interface FastifyRequest {
    /** Set for routes that are not public. */
    actor: Actor;
    /** Who asks and what they may do; undefined at public routes. */
    grant: Grant | undefined;
    /** For answers that last: whether who asked still may. */
    stillGranted: () => Promise<boolean>;
  }
}

export interface RouteScope {
  readonly method: string;
  readonly url: string;
  readonly scope: Needed;
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
        return allows(await authenticate(request, reply, true), scope);
      } catch (error) {
        if (error instanceof WarrenError) return GRANT_UNKNOWN.includes(error.code);
        throw error;
      }
    };
    if (allows(grant, scope) && (configKey || grant.nodeId === undefined)) return;
    if (scope === 'session') throw new WarrenError('unauthorized', NO_SESSION);
    // RFC 6750 §3.1
    void reply.header('www-authenticate', `Bearer realm="warren", error="insufficient_scope", scope="${scope}"`);
    throw scopeMissing(grant, scope);
  });
  return routes;
}

const NO_SESSION = 'this is about the session of who has signed in: an API key has none';

const allows = (grant: Grant, scope: Exclude<Needed, 'public'>): boolean =>
  scope === 'session' ? grant.session !== undefined : covers(grant.scopes, scope);

function scopeMissing(grant: Grant, needed: Scope): WarrenError {
  if (grant.nodeId !== undefined)
    return new WarrenError('scope-missing', 'a config key reads the configuration files of its own node, nothing else');
  const held = grant.scopes.join(', ') || 'no scope';
  return new WarrenError(
    'scope-missing',
    `this needs an API key with the scope ${needed}; the one shown has ${held}: make one with \`warren apikey create\``,
  );
}
