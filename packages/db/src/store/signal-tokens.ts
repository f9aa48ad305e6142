import { randomBytes } from 'node:crypto';
import { equalBytes, WarrenError } from '@warren/base';
import type * as Rows from '../gen/prisma/client.js';
import type { Actor } from '../store-api.js';
import type { SignalTokenRow } from '../store-signals.js';
import { badRequest } from './checks.js';
import { type Database, type Transaction, transaction } from './database.js';
import { writeAudit } from './network-change.js';
import { plain } from './rows.js';
import { hashSecret, isSecret, randomId, SECRET_LENGTH } from './tokens.js';

/** A name for people, which also goes to every agent. */
const REGION = /^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/i;

/** The secret is returned once. @throws WarrenError `bad-request`. */
export async function createSignalToken(
  database: Database,
  { region, expiresAt = null }: { region: string; expiresAt?: Date | null },
  actor: Actor,
): Promise<{ token: SignalTokenRow; secret: Uint8Array }> {
  if (!REGION.test(region)) {
    const shown = JSON.stringify(region.slice(0, 80));
    throw badRequest(`${shown} is no region: use letters, digits and inner . _ -, at most 63, such as eu-west`);
  }
  if (expiresAt && !(expiresAt.getTime() > Date.now())) throw badRequest('the token would have expired already');
  const secret = Uint8Array.from(randomBytes(SECRET_LENGTH));
  const data = { id: randomId(), region, expiresAt, secretHash: hashSecret(secret) };
  const token = await transaction(database, async (tx) => {
    const row = await tx.signalToken.create({ data });
    const details = { region, expiresAt: expiresAt?.toISOString() ?? null };
    await writeAudit(tx, null, { action: 'signal-token.create', subject: row.id, details }, actor);
    return toSignalTokenRow(row);
  });
  return { token, secret };
}

/** Oldest first: there are never many. */
export async function listSignalTokens({ prisma }: Database): Promise<readonly SignalTokenRow[]> {
  return (await prisma.signalToken.findMany({ orderBy: [{ createdAt: 'asc' }, { id: 'asc' }] })).map(toSignalTokenRow);
}

/** Revoking twice is fine. @throws WarrenError `not-found`. */
export async function revokeSignalToken(database: Database, id: string, actor: Actor): Promise<void> {
  await transaction(database, async (tx) => {
    const row = await tx.signalToken.findUnique({ where: { id } });
    if (!row)
      throw new WarrenError('not-found', `there is no signal token ${id}: list them with \`warren signal tokens\``);
    if (row.revokedAt) return;
    await tx.signalToken.update({ where: { id }, data: { revokedAt: new Date() } });
    const details = { region: row.region };
    await writeAudit(tx, null, { action: 'signal-token.revoke', subject: id, details }, actor);
  });
}

/**
 * Takes the token for the server with this identity; again for the same one is fine, also after it expired, so that a lost
 * answer is repeated. @throws WarrenError `token-…`. @returns the region.
 */
export async function spendSignalToken(
  tx: Transaction,
  id: string,
  secret: Uint8Array,
  identityKey: Uint8Array,
): Promise<string> {
  // Locked, so that of two servers with one token one gets it.
  await tx.$queryRaw`SELECT id FROM signal_token WHERE id = ${id} FOR UPDATE`;
  const row = await tx.signalToken.findUnique({ where: { id } });
  if (!row || !isSecret(secret, row.secretHash)) {
    throw new WarrenError('token-unknown', `this control plane does not know the signal token: ${MAKE}`);
  }
  if (row.usedBy && equalBytes(row.usedBy, identityKey) && !row.revokedAt) return row.region;
  const refuse = (code: string, what: string) => new WarrenError(code, `this signal token ${what}: ${MAKE}`);
  if (row.revokedAt) throw refuse('token-revoked', 'was revoked');
  if (row.usedBy) throw refuse('token-used-up', 'was used by another server');
  if (row.expiresAt && row.expiresAt.getTime() <= Date.now()) throw refuse('token-expired', 'has expired');
  await tx.signalToken.update({ where: { id }, data: { usedBy: plain(identityKey) } });
  return row.region;
}

const MAKE = 'make another with `warren signal token --region NAME`';

const toSignalTokenRow = (row: Rows.SignalToken): SignalTokenRow => ({
  id: row.id,
  region: row.region,
  used: row.usedBy !== null,
  expiresAt: row.expiresAt,
  revokedAt: row.revokedAt,
  createdAt: row.createdAt,
});
