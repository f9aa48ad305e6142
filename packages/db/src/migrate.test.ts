import { execFile } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { migrate } from './migrate.js';
import { embeddedServer, freshDatabase, query, type TestServer, temporaryDirectory } from './testing/servers.js';

const packageRoot = fileURLToPath(new URL('..', import.meta.url));

describe('migrations', () => {
  let server: TestServer | undefined;
  let folder = '';
  beforeAll(async () => {
    server = await embeddedServer();
    folder = temporaryDirectory();
  });
  afterAll(async () => {
    await server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const write = (name: string, sql: string) => {
    mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(join(folder, name, 'migration.sql'), sql);
  };

  test('make what the schema says, and Prisma agrees that they were applied', async () => {
    const url = await freshDatabase(server!);
    await migrate(url);
    const prisma = (...words: string[]) =>
      promisify(execFile)(process.execPath, ['tools/prisma.mjs', ...words], {
        cwd: packageRoot,
        env: { ...process.env, DATABASE_URL: url },
      });
    const target = ['--to-schema', 'prisma/schema.prisma', '--exit-code'];
    await prisma('migrate', 'diff', '--from-config-datasource', ...target);
    expect((await prisma('migrate', 'status')).stdout).toContain('up to date');
    await query(url, 'alter table node add column extra text');
    await expect(prisma('migrate', 'diff', '--from-config-datasource', ...target)).rejects.toMatchObject({ code: 2 });
  });

  test('are applied once by replicas that start together', async () => {
    const url = await freshDatabase(server!);
    const applied = await Promise.all([migrate(url), migrate(url), migrate(url)]);
    expect(applied.filter((names) => names.length > 0)).toHaveLength(1);
    expect(await migrate(url)).toEqual([]);
  });

  test('that fail are undone, and ones that were changed later are refused', async () => {
    const url = await freshDatabase(server!);
    write('1_first', 'create table a (n int);');
    write('2_second', 'create table b (n int); select nonsense;');
    await expect(migrate(url, folder)).rejects.toMatchObject({ code: 'migration-failed' });
    const tables = `select to_regclass('a') is not null as a, to_regclass('b') is not null as b`;
    expect(await query(url, tables)).toEqual([{ a: true, b: false }]);
    write('2_second', 'create table b (n int);');
    expect(await migrate(url, folder)).toEqual(['2_second']);
    write('1_first', 'create table c (n int);');
    await expect(migrate(url, folder)).rejects.toMatchObject({ code: 'migration-changed' });
  });

  test('of a newer version are left alone', async () => {
    const url = await freshDatabase(server!);
    await migrate(url);
    await query(
      url,
      `insert into _prisma_migrations (id, checksum, finished_at, migration_name) values ('x', 'y', now(), '99999999999999_later')`,
    );
    expect(await migrate(url)).toEqual([]);
  });
});
