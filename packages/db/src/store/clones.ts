import { type NodeId, networkId } from '@warren/base';
import type { Actor, CloneSighting, NodeRow } from '../store-api.js';
import { isUuid, nodeNotFound } from './checks.js';
import { type Database, transaction } from './database.js';
import { writeAudit } from './network-change.js';
import { toNodeRow, WITH_ADDRESSES } from './rows.js';

/** Observed, so no change. Once until it is cleared: a copy that is started again and again fills no log. */
export async function noteClone(
  database: Database,
  id: NodeId,
  { startGeneration, from }: CloneSighting,
  actor: Actor,
): Promise<boolean> {
  return transaction(database, async (tx) => {
    const rows = await tx.$queryRaw<{ networkId: string; name: string }[]>`
      UPDATE node SET clone_noticed_at = clock_timestamp()
      WHERE id = ${id}::uuid AND clone_noticed_at IS NULL AND status <> 'revoked'
      RETURNING network_id AS "networkId", name`;
    const [row] = rows;
    if (!row) return false;
    const details = { name: row.name, startGeneration, from };
    await writeAudit(tx, networkId(row.networkId), { action: 'node.clone', subject: id, details }, actor);
    return true;
  });
}

/**
 * Clearing twice is fine. Whichever copy starts next may connect: the one that stays has perhaps been started less often
 * than the other. @throws WarrenError `not-found`. */
export async function clearClone(database: Database, id: NodeId, actor: Actor): Promise<NodeRow> {
  return transaction(database, async (tx) => {
    const row = isUuid(id) ? await tx.node.findUnique({ where: { id }, include: WITH_ADDRESSES }) : null;
    if (!row) throw nodeNotFound(id);
    if (!row.cloneNoticedAt) return toNodeRow(row);
    const updated = await tx.node.update({
      where: { id },
      data: { cloneNoticedAt: null, startGeneration: 0 },
      include: WITH_ADDRESSES,
    });
    const audit = { action: 'node.clone-seen', subject: id, details: { name: row.name } };
    await writeAudit(tx, networkId(row.networkId), audit, actor);
    return toNodeRow(updated);
  });
}
