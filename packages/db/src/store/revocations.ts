import type { NetworkId, NodeId } from '@warren/base';
import type { Actor, NodeRow, SignTombstone, TombstoneRow } from '../store-api.js';
import { restAddresses } from './addresses.js';
import { badRequest, isUuid, nodeNotFound } from './checks.js';
import type { Database, Transaction } from './database.js';
import { changeNetwork, type NetworkChange } from './network-change.js';
import { nodeNetwork } from './nodes.js';
import { plain, toNodeRow, visible, WITH_ADDRESSES } from './rows.js';

/** Bans the node's keys, rests its addresses and leaves a signed tombstone. Revoking twice is fine. */
export async function revokeNode(
  database: Database,
  id: NodeId,
  actor: Actor,
  signTombstone: SignTombstone,
): Promise<NodeRow> {
  const networkId = await nodeNetwork(database, id);
  return changeNetwork(database, networkId, actor, async (tx) => {
    const row = await tx.node.findUnique({ where: { id }, include: WITH_ADDRESSES });
    if (!row) throw nodeNotFound(id);
    const before = toNodeRow(row);
    if (before.status === 'revoked') return { result: before, change: null };
    const revokedAt = new Date();
    const { publicKey } = before;
    if (publicKey === null) throw badRequest(`node "${before.name}" has no key yet that could be revoked: delete it`);
    const identityKey = before.record?.identityKey ?? null;
    const tombstone = signTombstone({ networkId, nodeId: id, publicKey, identityKey, revokedAt });
    await tx.nodeKey.updateMany({ where: { nodeId: id }, data: { state: 'banned', bannedAt: revokedAt } });
    await restAddresses(tx, networkId, id);
    const signed = { tombstone: plain(tombstone.tombstone), signature: plain(tombstone.signature) };
    await tx.tombstone.create({ data: { networkId, nodeId: id, ...signed } });
    const data = { status: 'revoked', revokedAt };
    const result = toNodeRow(await tx.node.update({ where: { id }, data, include: WITH_ADDRESSES }));
    const audit = { action: 'node.revoke', subject: id, details: { name: before.name, publicKey } };
    return { result, change: { nodeId: id, before: visible(before), after: null, tombstone, audit } };
  });
}

/** Removes a node's row. What must outlive it does: resting addresses, banned keys, its tombstone. */
export async function deleteNode(database: Database, id: NodeId, actor: Actor): Promise<void> {
  const networkId = await nodeNetwork(database, id);
  await changeNetwork(database, networkId, actor, async (tx) => {
    return { result: undefined, change: await removeMember(tx, networkId, id, {}) };
  });
}

/** The work of it, inside a transaction that holds the network. @throws WarrenError `not-found`. */
export async function removeMember(
  tx: Transaction,
  networkId: NetworkId,
  id: NodeId,
  details: Readonly<Record<string, unknown>>,
): Promise<NetworkChange> {
  const row = await tx.node.findUnique({ where: { id }, include: WITH_ADDRESSES });
  if (!row) throw nodeNotFound(id);
  const before = toNodeRow(row);
  await restAddresses(tx, networkId, id);
  await tx.nodeKey.deleteMany({ where: { nodeId: id, state: { not: 'banned' } } });
  await tx.nodeKey.updateMany({ where: { nodeId: id }, data: { nodeId: null } });
  await tx.node.delete({ where: { id } });
  const audited = { name: before.name, status: before.status, ...details };
  const audit = { action: 'node.delete', subject: id, details: audited };
  return { nodeId: id, before: visible(before), after: null, audit };
}

/** Signed revocations of the last `ageMs` milliseconds, by the database's clock; of all networks unless one is named. */
export async function listTombstones(
  { sql }: Database,
  ageMs: number,
  network?: NetworkId,
): Promise<readonly TombstoneRow[]> {
  if (network !== undefined && !isUuid(network)) return [];
  const rows = await sql<TombstoneRow[]>`
    SELECT tombstone, signature FROM tombstone
    WHERE created_at > clock_timestamp() - ${ageMs}::float8 * interval '1 millisecond'
      ${network === undefined ? sql`` : sql`AND network_id = ${network}`}
    ORDER BY created_at, node_id`;
  return rows.map(({ tombstone, signature }) => ({ tombstone: plain(tombstone), signature: plain(signature) }));
}
