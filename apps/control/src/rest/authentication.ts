import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { WarrenError } from '@warren/base';
import type { Store } from '@warren/db';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { callerKey } from '../caller-address.js';
import { RateLimiter } from '../rate-limiter.js';
import { checkForgery, csrfTokenOf, SESSION_COOKIE } from '../sign-in/session-cookie.js';
import type { Bearers, Grant } from './bearers.js';
import { type RestRates, tooMany } from './rate-limits.js';

/**
 * Finds out who sent a request. `again`: it was let in before, and still is answered; that alone keeps no session alive.
 *
 * @throws WarrenError `unauthorized`, `api-key-expired`, `csrf`, `too-many-requests`
 */
export type Authenticate = (request: FastifyRequest, reply: FastifyReply, again?: boolean) => Promise<Grant>;

/** What requests are judged by. */
export interface AuthenticationParts {
  readonly bearers: Bearers;
  readonly store: Pick<Store, 'checkSession'>;
  readonly isLocal: (request: IncomingMessage) => boolean;
  readonly rates: RestRates;
  /** Monotonic, milliseconds. */
  readonly now: () => number;
}

/** What a request shows, and who may be found by it. */
interface Shown {
  readonly secret: string;
  readonly again: boolean;
  find(): Promise<Grant>;
}

const LOCAL: Grant = { actor: 'local', scopes: ['admin'] };
/** Secrets that were right are known by hash for a while: a neighbour's bad ones at the same address do not stop them. */
const MAX_GOOD = 1_000;

/** By the local socket, by a bearer secret, or by a session's cookie; each caller at its rate. */
export function createAuthentication(parts: AuthenticationParts): Authenticate {
  const { isLocal, rates, now } = parts;
  const requests = new RateLimiter(rates.requests);
  const failures = new RateLimiter(rates.failures);
  const good = new Set<string>();

  const grantOf = async (request: FastifyRequest, reply: FastifyReply, shown: Shown): Promise<Grant> => {
    const { secret, again, find } = shown;
    const hash = createHash('sha256').update(secret).digest('base64');
    const from = callerKey(request.ip || null);
    // Who was let in before is looked up whatever else comes from there: else bad secrets would hide that this one has ended.
    const wait = again || good.has(hash) ? 0 : failures.wait(from, now());
    if (wait > 0) throw tooMany(reply, wait, 'too many bad API keys or sessions came from this address');
    try {
      const grant = await find();
      good.delete(hash);
      if (good.size >= MAX_GOOD) good.delete(good.values().next().value!);
      good.add(hash);
      return grant;
    } catch (error) {
      // A database that does not answer says nothing about the secret.
      if (!(error instanceof WarrenError) || error.code === 'database-unavailable') throw error;
      good.delete(hash);
      failures.take(from, now());
      throw error;
    }
  };
  return async (request, reply, again = false) => {
    if (isLocal(request.raw)) return LOCAL;
    const grant = await grantOf(request, reply, shownBy(parts, request, again));
    if (grant.session) checkForgery(request, grant.session.secret);
    const wait = requests.take(grant.actor, now());
    if (wait > 0) throw tooMany(reply, wait, 'this API key or user asks too often');
    return grant;
  };
}

/** A bearer secret goes before a cookie, which a browser sends by itself. @throws WarrenError `unauthorized` */
function shownBy({ bearers, store }: AuthenticationParts, request: FastifyRequest, again: boolean): Shown {
  const { authorization } = request.headers;
  const bearer = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(authorization ?? '')?.[1];
  if (bearer) return { secret: bearer, again, find: () => bearers(bearer) };
  const cookie = request.cookies[SESSION_COOKIE];
  if (!authorization && cookie) return { secret: cookie, again, find: () => sessionOf(store, cookie, !again) };
  const text = 'sign in, or send an API key as `Authorization: Bearer …`; make one with `warren apikey create`';
  throw new WarrenError('unauthorized', text);
}

async function sessionOf(store: AuthenticationParts['store'], secret: string, isUse: boolean): Promise<Grant> {
  const row = await store.checkSession(secret, isUse);
  if (!row) throw new WarrenError('unauthorized', 'this session has ended: sign in again');
  const session = { row, secret, csrfToken: csrfTokenOf(secret) };
  return { actor: `user:${row.user.name}`, scopes: ['admin'], session };
}
