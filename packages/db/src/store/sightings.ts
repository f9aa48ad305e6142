import { type NetworkId, nodeId } from '@warren/base';
import type { NodeKind, NodeStatus, Role } from '@warren/topology';
import type { MemberRow, Sighting } from '../store-api.js';
import { isUuid } from './checks.js';
import type { Database } from './database.js';
import { sortAddresses } from './rows.js';

/** One statement for all, and no change: nobody else sees it. */
export async function noteSightings({ sql }: Database, sightings: readonly Sighting[]): Promise<void> {
  const known = sightings.filter(({ id }) => isUuid(id));
  if (known.length === 0) return;
  const rows = JSON.stringify(
    known.map(({ id, at, agentVersion = null }) => ({ id, at: at.toISOString(), version: agentVersion })),
  );
  // Rows are locked in one order, whatever the replicas write at the same time.
  await sql`
    WITH seen AS (
      SELECT node.id, at, version FROM json_to_recordset(${rows}::text::json) AS told(id uuid, at timestamptz, version text)
      JOIN node USING (id) ORDER BY node.id FOR NO KEY UPDATE OF node
    )
    UPDATE node SET last_seen_at = greatest(node.last_seen_at, seen.at),
      agent_version = coalesce(seen.version, node.agent_version)
    FROM seen WHERE node.id = seen.id`;
}

interface Columns {
  readonly id: string;
  readonly name: string;
  readonly role: string;
  readonly kind: string;
  readonly status: string;
  readonly tags: readonly string[];
  readonly endpoint: string | null;
  readonly disabledAt: Date | null;
  readonly cloneNoticedAt: Date | null;
  readonly keyExpiresAt: Date | null;
  readonly lastSeenAt: Date | null;
  readonly agentVersion: string | null;
  readonly addresses: readonly string[] | null;
}

export async function members({ sql }: Database, network: NetworkId): Promise<readonly MemberRow[]> {
  if (!isUuid(network)) return [];
  const rows = await sql<Columns[]>`
    SELECT id, name, role, kind, status, tags, endpoint, disabled_at AS "disabledAt",
      clone_noticed_at AS "cloneNoticedAt", key_expires_at AS "keyExpiresAt", last_seen_at AS "lastSeenAt",
      agent_version AS "agentVersion", held.addresses
    FROM node LEFT JOIN (
      SELECT node_id, array_agg(address::text) AS addresses FROM node_address WHERE network_id = ${network} GROUP BY node_id
    ) AS held ON held.node_id = node.id
    WHERE network_id = ${network} AND status <> 'revoked' ORDER BY id`;
  return rows.map(({ addresses, keyExpiresAt, ...row }) => ({
    ...row,
    id: nodeId(row.id),
    role: row.role as Role,
    kind: row.kind as NodeKind,
    status: row.status as NodeStatus,
    addresses: sortAddresses(addresses ?? []),
    ...(keyExpiresAt && { keyExpiresAt: keyExpiresAt.getTime() }),
  }));
}
