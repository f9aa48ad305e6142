import type { NetworkId, NodeId } from '@warren/base';
import type { Actor, WithdrawCondition } from '../store-api.js';
import { nodeNotFound } from './checks.js';
import type { Database, Transaction } from './database.js';
import { changeNetwork, type Outcome } from './network-change.js';
import { nodeNetwork } from './nodes.js';
import { toNodeRow, visible, WITH_ADDRESSES } from './rows.js';

/** @throws WarrenError `not-found`. @returns whether this call decided it. */
export async function withdrawBounce(
  database: Database,
  id: NodeId,
  condition: WithdrawCondition,
  actor: Actor,
): Promise<boolean> {
  const network = await nodeNetwork(database, id);
  // Looked at again under the network's lock: meanwhile another replica may have decided, or the bounce come back.
  return changeNetwork(database, network, actor, async (tx) =>
    (await isStillDue(tx, network, id, condition)) ? setUnavailable(tx, id, true) : { result: false, change: null },
  );
}

/** @throws WarrenError `not-found`. @returns whether this call decided it. */
export async function restoreBounce(database: Database, id: NodeId, actor: Actor): Promise<boolean> {
  const network = await nodeNetwork(database, id);
  return changeNetwork(database, network, actor, (tx) => setUnavailable(tx, id, false));
}

async function isStillDue(
  tx: Transaction,
  network: NetworkId,
  id: NodeId,
  { unseenMs, freshMs }: WithdrawCondition,
): Promise<boolean> {
  const [row] = await tx.$queryRaw<{ due: boolean }[]>`
    SELECT EXISTS (
      SELECT FROM node WHERE id = ${id}::uuid AND role = 'bounce' AND kind = 'agent'
        AND coalesce(seen_at, created_at) < clock_timestamp() - ${unseenMs} * interval '1 millisecond'
    ) AND EXISTS (
      SELECT FROM node WHERE network_id = ${network}::uuid AND id <> ${id}::uuid
        AND role = 'bounce' AND kind = 'agent' AND status = 'active' AND NOT unavailable
        AND seen_at > clock_timestamp() - ${freshMs} * interval '1 millisecond'
    ) AS due`;
  return row?.due ?? false;
}

async function setUnavailable(tx: Transaction, id: NodeId, unavailable: boolean): Promise<Outcome<boolean>> {
  const row = await tx.node.findUnique({ where: { id }, include: WITH_ADDRESSES });
  if (!row) throw nodeNotFound(id);
  if (row.unavailable === unavailable || row.status !== 'active') return { result: false, change: null };
  const updated = await tx.node.update({ where: { id }, data: { unavailable }, include: WITH_ADDRESSES });
  const [before, after] = [visible(toNodeRow(row)), visible(toNodeRow(updated))];
  const action = unavailable ? 'bounce.withdraw' : 'bounce.restore';
  const audit = { action, subject: id, details: { name: row.name } };
  return { result: true, change: { nodeId: id, before, after, audit } };
}
