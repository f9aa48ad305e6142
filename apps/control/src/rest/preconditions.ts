import { createHash } from 'node:crypto';
import { WarrenError } from '@warren/base';
import type { Store } from '@warren/db';
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteHandlerMethod, RouteOptions } from 'fastify';
import { serializerCompiler } from 'fastify-type-provider-zod';
import type { z } from 'zod';

/** What is seen and not set: it changes by itself, and no change by a caller can conflict with it. */
const OBSERVED = new Set([
  'online',
  'unavailable',
  'seenAt',
  'lastSeenAt',
  'idleExpiresAt',
  'agentVersion',
  'lastUsedAt',
  'load',
  'revision',
]);
const CHANGING = ['PATCH', 'PUT', 'DELETE'];

/**
 * A strong entity tag (RFC 9110 §8.8.3) of a whole body. That of a JSON object has two parts: `"stored.whole"`. `If-None-
 * Match` compares the whole, so that a poller sees a node go online; `If-Match` compares the first part only, so that a
 * node that comes and goes does not refuse the change of its name.
 */
export function etagOf(body: string): string {
  const whole = hash(body);
  const stored = body.startsWith('{') ? storedPart(body) : undefined;
  return stored === undefined ? `"${whole}"` : `"${stored}.${whole}"`;
}

/** Whether `If-None-Match` names this tag; comparison is weak (RFC 9110 §13.1.2). */
export function matches(ifNoneMatch: string | undefined, etag: string): boolean {
  return ifNoneMatch !== undefined && tagsOf(ifNoneMatch).some((tag) => tag === '*' || tag === etag);
}

/** Whether `If-Match` names the stored part of this tag (see `etagOf`); weak tags never match (RFC 9110 §13.1.1). */
export function isUnchanged(ifMatch: string, etag: string): boolean {
  const first = (tag: string): string => tag.replace(/\.[^.]*"$/, '"');
  return tagsOf(ifMatch, false).some((tag) => tag === '*' || first(tag) === first(etag));
}

const hash = (text: string): string => createHash('sha256').update(text).digest('base64url').slice(0, 22);

function storedPart(body: string): string | undefined {
  const value: unknown = JSON.parse(body);
  if (typeof value !== 'object' || value === null || 'items' in value) return undefined;
  return hash(JSON.stringify(Object.entries(value).filter(([name]) => !OBSERVED.has(name))));
}

const tagsOf = (header: string, weak = true): string[] =>
  header.split(',').map((tag) => (weak ? tag.trim().replace(/^W\//, '') : tag.trim()));

/** Reads give an `ETag`, and 304 to whoever has that already. */
export async function conditional(request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<unknown> {
  if (!['GET', 'HEAD'].includes(request.method) || reply.statusCode !== 200 || typeof payload !== 'string')
    return payload;
  if (!request.grant || reply.hasHeader('etag')) return payload;
  const etag = etagOf(payload);
  void reply.header('etag', etag);
  if (!matches(request.headers['if-none-match'], etag)) return payload;
  void reply.code(304).removeHeader('content-type').removeHeader('content-length');
  return null;
}

/** A read of one thing, by which its changes are conditional. */
interface Read {
  readonly handler: RouteHandlerMethod;
  readonly schema: z.ZodType;
}

/**
 * Honours `If-Match` at every PATCH, PUT and DELETE. The tag is that of a GET of the same URL; changes that carry one
 * wait for each other, in all replicas, so that of two with the same tag one is refused.
 *
 * @throws WarrenError `etag-mismatch` in the request's place
 */
export function addPreconditions(app: FastifyInstance, store: Store): void {
  const reads = new Map<string, Read>();
  app.addHook('onRoute', (route) => {
    const methods = [route.method].flat();
    const schema = (route.schema?.response as Record<string, z.ZodType> | undefined)?.['200'];
    if (methods.includes('GET') && schema && 'safeParse' in schema) {
      reads.set(route.url, { handler: route.handler, schema });
    }
    if (methods.some((method) => CHANGING.includes(method))) guard(route, store, () => reads.get(route.url));
  });
}

function guard(route: RouteOptions, store: Store, readOf: () => Read | undefined): void {
  const change = route.handler;
  route.handler = async function (request, reply) {
    const tag = request.headers['if-match'];
    if (tag === undefined) return change.call(this, request, reply);
    const read = readOf();
    if (!read) throw mismatch('this has no ETag: leave out If-Match');
    const current = async (): Promise<string> => {
      const value: unknown = await read.handler.call(this, request, reply);
      return serializerCompiler({ schema: read.schema, method: 'GET', url: route.url })(value);
    };
    // One thing has several names; what it calls itself does not change.
    const { id } = JSON.parse(await current()) as { id?: string };
    return store.exclusive(`${route.url} ${id ?? request.url}`, async () => {
      const etag = etagOf(await current());
      if (!isUnchanged(tag, etag)) throw mismatch(`it was changed since: read it again; its ETag is ${etag}`);
      return change.call(this, request, reply);
    });
  };
}

const mismatch = (text: string): WarrenError => new WarrenError('etag-mismatch', text);
