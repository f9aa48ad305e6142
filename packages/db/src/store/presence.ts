import { type NodeId, networkId, nodeId } from '@warren/base';
import type { NodePresence, WatchedKind } from '../store-api.js';
import type { Database } from './database.js';

/** One statement for all, and no change: it happens every few seconds, and nobody else sees it. */
export async function noteSeen({ sql }: Database, ids: readonly NodeId[]): Promise<void> {
  if (ids.length === 0) return;
  // One clock for all replicas: theirs may differ by more than the time that is measured.
  await sql`
    UPDATE node SET seen_at = clock_timestamp()
    WHERE id = ANY(${[...ids]}::uuid[]) AND (role = 'bounce' OR ephemeral)`;
}

/** Active agents; vanilla members have no stream, so nobody knows of them. */
export async function presences({ sql }: Database, kind: WatchedKind): Promise<readonly NodePresence[]> {
  const rows = await sql<{ id: string; networkId: string; unavailable: boolean; unseenMs: number }[]>`
    SELECT id, network_id AS "networkId", unavailable,
      greatest(0, extract(epoch FROM clock_timestamp() - coalesce(seen_at, created_at)) * 1000)::float8 AS "unseenMs"
    FROM node
    WHERE ${kind === 'bounce' ? sql`role = 'bounce'` : sql`ephemeral`} AND kind = 'agent' AND status = 'active'
    ORDER BY id`;
  return rows.map((row) => ({ ...row, id: nodeId(row.id), networkId: networkId(row.networkId) }));
}
