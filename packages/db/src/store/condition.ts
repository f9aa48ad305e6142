import { networkId } from '@warren/base';
import type { NodeKind, NodeStatus } from '@warren/topology';
import { knownMigrations } from '../migrate.js';
import type { NodeCount } from '../store-api.js';
import type { Database } from './database.js';

interface CountColumns {
  networkId: string;
  status: NodeStatus;
  kind: NodeKind;
  count: number;
  clones: number;
}

/** How many nodes of each kind every network has. */
export async function nodeCounts({ sql }: Database): Promise<readonly NodeCount[]> {
  const rows = await sql<CountColumns[]>`
    SELECT network_id AS "networkId", status, kind, count(*)::int AS count, count(clone_noticed_at)::int AS clones
    FROM node GROUP BY network_id, status, kind ORDER BY network_id, status, kind`;
  return rows.map((row) => ({ ...row, networkId: networkId(row.networkId) }));
}

/** Migrations of this version that the database does not have: somebody restored an older one beneath us. */
export async function missingMigrations({ sql }: Database): Promise<readonly string[]> {
  const rows = await sql<{ name: string }[]>`
    SELECT migration_name AS name FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL`;
  const applied = new Set(rows.map(({ name }) => name));
  return knownMigrations().filter((name) => !applied.has(name));
}
