import { randomBytes } from 'node:crypto';
import { fromBase64Url, toBase64Url, WarrenError } from '@warren/base';
import type * as Rows from '../gen/prisma/client.js';
import type { Actor } from '../store-api.js';
import type { NewSession, SessionOrigin } from '../store-sessions.js';
import { type Database, type Transaction, transaction } from './database.js';
import { writeAudit } from './network-change.js';
import { endOtherSessions, insertSession, lockUser, userActor } from './sessions.js';
import { hashSecret, randomId, SECRET_LENGTH } from './tokens.js';

/** The one user there is; the migration makes it. */
const ADMIN = 'admin';
/** `warrenlink_` and 32 random bytes in base64url: told apart from other secrets, found by scanners. */
const LINK = /^warrenlink_([\w-]{43})$/;
/** Links of a user that are kept, used and expired ones too, so that it can be said what became of them. */
const MAX_LINKS = 100;
const MAKE = 'make another with `warren admin link`';

/** For the administrator. The link is returned once. */
export async function createSignInLink(
  database: Database,
  lifeMs: number,
  actor: Actor,
): Promise<{ link: string; expiresAt: Date }> {
  const secret = randomBytes(SECRET_LENGTH);
  const id = randomId();
  const expiresAt = await transaction(database, async (tx) => {
    const { id: userId } = await tx.user.upsert({ where: { name: ADMIN }, create: { name: ADMIN }, update: {} });
    await tx.$executeRaw`
      DELETE FROM sign_in_link WHERE id IN (
        SELECT id FROM sign_in_link WHERE user_id = ${userId}::uuid
        ORDER BY created_at DESC, id OFFSET ${MAX_LINKS - 1}::int)`;
    const [row] = await tx.$queryRaw<{ expiresAt: Date }[]>`
      INSERT INTO sign_in_link (id, user_id, secret_hash, expires_at)
      VALUES (${id}, ${userId}::uuid, ${hashSecret(secret)}, now() + make_interval(secs => ${lifeMs / 1_000}))
      RETURNING expires_at AS "expiresAt"`;
    const details = { user: ADMIN, expiresAt: row!.expiresAt.toISOString() };
    await writeAudit(tx, null, { action: 'sign-in-link.create', subject: id, details }, actor);
    return row!.expiresAt;
  });
  return { link: `warrenlink_${toBase64Url(secret)}`, expiresAt };
}

/** @throws WarrenError `link-unknown`, `link-used`, `link-expired`. */
export async function checkSignInLink({ prisma }: Database, link: string): Promise<void> {
  const secretHash = hashOf(link);
  const row = secretHash && (await prisma.signInLink.findUnique({ where: { secretHash } }));
  const refusal = refusalOf(row, await databaseTime(prisma));
  if (refusal) throw refusal;
}

/** All in one transaction: of two who use one link at once, one does. @throws WarrenError as `checkSignInLink`. */
export function useSignInLink(
  database: Database,
  link: string,
  passwordHash: string,
  origin: SessionOrigin,
): Promise<NewSession> {
  return transaction(database, async (tx) => {
    const secretHash = hashOf(link);
    const find = async () => secretHash && tx.signInLink.findUnique({ where: { secretHash }, include: { user: true } });
    const found = await find();
    if (found) await lockUser(tx, found.userId);
    const row = found && (await find());
    const refusal = refusalOf(row, await databaseTime(tx));
    if (refusal || !row) throw refusal ?? unknown();
    const sessionsEnded = await endOtherSessions(tx, row.userId);
    await writePassword(tx, row.user, passwordHash, { by: `link ${row.id}`, sessionsEnded });
    return insertSession(tx, row.user, origin, 'link');
  });
}

/** By who has shown the password before. @throws WarrenError `not-found` when the session has ended meanwhile. */
export async function setPassword(database: Database, sessionId: string, passwordHash: string): Promise<void> {
  await transaction(database, async (tx) => {
    const find = () => tx.session.findUnique({ where: { id: sessionId }, include: { user: true } });
    const found = await find();
    if (found) await lockUser(tx, found.userId);
    const session = found && (await find());
    if (!session) throw new WarrenError('not-found', 'this session has ended: sign in again');
    const sessionsEnded = await endOtherSessions(tx, session.userId, sessionId);
    await writePassword(tx, session.user, passwordHash, { by: `session ${sessionId}`, sessionsEnded });
  });
}

/** Links that were made before it would undo it: they are good no more. */
async function writePassword(
  tx: Transaction,
  user: Rows.User,
  passwordHash: string,
  details: { by: string; sessionsEnded: number },
): Promise<void> {
  const now = await databaseTime(tx);
  await tx.user.update({ where: { id: user.id }, data: { passwordHash, passwordChangedAt: now } });
  await tx.signInLink.updateMany({ where: { userId: user.id, usedAt: null }, data: { usedAt: now } });
  await writeAudit(tx, null, { action: 'user.set-password', subject: user.name, details }, userActor(user.name));
}

function hashOf(link: string): Uint8Array<ArrayBuffer> | undefined {
  const secret = fromBase64Url(LINK.exec(link)?.[1] ?? '');
  return secret?.length === SECRET_LENGTH ? hashSecret(secret) : undefined;
}

const unknown = (): WarrenError =>
  new WarrenError('link-unknown', `the control plane does not know this link: copy it again, or ${MAKE}`);

function refusalOf(row: Rows.SignInLink | null | undefined, now: Date): WarrenError | undefined {
  if (!row) return unknown();
  if (row.usedAt) return new WarrenError('link-used', `this link was used, or a password was set since: ${MAKE}`);
  if (row.expiresAt <= now) return new WarrenError('link-expired', `this link has expired: ${MAKE}`);
  return undefined;
}

async function databaseTime(tx: Pick<Transaction, '$queryRaw'>): Promise<Date> {
  const [row] = await tx.$queryRaw<{ now: Date }[]>`SELECT now()::timestamptz(3) AS now`;
  return row!.now;
}
