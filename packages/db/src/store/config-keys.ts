import { randomBytes } from 'node:crypto';
import type { NodeId } from '@warren/base';
import { fromBase64Url, toBase64Url, WarrenError } from '@warren/base';
import type { Actor, NodeRow } from '../store-api.js';
import { isUuid, nodeNotFound } from './checks.js';
import { type Database, type Transaction, transaction } from './database.js';
import { writeAudit } from './network-change.js';
import { type NodeWithAddresses, toNodeRow, WITH_ADDRESSES } from './rows.js';
import { hashSecret, SECRET_LENGTH } from './tokens.js';

/** `warrenconf_` and 32 random bytes in base64url: told apart from other secrets, found by scanners. */
const KEY = /^warrenconf_([\w-]{43})$/;

/**
 * Gives a node a key that reads its own files; one that it had before is good no more. The secret is returned once and kept
 * hashed. No change that others see. @throws WarrenError `not-found`, `node-revoked`.
 */
export async function createConfigKey(
  database: Database,
  id: NodeId,
  actor: Actor,
): Promise<{ node: NodeRow; secret: string }> {
  const { secret, columns } = newConfigKey();
  const node = await transaction(database, async (tx) => {
    const before = await lockedNode(tx, id);
    if (before.status === 'revoked') {
      throw new WarrenError('node-revoked', `node "${before.name}" was revoked: it has no files`);
    }
    const row = await tx.node.update({ where: { id }, data: columns, include: WITH_ADDRESSES });
    const audit = { action: 'config-key.create', subject: id, details: { replaces: before.configKeyHash !== null } };
    await writeAudit(tx, before.networkId as NodeRow['networkId'], audit, actor);
    return toNodeRow(row);
  });
  return { node, secret };
}

/** A random key: its secret for who asked, and what is kept of it. */
export function newConfigKey() {
  const secret = randomBytes(SECRET_LENGTH);
  const columns = { configKeyHash: hashSecret(secret), configKeyCreatedAt: new Date() };
  return { secret: `warrenconf_${toBase64Url(secret)}`, columns };
}

/** From then on the key is unknown. @throws WarrenError `not-found`, also when the node has none. */
export async function deleteConfigKey(database: Database, id: NodeId, actor: Actor): Promise<void> {
  await transaction(database, async (tx) => {
    const before = await lockedNode(tx, id);
    if (before.configKeyHash === null) throw new WarrenError('not-found', `node "${before.name}" has no config key`);
    await tx.node.update({ where: { id }, data: { configKeyHash: null, configKeyCreatedAt: null } });
    await writeAudit(tx, before.networkId as NodeRow['networkId'], { action: 'config-key.delete', subject: id }, actor);
  });
}

/** The node whose key this is, whatever its status. Found by a hash of 32 random bytes, so time tells nothing of it. */
export async function checkConfigKey({ prisma }: Database, text: string): Promise<NodeRow | undefined> {
  const encoded = KEY.exec(text)?.[1];
  const secret = encoded === undefined ? undefined : fromBase64Url(encoded);
  if (!secret) return undefined;
  const where = { configKeyHash: hashSecret(secret) };
  const row = await prisma.node.findUnique({ where, include: WITH_ADDRESSES });
  return row ? toNodeRow(row) : undefined;
}

/** Cheap: a thousand that waited for a file ask at once. */
export async function configKeySince({ sql }: Database, id: NodeId): Promise<Date | null> {
  if (!isUuid(id)) return null;
  const [row] = await sql<{ since: Date | null }[]>`SELECT config_key_created_at AS since FROM node WHERE id = ${id}`;
  return row?.since ?? null;
}

/** Two that make a key at once go one after the other. */
async function lockedNode(tx: Transaction, id: NodeId): Promise<NodeWithAddresses> {
  if (isUuid(id)) await tx.$queryRaw`SELECT 1 FROM node WHERE id = ${id}::uuid FOR UPDATE`;
  const row = isUuid(id) ? await tx.node.findUnique({ where: { id }, include: WITH_ADDRESSES }) : null;
  if (!row) throw nodeNotFound(id);
  return row;
}
