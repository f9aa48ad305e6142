import { randomBytes } from 'node:crypto';
import { fromBase64Url, toBase64Url, WarrenError } from '@warren/base';
import type * as Rows from '../gen/prisma/client.js';
import type { Actor } from '../store-api.js';
import type { ApiKeyRow } from '../store-keys.js';
import { badRequest } from './checks.js';
import { type Database, transaction } from './database.js';
import { writeAudit } from './network-change.js';
import { hashSecret, isSecret, randomId, SECRET_LENGTH } from './tokens.js';

/** `warrenkey_`, the id in hexadecimal, `_`, the secret in base64url: told apart from a join token, found by scanners. */
const KEY = /^warrenkey_([0-9a-f]{16})_([\w-]{43})$/;
const MAX_NAME = 100;
/** `lastUsedAt` is for people: writing it at every request would cost more than the request. */
const USE_RESOLUTION = 60_000;

/** The secret is returned once and kept hashed. @throws WarrenError `bad-request` for its name or without a scope. */
export async function createApiKey(
  database: Database,
  name: string,
  { scopes, expiresAt }: { scopes: readonly string[]; expiresAt: Date | null },
  actor: Actor,
): Promise<{ key: ApiKeyRow; secret: string }> {
  if (name.trim() === '' || name.length > MAX_NAME)
    throw badRequest(`an API key's name has 1 to ${MAX_NAME} characters`);
  if (scopes.length === 0) throw badRequest('an API key needs at least one scope');
  const id = randomId();
  const secret = randomBytes(SECRET_LENGTH);
  const key = await transaction(database, async (tx) => {
    const row = await tx.apiKey.create({
      data: { id, name, secretHash: hashSecret(secret), scopes: [...scopes], expiresAt },
    });
    await writeAudit(
      tx,
      null,
      {
        action: 'apikey.create',
        subject: id,
        details: { name, scopes: [...scopes], expiresAt: expiresAt?.toISOString() ?? null },
      },
      actor,
    );
    return toApiKeyRow(row);
  });
  return { key, secret: `warrenkey_${id}_${toBase64Url(secret)}` };
}

/** All keys, oldest first: there are never many. */
export async function listApiKeys({ prisma }: Database): Promise<readonly ApiKeyRow[]> {
  return (await prisma.apiKey.findMany({ orderBy: [{ createdAt: 'asc' }, { id: 'asc' }] })).map(toApiKeyRow);
}

/** From then on the key is unknown. @throws WarrenError `not-found`. */
export async function deleteApiKey(database: Database, id: string, actor: Actor): Promise<void> {
  await transaction(database, async (tx) => {
    const key = await tx.apiKey.findUnique({ where: { id } });
    const { count } = await tx.apiKey.deleteMany({ where: { id } });
    if (!key || count === 0)
      throw new WarrenError('not-found', `there is no API key ${id}: list them with \`warren apikey list\``);
    await writeAudit(tx, null, { action: 'apikey.delete', subject: id, details: { name: key.name } }, actor);
  });
}

/** The same work for an unknown id as for a wrong secret. */
export async function checkApiKey({ prisma }: Database, text: string): Promise<ApiKeyRow | undefined> {
  const match = KEY.exec(text);
  const secret = match && fromBase64Url(match[2]!);
  if (!secret) return undefined;
  const row = await prisma.apiKey.findUnique({ where: { id: match[1]! } });
  const right = isSecret(secret, row?.secretHash ?? new Uint8Array(32));
  if (!row || !right) return undefined;
  const now = new Date();
  if (row.lastUsedAt && now.getTime() - row.lastUsedAt.getTime() < USE_RESOLUTION) return toApiKeyRow(row);
  await prisma.apiKey.updateMany({ where: { id: row.id }, data: { lastUsedAt: now } });
  return toApiKeyRow({ ...row, lastUsedAt: now });
}

const toApiKeyRow = ({ id, name, scopes, expiresAt, createdAt, lastUsedAt }: Rows.ApiKey): ApiKeyRow => ({
  id,
  name,
  scopes,
  expiresAt,
  createdAt,
  lastUsedAt,
});
