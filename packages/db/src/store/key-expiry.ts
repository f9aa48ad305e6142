import { type NodeId, nodeId, networkId as toNetworkId, WarrenError } from '@warren/base';
import { KEY_WARNING_PART, keyWarningMs, LONGEST_KEY_WARNING } from '@warren/topology';
import type { Actor, DueKey, NetworkRow, NodeRow } from '../store-api.js';
import { badRequest, nodeNotFound } from './checks.js';
import { type Database, type Transaction, transaction } from './database.js';
import { changeNetwork, writeAudit } from './network-change.js';
import { keyExpiryFrom } from './network-times.js';
import { nodeNetwork } from './nodes.js';
import { type NodeWithAddresses, toNodeRow, visible, WITH_ADDRESSES } from './rows.js';

/**
 * A network's keys have another life now. Each has what is left of it since it was made, but at least the time of
 * warning: else a setting that is shorter than the age of the keys would end the whole network at once.
 */
export async function applyKeyExpiry(tx: Transaction, { id, keyExpiryMs }: NetworkRow): Promise<void> {
  if (keyExpiryMs === null) {
    await tx.$executeRaw`
      UPDATE node SET key_expires_at = NULL
      WHERE network_id = ${id}::uuid AND kind = 'agent' AND status IN ('active', 'pending')`;
    return;
  }
  await tx.$executeRaw`
    UPDATE node SET key_expires_at = greatest(
      key_changed_at + ${keyExpiryMs}::float8 * interval '1 millisecond',
      clock_timestamp() + ${keyWarningMs(keyExpiryMs)}::float8 * interval '1 millisecond')
    WHERE network_id = ${id}::uuid AND kind = 'agent' AND status IN ('active', 'pending')`;
}

/** @throws WarrenError `not-found`, `node-revoked`, `bad-request`. */
export async function extendNode(
  database: Database,
  id: NodeId,
  expiresAt: Date | null | undefined,
  actor: Actor,
): Promise<NodeRow> {
  if (expiresAt && !(expiresAt.getTime() > Date.now())) throw badRequest('the key would have expired already');
  const found = await nodeNetwork(database, id);
  return changeNetwork(database, found, actor, async (tx, network) => {
    const row = await tx.node.findUnique({ where: { id }, include: WITH_ADDRESSES });
    if (!row) throw nodeNotFound(id);
    const before = toNodeRow(row);
    checkExtendable(before);
    const keyExpiresAt = expiresAt === undefined ? keyExpiryFrom(network, new Date()) : expiresAt;
    const status = before.status === 'expired' ? 'active' : before.status;
    const data = { keyExpiresAt, status };
    const after = toNodeRow(await tx.node.update({ where: { id }, data, include: WITH_ADDRESSES }));
    const details = { name: before.name, keyExpiresAt: keyExpiresAt?.toISOString() ?? null, status };
    const audit = { action: 'node.extend', subject: id, details };
    return { result: after, change: { nodeId: id, before: visible(before), after: visible(after), audit } };
  });
}

function checkExtendable({ name, kind, status }: NodeRow): void {
  if (status === 'revoked') {
    throw new WarrenError('node-revoked', `node "${name}" was revoked: its keys cannot come back`);
  }
  if (kind === 'vanilla') {
    throw badRequest(`node "${name}" is a vanilla member: its key does not expire; revoke the node to end it`);
  }
}

/** By the database's clock, which all replicas share. Warnings of what is due anyway are left out. */
export async function dueKeys({ sql }: Database): Promise<readonly DueKey[]> {
  const rows = await sql<(Omit<DueKey, 'due'> & { over: boolean })[]>`
    SELECT node.id, network_id AS "networkId", node.name, key_expires_at AS "keyExpiresAt",
      key_expires_at <= clock_timestamp() AS over
    FROM node JOIN network ON network.id = network_id
    WHERE status = 'active' AND key_expires_at IS NOT NULL AND (
      key_expires_at <= clock_timestamp()
      OR (key_warned_for IS DISTINCT FROM key_expires_at AND ${isWarningTime(sql)}))
    ORDER BY key_expires_at, node.id`;
  return rows.map(({ over, ...row }) => ({
    ...row,
    id: nodeId(row.id),
    networkId: toNetworkId(row.networkId),
    due: over ? 'expiry' : 'warning',
  }));
}

/** `keyWarningMs` in SQL. */
const isWarningTime = (sql: Database['sql']) => sql`
  key_expires_at <= clock_timestamp() + interval '1 millisecond'
    * least(${LONGEST_KEY_WARNING}::float8, network.key_expiry_ms::float8 / ${KEY_WARNING_PART}::float8)`;

/** @throws WarrenError `not-found`. @returns whether this call decided it. */
export async function expireNode(database: Database, id: NodeId, actor: Actor): Promise<boolean> {
  const network = await nodeNetwork(database, id);
  return changeNetwork(database, network, actor, async (tx) => {
    const row = await stillDue(tx, id);
    if (!row) return { result: false, change: null };
    await tx.node.update({ where: { id }, data: { status: 'expired' } });
    const before = toNodeRow(row);
    const details = { name: row.name, keyExpiresAt: row.keyExpiresAt?.toISOString() ?? null };
    const audit = { action: 'node.expire', subject: id, details };
    return { result: true, change: { nodeId: id, before: visible(before), after: null, audit } };
  });
}

/** Locks the node: a key that is changed at this moment was changed before this, or finds the node expired. */
async function stillDue(tx: Transaction, id: NodeId): Promise<NodeWithAddresses | null> {
  const rows = await tx.$queryRaw<unknown[]>`
    SELECT id FROM node WHERE id = ${id}::uuid AND status = 'active' AND key_expires_at <= clock_timestamp() FOR UPDATE`;
  return rows.length > 0 ? tx.node.findUnique({ where: { id }, include: WITH_ADDRESSES }) : null;
}

/** No change: nobody else sees it. One statement decides which replica writes the entry. */
export async function warnOfExpiry(database: Database, id: NodeId, actor: Actor): Promise<boolean> {
  return transaction(database, async (tx) => {
    const rows = await tx.$queryRaw<{ networkId: string; name: string; keyExpiresAt: Date }[]>`
      UPDATE node SET key_warned_for = key_expires_at
      WHERE id = ${id}::uuid AND status = 'active' AND key_expires_at IS NOT NULL
        AND key_warned_for IS DISTINCT FROM key_expires_at
      RETURNING network_id AS "networkId", name, key_expires_at AS "keyExpiresAt"`;
    const [row] = rows;
    if (!row) return false;
    const details = { name: row.name, keyExpiresAt: new Date(row.keyExpiresAt).toISOString() };
    await writeAudit(tx, toNetworkId(row.networkId), { action: 'node.key-expiring', subject: id, details }, actor);
    return true;
  });
}
