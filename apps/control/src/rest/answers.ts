import { WarrenError } from '@warren/base';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ServePage } from '../dashboard/serve-dashboard.js';
import { sendProblem } from './problem.js';

/**
 * What every answer says to browsers and caches, whatever its route. No origin but our own may read them: there are no
 * CORS headers. What is behind a key is kept by nobody; what has an ETag is asked for again each time.
 */
export async function describeAnswer(request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<unknown> {
  void reply.header('x-content-type-options', 'nosniff').header('referrer-policy', 'no-referrer');
  void reply.header('cross-origin-resource-policy', 'same-origin');
  if (!reply.hasHeader('content-security-policy'))
    void reply.header('content-security-policy', "default-src 'none'; frame-ancestors 'none'");
  if (reply.hasHeader('cache-control')) return payload;
  const isRead = reply.hasHeader('etag');
  if (isRead) void reply.header('cache-control', 'private, no-cache').header('vary', 'authorization, cookie');
  else if (request.url.startsWith('/api/v1')) void reply.header('cache-control', 'no-store');
  return payload;
}

/** Answers what no route takes: a page of the dashboard, or 405 with `Allow` where another method would do (RFC 9110 §15.5.6), else 404. */
export function addNotFound(app: FastifyInstance, servePage: () => ServePage | undefined): void {
  const methods = new Map<string, { readonly pattern: RegExp; readonly allowed: Set<string> }>();
  app.addHook('onRoute', ({ method, url }) => {
    const known = methods.get(url) ?? { pattern: patternOf(url), allowed: new Set() };
    for (const one of [method].flat()) known.allowed.add(one);
    methods.set(url, known);
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0]!;
    const allowed = [...methods.values()]
      .filter(({ pattern }) => pattern.test(path))
      .flatMap((one) => [...one.allowed]);
    if (allowed.length === 0 && servePage()?.(request, reply)) return reply;
    // A route that is there, for a file that is not.
    if (allowed.length === 0 || allowed.includes(request.method))
      return sendProblem(reply, new WarrenError('not-found', `there is no ${request.method} ${path}`));
    const list = allowed.sort().join(', ');
    const text = `${path} has no ${request.method}: it has ${list}`;
    return sendProblem(reply.header('allow', list), new WarrenError('method-not-allowed', text));
  });
}

const patternOf = (url: string): RegExp =>
  new RegExp(
    `^${url
      .replace(/[.+^$()|[\]\\]/g, '\\$&')
      .replace(/:\w+/g, '[^/]+')
      .replace(/\*/g, '.*')}$`,
  );
