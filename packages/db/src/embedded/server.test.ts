import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { formatDatabaseUrl, parseDatabaseUrl } from '../connection.js';
import { query, temporaryDirectory, until } from '../testing/servers.js';
import { type Embedded, type EmbeddedOptions, startEmbedded } from './server.js';
import { NOBODY } from './unprivileged.js';

const root = process.getuid?.() === 0;
const packageRoot = fileURLToPath(new URL('../..', import.meta.url));
const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A data dir, spaces and all, that goes away with the test. */
function dataDirectory(name = 'data dir "1"'): string {
  const home = temporaryDirectory();
  cleanups.push(() => rmSync(home, { recursive: true, force: true }));
  return join(home, name);
}

async function start(dataDir: string, options: Partial<EmbeddedOptions> = {}): Promise<Embedded> {
  const server = await startEmbedded({ dataDir, ...options });
  cleanups.push(() => server.close());
  return server;
}

const clusterOf = (dataDir: string): string => join(dataDir, 'postgres/18');

describe('the embedded PostgreSQL', () => {
  test('starts on a closed socket with a password of its own, durable and checksummed, and stops cleanly', async () => {
    const dataDir = dataDirectory();
    const server = await start(dataDir);
    expect(server.adopted).toBe(false);
    const settings = [
      'listen_addresses',
      'fsync',
      'data_checksums',
      'lc_collate',
      'server_encoding',
      'password_encryption',
    ];
    const rows = await query<{ value: string }>(
      server.url,
      `select coalesce(current_setting(name, true), (select datcollate from pg_database where datname = current_database())) as value
       from unnest($1::text[]) with ordinality as s(name, n) order by n`,
      [settings],
    );
    expect(rows.map(({ value }) => value)).toEqual(['', 'on', 'on', 'C', 'UTF8', 'scram-sha-256']);
    const wrong = formatDatabaseUrl({ ...parseDatabaseUrl(server.url), password: 'postgres' });
    await expect(query(wrong, 'select 1')).rejects.toMatchObject({ code: '28P01' });
    for (const path of [dataDir, join(dataDir, 'postgres'), clusterOf(dataDir)])
      expect(statSync(path).mode & 0o77).toBe(0);
    expect(statSync(join(clusterOf(dataDir), 'warren-password')).mode & 0o777).toBe(0o600);
    await server.close();
    expect(server.pid()).toBeUndefined();
    expect(readFileSync(join(dataDir, 'postgres/postgres.log'), 'utf8')).toContain('database system is shut down');
    expect(existsSync(join(clusterOf(dataDir), 'postmaster.pid'))).toBe(false);
  });

  test('is not shared by two owners', async () => {
    const dataDir = dataDirectory();
    await start(dataDir);
    await expect(startEmbedded({ dataDir })).rejects.toMatchObject({ code: 'data-dir-in-use' });
  });

  test('of two that begin at once in a new data dir, one gets it', async () => {
    const dataDir = dataDirectory();
    const both = await Promise.allSettled([startEmbedded({ dataDir }), startEmbedded({ dataDir })]);
    for (const one of both) if (one.status === 'fulfilled') cleanups.push(() => one.value.close());
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(both.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'data-dir-in-use' } });
    expect(readdirSync(join(dataDir, 'postgres')).filter((name) => name.includes('new'))).toEqual([]);
  });

  test('whose owner was killed is taken over, with what it holds', async () => {
    const dataDir = dataDirectory();
    const { owner, url } = await ownerProcess(dataDir);
    await query(url, 'create table kept (n int)');
    const before = readPid(dataDir);
    await kill(owner);
    const server = await start(dataDir);
    expect(server.adopted).toBe(true);
    expect(server.pid()).toBe(before);
    expect(await query(server.url, 'select count(*)::int as n from kept')).toEqual([{ n: 0 }]);
  });

  test('starts again after kill -9 of owner and server, with everything that was committed', async () => {
    const dataDir = dataDirectory();
    const { owner, url } = await ownerProcess(dataDir);
    await query(url, 'create table kept (n int)');
    let committed = 0;
    const writing = (async () => {
      for (;;) {
        await query(url, 'insert into kept values ($1)', [committed + 1]);
        committed++;
      }
    })();
    writing.catch(() => {}); // it ends with its server
    await until(() => committed > 10);
    process.kill(owner.pid!, 'SIGKILL');
    process.kill(readPid(dataDir), 'SIGKILL');
    await expect(writing).rejects.toThrow();
    const server = await start(dataDir);
    expect(server.adopted).toBe(false);
    const [row] = await query<{ n: number }>(server.url, 'select count(*)::int as n from kept');
    expect([committed, committed + 1]).toContain(row?.n);
  });

  test('that dies while it is owned is started again', async () => {
    const dataDir = dataDirectory();
    const said: string[] = [];
    const server = await start(dataDir, { log: (message) => said.push(message) });
    const before = server.pid()!;
    process.kill(before, 'SIGKILL');
    await until(async () => server.pid() !== before && (await query(server.url, 'select 1')).length === 1);
    await until(() => said.length === 3);
    expect(said[1]).toContain('went away');
    await expect(startEmbedded({ dataDir })).rejects.toMatchObject({ code: 'data-dir-in-use' });
  });

  test('starts though postmaster.pid names a living process of somebody else', async () => {
    const dataDir = dataDirectory();
    await (await start(dataDir)).close();
    writeFileSync(join(clusterOf(dataDir), 'postmaster.pid'), `${process.pid}\n${clusterOf(dataDir)}\n`);
    const server = await start(dataDir);
    expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  test('starts though postmaster.pid is empty, as a power cut or a server that starts just now leaves it', async () => {
    const dataDir = dataDirectory();
    await (await start(dataDir)).close();
    writeFileSync(join(clusterOf(dataDir), 'postmaster.pid'), '');
    chownSync(join(clusterOf(dataDir), 'postmaster.pid'), ...ids(clusterOf(dataDir)));
    const server = await start(dataDir);
    expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  test('works in a data dir whose path is too long for a socket', async () => {
    const dataDir = dataDirectory('long-'.repeat(30));
    const server = await start(dataDir);
    const { host } = parseDatabaseUrl(server.url);
    expect(host).toMatch(/^\/tmp\/warren-postgres-/);
    expect(statSync(host).mode & 0o777).toBe(0o700);
    expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    await server.close();
    expect(existsSync(host)).toBe(false);
  });

  test('says in its own words why it cannot start, and what is wrong with a data dir', async () => {
    const dataDir = dataDirectory();
    await (await start(dataDir)).close();
    writeFileSync(join(clusterOf(dataDir), 'postgresql.conf'), 'nonsense = on\n');
    await expect(startEmbedded({ dataDir })).rejects.toMatchObject({
      ...{ code: 'embedded-start-failed', message: expect.stringContaining('nonsense') },
    });
    const file = join(dataDir, 'file');
    writeFileSync(file, '');
    await expect(startEmbedded({ dataDir: join(file, 'x') })).rejects.toMatchObject({ code: 'data-dir-unusable' });
    rmSync(join(clusterOf(dataDir), 'warren-password'));
    await expect(startEmbedded({ dataDir })).rejects.toMatchObject({ code: 'embedded-password-missing' });
  });

  test.runIf(root)(
    'runs for root in a user namespace, and as nobody where there are none, on the same files',
    async () => {
      const dataDir = dataDirectory();
      const first = await start(dataDir, { isolation: 'user-namespace' });
      expect(first.isolation).toBe('user-namespace');
      await query(first.url, 'create table kept (n int)');
      await first.close();
      const second = await start(dataDir, { isolation: 'setuid' });
      expect(second.isolation).toBe('setuid');
      expect(ownerOf(second.pid()!)).toBe(NOBODY);
      await query(second.url, 'insert into kept values (1)');
      await second.close();
      const third = await start(dataDir);
      expect(await query(third.url, 'select n from kept')).toEqual([{ n: 1 }]);
    },
  );

  test.runIf(root && open(packageRoot))('runs for an ordinary user, who cannot use a data dir of root', async () => {
    const dataDir = dataDirectory();
    chmodSync(dirname(dataDir), 0o755);
    mkdirSync(dataDir, { mode: 0o700 });
    chownSync(dataDir, NOBODY, NOBODY);
    const { owner, url } = await ownerProcess(dataDir, NOBODY);
    expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }]);
    const pid = readPid(dataDir);
    expect(ownerOf(pid)).toBe(NOBODY);
    owner.kill('SIGTERM');
    await until(() => !existsSync(join(clusterOf(dataDir), 'postmaster.pid')));
    const foreign = dataDirectory();
    chmodSync(dirname(foreign), 0o755);
    await (await start(foreign)).close();
    await expect(ownerProcess(foreign, NOBODY)).rejects.toThrow(/data-dir-unusable|data-dir-foreign/);
  });
});

test.runIf(root && open(packageRoot))('the embedded PostgreSQL runs for a user without a name', async () => {
  const uid = 54_321;
  const dataDir = dataDirectory();
  chmodSync(dirname(dataDir), 0o755);
  mkdirSync(dataDir, { mode: 0o700 });
  chownSync(dataDir, uid, uid);
  const { url } = await ownerProcess(dataDir, uid);
  expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }]);
  expect(statSync(clusterOf(dataDir)).uid).toBe(uid);
  // Left behind by its owner, it is taken over by root, who stops it.
  for (const cleanup of cleanups.splice(1).reverse()) await cleanup();
  expect((await start(dataDir)).adopted).toBe(true);
});

/** A process of its own that holds the server until it is ended. */
async function ownerProcess(dataDir: string, uid?: number): Promise<{ owner: ChildProcess; url: string }> {
  const script = `
    import { startEmbedded } from '@warren/db';
    try {
      const server = await startEmbedded({ dataDir: process.argv[1] });
      process.on('SIGTERM', () => server.close().then(() => process.exit(0)));
      setInterval(() => {}, 60_000);
      console.log(server.url);
    } catch (error) {
      console.log(error.code ?? error);
    }`;
  const owner = spawn(process.execPath, ['--input-type=module', '-e', script, dataDir], {
    cwd: packageRoot,
    stdio: ['ignore', 'pipe', 'inherit'],
    ...(uid !== undefined && { uid, gid: uid }),
  });
  cleanups.push(() => kill(owner));
  let said = '';
  owner.stdout!.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  await until(() => said.includes('\n'));
  const url = said.trim();
  if (!url.startsWith('postgresql:')) throw new Error(url);
  return { owner, url };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await exited;
}

const readPid = (dataDir: string): number =>
  Number(readFileSync(join(clusterOf(dataDir), 'postmaster.pid'), 'utf8').split('\n')[0]);

const ownerOf = (pid: number): number =>
  Number(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);

function ids(path: string): [number, number] {
  const { uid, gid } = statSync(path);
  return [uid, gid];
}

/** Whether everybody may read what is below a directory. */
function open(path: string): boolean {
  for (let at = path; at !== dirname(at); at = dirname(at)) if ((statSync(at).mode & 0o5) !== 0o5) return false;
  return true;
}
