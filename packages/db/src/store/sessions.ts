import { randomBytes } from 'node:crypto';
import { fromBase64Url, toBase64Url, WarrenError } from '@warren/base';
import type * as Rows from '../gen/prisma/client.js';
import type { Actor, Page, PageQuery } from '../store-api.js';
import type { FailedSignIns, NewSession, SessionOrigin, SessionRow, UserRow } from '../store-sessions.js';
import { type Database, type Transaction, transaction } from './database.js';
import { writeAudit } from './network-change.js';
import { pageArguments, toPage } from './pages.js';
import { hashSecret, randomId, SECRET_LENGTH } from './tokens.js';

/** Seconds without a request after which a session ends. */
const IDLE_LIFE = 12 * 3600;
/** Seconds after which it ends in any case. */
const LIFE = 7 * 24 * 3600;
/** Seconds: to write at every request when a session was seen would cost more than the request. */
const USE_RESOLUTION = 60;
/** Of one user; with more, those that were silent the longest end. */
const MAX_SESSIONS = 100;
const MAX_ADDRESS = 64;
const MAX_USER_AGENT = 256;

interface SessionColumns extends Omit<SessionRow, 'user'> {
  readonly userId: string;
  readonly userName: string;
  readonly isStale: boolean;
}

/** Whether somebody can sign in with a password. */
export async function isSetUp({ prisma }: Database): Promise<boolean> {
  return (await prisma.user.count({ where: { passwordHash: { not: null } } })) > 0;
}

/** By the name as it was made. */
export async function findUser({ prisma }: Database, name: string): Promise<UserRow | undefined> {
  // PostgreSQL calls text with a zero byte an error, and it is only nobody's name.
  if (name.includes('\0')) return undefined;
  const row = await prisma.user.findUnique({ where: { name } });
  return row ? { id: row.id, name: row.name, passwordHash: row.passwordHash } : undefined;
}

/** Opens a session for who has shown the password of `user`. @returns undefined when that has changed since. */
export function openSession(database: Database, user: UserRow, origin: SessionOrigin): Promise<NewSession | undefined> {
  return transaction(database, async (tx) => {
    await lockUser(tx, user.id);
    const row = await tx.user.findUnique({ where: { id: user.id } });
    return row && row.passwordHash === user.passwordHash ? insertSession(tx, row, origin, 'password') : undefined;
  });
}

/** Whoever opens a session or sets a password holds it, so that no session outlives the password that opened it. */
export async function lockUser(tx: Transaction, userId: string): Promise<void> {
  await tx.$queryRaw`SELECT id FROM user_account WHERE id = ${userId}::uuid FOR UPDATE`;
}

/** Part of the transaction that found out who signs in. */
export async function insertSession(
  tx: Transaction,
  user: Pick<Rows.User, 'id' | 'name'>,
  origin: SessionOrigin,
  by: 'password' | 'link',
): Promise<NewSession> {
  const secret = randomBytes(SECRET_LENGTH);
  const id = randomId();
  const address = shortened(origin.address, MAX_ADDRESS);
  const userAgent = shortened(origin.userAgent, MAX_USER_AGENT);
  await prune(tx, user.id);
  const rows = await tx.$queryRaw<Omit<SessionRow, 'user'>[]>`
    INSERT INTO session (id, user_id, secret_hash, address, user_agent, idle_expires_at, expires_at)
    VALUES (${id}, ${user.id}::uuid, ${hashSecret(secret)}, ${address}, ${userAgent},
      now() + make_interval(secs => ${IDLE_LIFE}), now() + make_interval(secs => ${LIFE}))
    RETURNING id, address, user_agent AS "userAgent", created_at AS "createdAt", last_seen_at AS "lastSeenAt",
      idle_expires_at AS "idleExpiresAt", expires_at AS "expiresAt"`;
  const audit = { action: 'session.sign-in', subject: id, details: { user: user.name, by, address, userAgent } };
  await writeAudit(tx, null, audit, userActor(user.name));
  return { session: { ...rows[0]!, user: { id: user.id, name: user.name } }, secret: toBase64Url(secret) };
}

/** Who a signed-in user is in the audit log. */
export const userActor = (name: string): Actor => `user:${name}`;

/**
 * A session that has ended is unknown, whatever ended it. `isUse`: somebody does something with it now; else it is only
 * asked whether it is still good.
 */
export async function checkSession({ sql }: Database, secret: string, isUse: boolean): Promise<SessionRow | undefined> {
  const bytes = fromBase64Url(secret);
  if (bytes?.length !== SECRET_LENGTH) return undefined;
  const [row] = await sql<SessionColumns[]>`
    SELECT s.id, s.user_id AS "userId", u.name AS "userName", s.address, s.user_agent AS "userAgent",
      s.created_at AS "createdAt", s.last_seen_at AS "lastSeenAt", s.idle_expires_at AS "idleExpiresAt",
      s.expires_at AS "expiresAt", s.last_seen_at < now() - make_interval(secs => ${USE_RESOLUTION}) AS "isStale"
    FROM session s JOIN user_account u ON u.id = s.user_id
    WHERE s.secret_hash = ${hashSecret(bytes)} AND s.idle_expires_at > now() AND s.expires_at > now()`;
  if (!row) return undefined;
  const [seen] =
    isUse && row.isStale
      ? await sql<Pick<SessionRow, 'lastSeenAt' | 'idleExpiresAt'>[]>`
          UPDATE session SET last_seen_at = now(), idle_expires_at = now() + make_interval(secs => ${IDLE_LIFE})
          WHERE id = ${row.id} RETURNING last_seen_at AS "lastSeenAt", idle_expires_at AS "idleExpiresAt"`
      : [];
  const { userId, userName, isStale: _, ...session } = row;
  return { ...session, ...seen, user: { id: userId, name: userName } };
}

/** Those that are good, of all users. */
export async function listSessions({ prisma }: Database, query?: PageQuery): Promise<Page<SessionRow>> {
  const { where, ...rest } = pageArguments(query);
  const now = new Date();
  const rows = await prisma.session.findMany({
    ...rest,
    where: { AND: [where, { idleExpiresAt: { gt: now }, expiresAt: { gt: now } }] },
    include: { user: true },
  });
  return toPage(query, rows, ({ userId: _, secretHash: __, user, ...row }) => ({
    ...row,
    user: { id: user.id, name: user.name },
  }));
}

/** @throws WarrenError `not-found`, also for one that has ended already. */
export async function endSession(
  database: Database,
  id: string,
  action: 'sign-out' | 'end',
  actor: Actor,
): Promise<void> {
  await transaction(database, async (tx) => {
    const row = await tx.session.findUnique({ where: { id }, include: { user: true } });
    const { count } = await tx.session.deleteMany({ where: { id } });
    if (!row || count === 0)
      throw new WarrenError('not-found', `there is no session ${id}: list them with \`warren session list\``);
    const details = { user: row.user.name };
    await writeAudit(tx, null, { action: `session.${action}`, subject: id, details }, actor);
  });
}

/** Nobody has done it, as far as we know. */
export async function noteFailedSignIns(database: Database, { user, address, count }: FailedSignIns): Promise<void> {
  const details = { address: shortened(address, MAX_ADDRESS), count };
  const audit = { action: 'session.sign-in-failed', subject: user ?? 'unknown user', details };
  await transaction(database, (tx) => writeAudit(tx, null, audit, 'nobody'));
}

/** Ends a user's sessions but one. @returns how many ended. */
export async function endOtherSessions(tx: Transaction, userId: string, but?: string): Promise<number> {
  const others = but === undefined ? {} : { id: { not: but } };
  return (await tx.session.deleteMany({ where: { userId, ...others } })).count;
}

async function prune(tx: Transaction, userId: string): Promise<void> {
  await tx.$executeRaw`
    DELETE FROM session WHERE idle_expires_at <= now() OR expires_at <= now() OR id IN (
      SELECT id FROM session WHERE user_id = ${userId}::uuid
      ORDER BY last_seen_at DESC, id OFFSET ${MAX_SESSIONS - 1}::int)`;
}

/** PostgreSQL takes no zero bytes, terminals obey control characters. */
function shortened(text: string | null, length: number): string | null {
  return text === null ? null : text.replace(/\p{Cc}/gu, ' ').slice(0, length);
}
