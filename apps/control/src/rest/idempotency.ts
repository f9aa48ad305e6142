import { createHash } from 'node:crypto';
import { WarrenError } from '@warren/base';
import type { FirstRequest, Store } from '@warren/db';
import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify';
import type { Log } from '../log.js';

const WRITES = ['POST', 'PATCH', 'PUT', 'DELETE'];

/**
 * Does a write with an `Idempotency-Key` once, and answers its repetitions with what the first was answered. The key
 * belongs to its caller and URL. Must be registered after whatever else wraps handlers: a repetition is answered though
 * its preconditions hold no more. What validation refuses is not kept.
 */
export function addIdempotency(app: FastifyInstance, { store, log }: { store: Store; log: Log }): void {
  const firsts = new WeakMap<FastifyRequest, FirstRequest>();
  app.addHook('onRoute', (route) => {
    if (route.config?.repeatable === false) return;
    if ([route.method].flat().some((method) => WRITES.includes(method))) wrap(route, store, firsts);
  });
  app.addHook('onSend', async (request, reply, payload) => {
    const first = firsts.get(request);
    if (!first) return payload;
    const contentType = String(reply.getHeader('content-type') ?? '');
    const body = typeof payload === 'string' ? payload : '';
    try {
      await first.keep({ status: reply.statusCode, contentType, body });
    } catch (error) {
      // The write is done and its answer is known; that it may not be repeated is the lesser harm.
      log.warn({ err: error, route: request.routeOptions.url }, 'the answer of an idempotent request cannot be kept');
    }
    return payload;
  });
}

function wrap(route: RouteOptions, store: Store, firsts: WeakMap<FastifyRequest, FirstRequest>): void {
  const write = route.handler;
  route.handler = async function (request, reply) {
    const key = request.headers['idempotency-key'];
    if (key === undefined) return write.call(this, request, reply);
    const begun = await store.idempotent.begin(idOf(request, key), hash(JSON.stringify(request.body ?? null)));
    if ('run' in begun) {
      firsts.set(request, begun);
      return begun.run(async () => write.call(this, request, reply));
    }
    if (begun.contentType) void reply.header('content-type', begun.contentType);
    void reply.code(begun.status).header('idempotent-replayed', 'true');
    void reply.serializer((body: unknown) => body as string);
    return reply.send(begun.body === '' ? null : begun.body);
  };
}

function idOf(request: FastifyRequest, key: string | string[]): Uint8Array {
  if (typeof key === 'string' && /^[\x20-\x7e]{1,255}$/.test(key))
    return hash(`${request.actor}\n${request.method} ${request.url}\n${key}`);
  throw new WarrenError('bad-request', 'an Idempotency-Key is 1 to 255 printable ASCII characters, once');
}

const hash = (text: string): Uint8Array => createHash('sha256').update(text).digest();
