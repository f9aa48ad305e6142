import { createHmac, timingSafeEqual } from 'node:crypto';
import { parseIpAddress, WarrenError } from '@warren/base';
import type { NewSession } from '@warren/db';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { plainAddress } from '../caller-address.js';

export const SESSION_COOKIE = 'warren_session';
export const CSRF_HEADER = 'x-warren-csrf';
const SAFE = ['GET', 'HEAD', 'OPTIONS'];

/** Gives the browser a session. */
export function setSessionCookie(request: FastifyRequest, reply: FastifyReply, { session, secret }: NewSession): void {
  void reply.setCookie(SESSION_COOKIE, secret, { ...attributes(request), expires: session.expiresAt });
}

/** Takes it away again. */
export function clearSessionCookie(request: FastifyRequest, reply: FastifyReply): void {
  void reply.clearCookie(SESSION_COOKIE, attributes(request));
}

/**
 * Nothing but our own page sends it, and no script reads it. A browser would not keep a cookie that is `Secure` where it
 * speaks clear text with another machine: there it is without, and the page warns.
 */
const attributes = (request: FastifyRequest) =>
  ({ path: '/', httpOnly: true, sameSite: 'strict', secure: isEncrypted(request) }) as const;

/** Whether nobody on the way reads this request: TLS, TLS up to a proxy that says so, or the browser's own machine. */
export function isEncrypted(request: FastifyRequest): boolean {
  const forwarded = String(request.headers['x-forwarded-proto'] ?? '').split(',')[0]!;
  return request.protocol === 'https' || forwarded.trim() === 'https' || isLoopback(request.hostname);
}

const isLoopback = (host: string): boolean => /^(localhost|(.+\.)?localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/i.test(host);

/** What a page has to show beside the cookie. Whoever knows it does not know the cookie, and it is kept nowhere. */
export const csrfTokenOf = (secret: string): string =>
  createHmac('sha256', Buffer.from(secret, 'base64url')).update('warren csrf').digest('base64url');

/**
 * Refuses what a browser was made to send by somebody else's page: changes, and reads, which that page cannot see, but whose
 * work and streams it could make us have. @throws WarrenError `csrf`
 */
export function checkForgery(request: FastifyRequest, secret: string): void {
  if (SAFE.includes(request.method)) {
    const site = request.headers['sec-fetch-site'];
    if (site === 'cross-site' || site === 'same-site') throw forged();
    return;
  }
  checkOrigin(request);
  const given = createHmac('sha256', 'compare').update(String(request.headers[CSRF_HEADER] ?? ''));
  const right = createHmac('sha256', 'compare').update(csrfTokenOf(secret));
  if (timingSafeEqual(given.digest(), right.digest())) return;
  throw new WarrenError('csrf', `send the session's csrfToken (GET /api/v1/session) as ${CSRF_HEADER}`);
}

/** Refuses what a browser says comes from another page than ours. @throws WarrenError `csrf` */
export function checkOrigin(request: FastifyRequest): void {
  const { origin } = request.headers;
  const site = request.headers['sec-fetch-site'];
  if ((origin === undefined || isOurs(origin, request)) && (site === undefined || site === 'same-origin')) return;
  throw forged();
}

const forged = (): WarrenError =>
  new WarrenError(
    'csrf',
    'another page than the dashboard sent this, or a proxy in front does not pass the Host header on',
  );

/** Names that nobody can register in the DNS of the internet (RFC 6761, RFC 6762, RFC 8375, and names without a dot). */
const OWN_NAME = /^[^.]*$|\.(localhost|local|internal|lan|test|home\.arpa)$/i;

/**
 * Refuses to let somebody in by a page in clear text whose name could be anybody's and leads to this machine: a name in the
 * internet can be made to lead here after its page was loaded ("DNS rebinding"), and that page then has our origin. Over TLS it
 * cannot, as it has no certificate for that name of a server that it does not run. @throws WarrenError `csrf`
 */
export function checkName(request: FastifyRequest): void {
  const { origin } = request.headers;
  const { localAddress } = request.raw.socket;
  if (origin === undefined || !URL.canParse(origin) || !localAddress || !isLoopback(plainAddress(localAddress))) return;
  const { protocol, hostname } = new URL(origin);
  const isAddress = hostname.startsWith('[') || parseIpAddress(hostname) !== undefined;
  if (protocol !== 'http:' || isAddress || OWN_NAME.test(hostname)) return;
  throw new WarrenError(
    'csrf',
    `in clear text ${hostname} could be anybody's page that leads here: come by https, by an address or by localhost`,
  );
}

/** A proxy may have given us another host; where it is one that we trust, `request.host` is the one before it. */
function isOurs(origin: string, request: FastifyRequest): boolean {
  if (!URL.canParse(origin)) return false;
  const { protocol, host } = new URL(origin);
  return [request.headers.host, request.host].some((ours) => {
    const url = `${protocol}//${ours}`;
    return URL.canParse(url) && new URL(url).host === host;
  });
}
