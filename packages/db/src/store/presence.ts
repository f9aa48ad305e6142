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

/**
 * Agents only: vanilla members have no stream, so nobody knows of them. An ephemeral node that waits for approval or has
 * expired goes like one that is active; one that an operator disabled stays, else it could join again.
 */
export async function presences({ sql }: Database, kind: WatchedKind): Promise<readonly NodePresence[]> {
  const rows = await sql<(Omit<NodePresence, 'ephemeralAfterMs'> & { ephemeralAfterMs: string | null })[]>`
    SELECT node.id, network_id AS "networkId", unavailable, network.ephemeral_after_ms AS "ephemeralAfterMs",
      greatest(0, extract(epoch FROM clock_timestamp() - coalesce(seen_at, node.created_at)) * 1000)::float8 AS "unseenMs"
    FROM node JOIN network ON network.id = network_id
    WHERE kind = 'agent' AND ${
      kind === 'bounce' ? sql`role = 'bounce' AND status = 'active'` : sql`ephemeral AND ${GOES_BY_ITSELF(sql)}`
    }
    ORDER BY node.id`;
  return rows.map(({ ephemeralAfterMs, ...row }) => ({
    ...row,
    id: nodeId(row.id),
    networkId: networkId(row.networkId),
    ephemeralAfterMs: ephemeralAfterMs === null ? null : Number(ephemeralAfterMs),
  }));
}

const GOES_BY_ITSELF = (sql: Database['sql']) => sql`status <> 'revoked' AND disabled_at IS NULL`;
