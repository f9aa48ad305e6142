import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { WarrenError } from '@warren/base';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RateLimiter } from '../rate-limiter.js';
import type { Bearers, Grant } from './bearers.js';
import type { RestRates } from './rate-limits.js';

/** Finds out who sent a request. @throws WarrenError `unauthorized`, `api-key-expired`, `too-many-requests` */
export type Authenticate = (request: FastifyRequest, reply: FastifyReply) => Promise<Grant>;

const LOCAL: Grant = { actor: 'local', scopes: ['admin'] };
/** Secrets that were right are known by hash for a while: a neighbour's bad ones at the same address do not stop them. */
const MAX_GOOD = 1_000;

/** By the local socket, or by a bearer secret; each caller at its rate. `now` is monotonic, milliseconds. */
export function createAuthentication(
  bearers: Bearers,
  isLocal: (request: IncomingMessage) => boolean,
  rates: RestRates,
  now: () => number,
): Authenticate {
  const requests = new RateLimiter(rates.requests);
  const failures = new RateLimiter(rates.failures);
  const good = new Set<string>();

  const grantOf = async (request: FastifyRequest, reply: FastifyReply): Promise<Grant> => {
    const secret = bearerOf(request);
    const hash = createHash('sha256').update(secret).digest('base64');
    const wait = good.has(hash) ? 0 : failures.wait(request.ip, now());
    if (wait > 0) throw tooMany(reply, wait, 'too many bad API keys came from this address');
    try {
      const grant = await bearers(secret);
      good.delete(hash);
      if (good.size >= MAX_GOOD) good.delete(good.values().next().value!);
      good.add(hash);
      return grant;
    } catch (error) {
      good.delete(hash);
      if (error instanceof WarrenError) failures.take(request.ip, now());
      throw error;
    }
  };
  return async (request, reply) => {
    if (isLocal(request.raw)) return LOCAL;
    const grant = await grantOf(request, reply);
    const wait = requests.take(grant.actor, now());
    if (wait > 0) throw tooMany(reply, wait, 'this API key asks too often');
    return grant;
  };
}

/** The bearer secret as it was sent. @throws WarrenError `unauthorized` */
function bearerOf(request: FastifyRequest): string {
  const secret = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(request.headers.authorization ?? '')?.[1];
  if (secret) return secret;
  const text = 'send an API key as `Authorization: Bearer …`; make one with `warren apikey create`';
  throw new WarrenError('unauthorized', text);
}

/** RFC 6585 §4, with `Retry-After` in whole seconds (RFC 9110 §10.2.3). */
function tooMany(reply: FastifyReply, wait: number, what: string): WarrenError {
  const seconds = Math.ceil(wait / 1_000);
  void reply.header('retry-after', seconds);
  return new WarrenError('too-many-requests', `${what}: try again in ${seconds} s`);
}
