import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkDatabase, formatDatabaseUrl, parseDatabaseUrl } from './connection.js';
import { openDatabase } from './open-database.js';
import { externalServer, type TestServer, temporaryDirectory } from './testing/servers.js';

describe('a database URL', () => {
  test('is read with host, socket, escapes and TLS', () => {
    expect(parseDatabaseUrl('postgres://u%40x:p%2F@[::1]:5433/db')).toEqual({
      ...{ host: '::1', port: 5433, user: 'u@x', password: 'p/', database: 'db', ssl: false },
    });
    expect(parseDatabaseUrl('postgresql://u:p@/db?host=/run/pg')).toMatchObject({ host: '/run/pg', port: 5432 });
    const ssl = (mode: string) => parseDatabaseUrl(`postgresql://h/db?sslmode=${mode}`).ssl;
    expect([ssl('disable'), ssl('require'), ssl('verify-full')]).toEqual([
      false,
      { rejectUnauthorized: false },
      { rejectUnauthorized: true },
    ]);
  });

  test('survives being written and read again', () => {
    for (const host of ['db.example', '127.0.0.1', '/run/with space,and:more', '::1']) {
      const connection = { host, port: 6000, user: 'a b', password: 'p:@/?', database: 'd#1' };
      expect(parseDatabaseUrl(formatDatabaseUrl(connection))).toEqual({ ...connection, ssl: false });
    }
  });

  test.each(['', 'mysql://h/db', 'postgresql://h', 'nonsense', 'postgresql://h/db?sslmode=maybe', 'postgresql://h/%'])(
    'that cannot be used is refused: %s',
    (text) => {
      expect(() => parseDatabaseUrl(text)).toThrow(expect.objectContaining({ code: 'database-url-invalid' }));
    },
  );
});

describe('a database that cannot be used is told from one that can', () => {
  let server: TestServer | undefined;
  let dataDir = '';
  beforeAll(async () => {
    server = await externalServer();
    dataDir = temporaryDirectory();
  });
  afterAll(async () => {
    await server?.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  test('by a code, and a line without the password', async () => {
    const good = parseDatabaseUrl(server!.url);
    const refused = async (change: Partial<typeof good>) => {
      const error = await checkDatabase({ ...good, ...change }).then(
        () => undefined,
        (thrown: Error & { code: string }) => thrown,
      );
      expect(error?.message).not.toContain(good.password);
      expect(error?.message).not.toMatch(/\n/);
      return error?.code;
    };
    expect(await refused({ password: 'wrong' })).toBe('database-login-failed');
    expect(await refused({ database: 'nothing' })).toBe('database-missing');
    expect(await refused({ port: 1 })).toBe('database-unreachable');
    expect(await refused({ host: 'nowhere.invalid' })).toBe('database-unreachable');
    expect(await refused({ host: '/nowhere' })).toBe('database-unreachable');
    await checkDatabase(good);
  });

  test('and opened either way by the same call', async () => {
    const external = await openDatabase({ dataDir, databaseUrl: server!.url });
    expect(external).toMatchObject({ url: server!.url, embedded: false });
    await external.close();
    await checkDatabase(parseDatabaseUrl(server!.url));
    const embedded = await openDatabase({ dataDir });
    expect(embedded.embedded).toBe(true);
    await checkDatabase(parseDatabaseUrl(embedded.url));
    await embedded.close();
    await expect(checkDatabase(parseDatabaseUrl(embedded.url))).rejects.toMatchObject({ code: 'database-unreachable' });
  });
});
