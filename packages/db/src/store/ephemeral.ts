import type { NodeId } from '@warren/base';
import type { Actor } from '../store-api.js';
import type { Database, Transaction } from './database.js';
import { changeNetwork } from './network-change.js';
import { nodeNetwork } from './nodes.js';
import { removeMember } from './revocations.js';

/** @throws WarrenError `not-found`. @returns whether this call removed it. */
export async function removeEphemeral(
  database: Database,
  id: NodeId,
  unseenMs: number,
  actor: Actor,
): Promise<boolean> {
  const network = await nodeNetwork(database, id);
  return changeNetwork(database, network, actor, async (tx) => {
    if (!(await isStillGone(tx, id, unseenMs))) return { result: false, change: null };
    return { result: true, change: await removeMember(tx, network, id, { ephemeral: true }) };
  });
}

/** Locks the node: a stream that begins now claims its generation before this, and was seen, or after, and is refused. */
async function isStillGone(tx: Transaction, id: NodeId, unseenMs: number): Promise<boolean> {
  const rows = await tx.$queryRaw<unknown[]>`
    SELECT id FROM node
    WHERE id = ${id}::uuid AND ephemeral AND kind = 'agent' AND status <> 'revoked' AND disabled_at IS NULL
      AND coalesce(seen_at, created_at) < clock_timestamp() - ${unseenMs} * interval '1 millisecond'
    FOR UPDATE`;
  return rows.length > 0;
}
