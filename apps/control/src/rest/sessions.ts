import type { NewSession, SessionRow } from '@warren/db';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { plainAddress } from '../caller-address.js';
import {
  checkName,
  checkOrigin,
  clearSessionCookie,
  csrfTokenOf,
  isEncrypted,
  SESSION_COOKIE,
  setSessionCookie,
} from '../sign-in/session-cookie.js';
import { type Caller, SignIns } from '../sign-in/sign-ins.js';
import { type Api, problems, type RestContext } from './context.js';
import { tooMany } from './rate-limits.js';
import { IdParams, PageQuery, page } from './schemas.js';
import {
  ChangePassword,
  CurrentSession,
  SessionView,
  SignIn,
  SignInLinkView,
  SignInState,
  UseSignInLink,
} from './session-schemas.js';
import { pageQuery, pageView } from './views.js';

/** How long a link of `warren admin link` is good, milliseconds. */
const LINK_LIFE = 3_600_000;

const tags = ['sessions'];
/** Anybody may sign in. An answer that is kept for repetitions would be kept under a hash of the password. */
const OPEN = { scope: 'public', repeatable: false } as const;

/** The session that would ask for the repetition has ended, or the body is secret. */
const ONCE = { scope: 'session', repeatable: false } as const;

/** Signing in and out, for the dashboard. */
export function sessionRoutes(api: Api, context: RestContext): void {
  const { store } = context;
  const signIns = new SignIns({ ...context, rates: context.rates.signIns, now: () => performance.now() });

  const enter = async (request: FastifyRequest, reply: FastifyReply, opened: NewSession) => {
    const before = request.cookies[SESSION_COOKIE];
    const replaced = before === undefined ? undefined : await store.checkSession(before, false);
    if (replaced) await store.endSession(replaced.id, 'sign-out', `user:${replaced.user.name}`);
    setSessionCookie(request, reply, opened);
    return currentView(opened.session, csrfTokenOf(opened.secret));
  };

  api.get(
    '/session/state',
    { config: OPEN, schema: { tags, response: { 200: SignInState, ...problems } } },
    async (request) => ({ setUp: await store.isSetUp(), encrypted: isEncrypted(request) }),
  );

  api.post(
    '/session',
    { config: OPEN, schema: { tags, body: SignIn, response: { 200: CurrentSession, ...problems } } },
    async (request, reply) => {
      checkOrigin(request);
      checkName(request);
      const { name, password } = request.body;
      return enter(request, reply, await signIns.byPassword(name, password, callerOf(request, reply)));
    },
  );

  api.post(
    '/session/link',
    { config: OPEN, schema: { tags, body: UseSignInLink, response: { 200: CurrentSession, ...problems } } },
    async (request, reply) => {
      checkOrigin(request);
      checkName(request);
      const { link, password } = request.body;
      return enter(request, reply, await signIns.byLink(link, password, callerOf(request, reply)));
    },
  );

  api.post(
    '/session/links',
    { config: { scope: 'admin' }, schema: { tags, response: { 201: SignInLinkView, ...problems } } },
    async (request, reply) => {
      const { link, expiresAt } = await store.createSignInLink(LINK_LIFE, request.actor);
      const url = `${request.actor === 'local' ? context.about.httpUrl : originOf(request)}/welcome#${link}`;
      return reply.code(201).send({ url, link, expiresAt: expiresAt.toISOString() });
    },
  );

  currentSessionRoutes(api, context, signIns);
  sessionListRoutes(api, context);
}

function currentSessionRoutes(api: Api, { store }: RestContext, signIns: SignIns): void {
  api.get(
    '/session',
    { config: { scope: 'session' }, schema: { tags, response: { 200: CurrentSession, ...problems } } },
    async (request, reply) => {
      const { row, csrfToken } = request.grant!.session!;
      void reply.header('cache-control', 'no-store');
      return currentView(row, csrfToken);
    },
  );

  api.delete(
    '/session',
    { config: ONCE, schema: { tags, response: { 204: z.null(), ...problems } } },
    async (request, reply) => {
      await store.endSession(request.grant!.session!.row.id, 'sign-out', request.actor);
      clearSessionCookie(request, reply);
      return reply.code(204).send(null);
    },
  );

  api.put(
    '/session/password',
    {
      config: ONCE,
      schema: { tags, body: ChangePassword, response: { 204: z.null(), ...problems } },
    },
    async (request, reply) => {
      const { current, password } = request.body;
      await signIns.changePassword(request.grant!.session!.row, current, password, callerOf(request, reply));
      return reply.code(204).send(null);
    },
  );
}

function sessionListRoutes(api: Api, { store }: RestContext): void {
  api.get(
    '/sessions',
    {
      config: { scope: 'sessions:read' },
      schema: { tags, querystring: PageQuery, response: { 200: page(SessionView), ...problems } },
    },
    async (request) => {
      const mine = request.grant?.session?.row.id;
      return pageView(await store.listSessions(pageQuery(request.query)), (row) => sessionView(row, mine));
    },
  );

  api.delete(
    '/sessions/:id',
    {
      config: { scope: 'sessions:write' },
      schema: { tags, params: IdParams, response: { 204: z.null(), ...problems } },
    },
    async (request, reply) => {
      await store.endSession(request.params.id, 'end', request.actor);
      return reply.code(204).send(null);
    },
  );
}

const currentView = ({ user, createdAt, idleExpiresAt, expiresAt }: SessionRow, csrfToken: string) => ({
  user: { ...user },
  csrfToken,
  createdAt: createdAt.toISOString(),
  idleExpiresAt: idleExpiresAt.toISOString(),
  expiresAt: expiresAt.toISOString(),
});

const sessionView = (row: SessionRow, mine: string | undefined): z.infer<typeof SessionView> => ({
  id: row.id,
  user: { ...row.user },
  createdAt: row.createdAt.toISOString(),
  lastSeenAt: row.lastSeenAt.toISOString(),
  idleExpiresAt: row.idleExpiresAt.toISOString(),
  expiresAt: row.expiresAt.toISOString(),
  address: row.address,
  userAgent: row.userAgent,
  current: row.id === mine,
});

const callerOf = (request: FastifyRequest, reply: FastifyReply): Caller => ({
  address: request.ip ? plainAddress(request.ip) : null,
  userAgent: request.headers['user-agent'] ?? null,
  tooMany: (wait, what) => tooMany(reply, wait, what),
});

/** As the caller reaches us. */
const originOf = (request: FastifyRequest): string => {
  const isTls = request.headers['x-forwarded-proto'] === 'https' || request.protocol === 'https';
  return `${isTls ? 'https' : 'http'}://${request.host}`;
};
