import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WarrenError } from '@warren/base';
import type pg from 'pg';
import { explainConnectError, makeClient, parseDatabaseUrl } from './connection.js';

/** Seen from `src` and from `dist` alike. */
const MIGRATIONS = fileURLToPath(new URL('../prisma/migrations', import.meta.url));
/** Any number that nobody else uses: replicas that start together migrate one after the other. */
const MIGRATE_LOCK = 72_707_369;

/** The table of Prisma's own CLI, so that `prisma migrate status` understands what we did. */
const BOOKKEEPING = `create table if not exists _prisma_migrations (
  id varchar(36) primary key not null, checksum varchar(64) not null, finished_at timestamptz,
  migration_name varchar(255) not null, logs text, rolled_back_at timestamptz,
  started_at timestamptz not null default now(), applied_steps_count integer not null default 0)`;

interface AppliedRow {
  migration_name: string;
  checksum: string;
  finished_at: Date | null;
}

/**
 * Brings a database up to this version, each migration in a transaction of its own: what `prisma migrate deploy`
 * does, without the CLI. Safe to call from several replicas at once. Migrations that only a newer version knows are
 * left alone, so that a rolling restart may go back.
 * @returns the names of those applied now. @throws WarrenError `migration-changed`, `migration-failed`, or as
 * `checkDatabase`.
 */
export async function migrate(url: string, folder = MIGRATIONS): Promise<string[]> {
  const connection = parseDatabaseUrl(url);
  const client = makeClient(connection);
  try {
    await client.connect();
  } catch (error) {
    throw explainConnectError(error, connection);
  }
  try {
    await client.query('select pg_advisory_lock($1)', [MIGRATE_LOCK]);
    await client.query(BOOKKEEPING);
    return await applyMissing(client, folder);
  } finally {
    await client.end();
  }
}

/** Names of this version's migrations, in their order. */
export const knownMigrations = (folder = MIGRATIONS): string[] =>
  readdirSync(folder)
    .filter((name) => existsSync(join(folder, name, 'migration.sql')))
    .sort();

async function applyMissing(client: pg.Client, folder: string): Promise<string[]> {
  const { rows } = await client.query<AppliedRow>(
    'select migration_name, checksum, finished_at from _prisma_migrations where rolled_back_at is null',
  );
  const known = new Map(rows.map((row) => [row.migration_name, row]));
  const applied: string[] = [];
  for (const name of knownMigrations(folder)) {
    const sql = readFileSync(join(folder, name, 'migration.sql'), 'utf8');
    const checksum = createHash('sha256').update(sql).digest('hex');
    const before = known.get(name);
    if (before) checkApplied(before, checksum);
    else {
      await apply(client, name, sql, checksum);
      applied.push(name);
    }
  }
  return applied;
}

function checkApplied(row: AppliedRow, checksum: string): void {
  if (!row.finished_at) {
    const text = `migration ${row.migration_name} failed before: restore a backup, or repair it with prisma migrate resolve`;
    throw new WarrenError('migration-failed', text);
  }
  if (row.checksum !== checksum) {
    const text = `migration ${row.migration_name} was changed after this database got it: run the version that made the database`;
    throw new WarrenError('migration-changed', text);
  }
}

async function apply(client: pg.Client, name: string, sql: string, checksum: string): Promise<void> {
  await client.query('begin');
  try {
    await client.query(sql);
    await client.query(
      `insert into _prisma_migrations (id, checksum, finished_at, migration_name, applied_steps_count)
       values (gen_random_uuid()::text, $1, now(), $2, 1)`,
      [checksum, name],
    );
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    const text = `migration ${name} failed and was undone: ${(error as Error).message}`;
    throw new WarrenError('migration-failed', text, { cause: error });
  }
}
