import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { type NetworkId, toHex, WarrenError } from '@warren/base';
import type { Role } from '@warren/topology';
import type * as Rows from '../gen/prisma/client.js';
import type { PrismaClient } from '../gen/prisma/client.js';
import type { Actor, NetworkRow, Page, PageQuery, TokenRow, TokenState } from '../store-api.js';
import { badRequest, isUuid, networkNotFound } from './checks.js';
import { type Database, type Transaction, transaction } from './database.js';
import { writeAudit } from './network-change.js';
import { pageArguments, toPage } from './pages.js';
import { toNetworkRow, toTokenRow } from './rows.js';

/** Bytes of a token's or an API key's secret: too many to guess, so a fast hash is enough to keep it. */
export const SECRET_LENGTH = 32;
const ID_LENGTH = 8;
const MAX_TAGS = 32;
const TAG = /^[a-z0-9]([a-z0-9._:-]{0,61}[a-z0-9])?$/i;

/** What a new token allows; without limits unless they are given. */
export interface TokenInput {
  readonly networkId: NetworkId;
  readonly name?: string | null;
  readonly role?: Role;
  readonly tags?: readonly string[];
  readonly ephemeral?: boolean;
  readonly approval?: boolean;
  readonly maxUses?: number | null;
  readonly expiresAt?: Date | null;
}

/** An id that people can read out: 16 hexadecimal digits. */
export const randomId = (): string => toHex(randomBytes(ID_LENGTH));
/** SHA-256: see `SECRET_LENGTH` for why that is enough. */
export const hashSecret = (secret: Uint8Array): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(createHash('sha256').update(secret).digest());
/** Compares in constant time. */
export const isSecret = (secret: Uint8Array, hash: Uint8Array): boolean => timingSafeEqual(hashSecret(secret), hash);

/** The secret is returned once. @throws WarrenError `not-found`, `bad-request`. */
export async function createToken(
  database: Database,
  input: TokenInput,
  actor: Actor,
): Promise<{ token: TokenRow; secret: Uint8Array }> {
  const { networkId, name = null, role = null, tags = [], ephemeral = false, approval = false } = input;
  const { maxUses = null, expiresAt = null } = input;
  checkTags(tags);
  checkToken(name, maxUses, expiresAt);
  const secret = Uint8Array.from(randomBytes(SECRET_LENGTH));
  const data = { id: randomId(), networkId, name, role, tags: [...tags], ephemeral, approval, maxUses, expiresAt };
  const token = await transaction(database, async (tx) => {
    const network = isUuid(networkId) ? await tx.network.findUnique({ where: { id: networkId } }) : null;
    if (!network) throw networkNotFound(networkId);
    const row = await tx.joinToken.create({ data: { ...data, secretHash: hashSecret(secret) } });
    const until = { maxUses, expiresAt: expiresAt?.toISOString() ?? null };
    const details = { name, role, tags, ephemeral, approval, ...until };
    await writeAudit(tx, networkId, { action: 'token.create', subject: row.id, details }, actor);
    return toTokenRow(row);
  });
  return { token, secret };
}

/** Oldest first, those that are used up, expired or revoked too unless a state is named. */
export async function listTokens(
  { prisma }: Database,
  filter?: { networkId?: NetworkId; state?: TokenState } & PageQuery,
): Promise<Page<TokenRow>> {
  const { where, ...page } = pageArguments(filter);
  const network = filter?.networkId;
  if (network !== undefined && !isUuid(network)) return { items: [], nextCursor: null };
  const rows = await prisma.joinToken.findMany({
    ...page,
    where: { AND: [where, network ? { networkId: network } : {}, filter?.state ? inState(prisma, filter.state) : {}] },
  });
  return toPage(filter, rows, toTokenRow);
}

/** `tokenState` as a condition. */
function inState(prisma: PrismaClient, state: TokenState): Rows.Prisma.JoinTokenWhereInput {
  const expired = { expiresAt: { lte: new Date() } };
  // SQL's null is neither less nor greater: NOT would drop tokens without a limit.
  const lasting = { OR: [{ expiresAt: null }, { expiresAt: { gt: new Date() } }] };
  const { maxUses } = prisma.joinToken.fields;
  const conditions: Record<TokenState, Rows.Prisma.JoinTokenWhereInput[]> = {
    revoked: [{ revokedAt: { not: null } }],
    expired: [{ revokedAt: null }, expired],
    'used-up': [{ revokedAt: null }, lasting, { maxUses: { not: null }, uses: { gte: maxUses } }],
    usable: [{ revokedAt: null }, lasting, { OR: [{ maxUses: null }, { uses: { lt: maxUses } }] }],
  };
  return { AND: conditions[state] };
}

/** Whether a token lets anybody in at this moment. */
export function tokenState(token: TokenRow, now: Date): TokenState {
  if (token.revokedAt) return 'revoked';
  if (token.expiresAt && token.expiresAt <= now) return 'expired';
  return token.maxUses !== null && token.uses >= token.maxUses ? 'used-up' : 'usable';
}

/** In whatever state it is. */
export async function findToken({ prisma }: Database, id: string): Promise<TokenRow | undefined> {
  const row = await prisma.joinToken.findUnique({ where: { id } });
  return row ? toTokenRow(row) : undefined;
}

/** Revoking twice is fine. */
export async function revokeToken(database: Database, id: string, actor: Actor): Promise<void> {
  await transaction(database, async (tx) => {
    const row = await tx.joinToken.findUnique({ where: { id } });
    if (!row) throw new WarrenError('not-found', `there is no token ${id}: list them with \`warren token list\``);
    if (row.revokedAt) return;
    await tx.joinToken.update({ where: { id }, data: { revokedAt: new Date() } });
    const audit = { action: 'token.revoke', subject: id, details: { name: row.name } };
    await writeAudit(tx, row.networkId as NetworkId, audit, actor);
  });
}

/** Looks without spending. */
export async function lookAtToken(
  { prisma }: Database,
  id: string,
  secret: Uint8Array,
): Promise<{ token: TokenRow; network: NetworkRow }> {
  const row = await prisma.joinToken.findUnique({ where: { id }, include: { network: true } });
  if (!row || !isSecret(secret, row.secretHash)) throw tokenUnknown();
  const refusal = tokenRefusal(row);
  if (refusal) throw refusal;
  return { token: toTokenRow(row), network: toNetworkRow(row.network) };
}

/** The part of a token that its nodes get. */
export interface TokenGrant {
  readonly role: Role | null;
  readonly tags: readonly string[];
  readonly ephemeral: boolean;
  readonly approval: boolean;
}

/** Takes one use, unless a limit forbids it: limits hold whatever happens at the same time. @throws WarrenError `token-…`. */
export async function spendToken(tx: Transaction, id: string): Promise<TokenGrant> {
  const rows = await tx.$queryRaw<TokenGrant[]>`
    UPDATE join_token SET uses = uses + 1
    WHERE id = ${id} AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ${new Date()})
      AND (max_uses IS NULL OR uses < max_uses)
    RETURNING role, tags, ephemeral, approval`;
  if (rows[0]) return rows[0];
  const row = await tx.joinToken.findUnique({ where: { id } });
  throw (row && tokenRefusal(row)) ?? tokenUnknown();
}

/** Why a token may not be used; undefined: it may. */
export function tokenRefusal(row: Rows.JoinToken): WarrenError | undefined {
  const refuse = (code: string, what: string) =>
    new WarrenError(code, `this join token ${what}: make another with \`warren token create\``);
  if (row.revokedAt) return refuse('token-revoked', 'was revoked');
  if (row.expiresAt && row.expiresAt.getTime() <= Date.now()) return refuse('token-expired', 'has expired');
  if (row.maxUses !== null && row.uses >= row.maxUses) return refuse('token-used-up', 'is used up');
  return undefined;
}

/** The same for a wrong secret as for a wrong id, so that ids cannot be probed. */
export const tokenUnknown = (): WarrenError =>
  new WarrenError('token-unknown', 'this control plane does not know the join token: copy it again, or make another');

function checkToken(name: string | null, maxUses: number | null, expiresAt: Date | null): void {
  if (name !== null && !/^[^\p{Cc}]{1,64}$/u.test(name)) {
    throw badRequest('the name of a token has 1 to 64 characters and no control characters');
  }
  if (maxUses !== null && !(Number.isInteger(maxUses) && maxUses >= 1 && maxUses <= 1_000_000)) {
    throw badRequest(`uses must be 1 to 1000000, or without limit, not ${maxUses}`);
  }
  if (expiresAt && !(expiresAt.getTime() > Date.now())) throw badRequest('the token would have expired already');
}

/** Of tokens and nodes. @throws WarrenError `bad-request`. */
export function checkTags(tags: readonly string[]): void {
  if (tags.length > MAX_TAGS) throw badRequest(`there are at most ${MAX_TAGS} tags`);
  const bad = tags.find((tag) => !TAG.test(tag));
  if (bad !== undefined) {
    throw badRequest(
      `${JSON.stringify(bad.slice(0, 80))} is no tag: use letters, digits and inner . _ : -, at most 63`,
    );
  }
}
