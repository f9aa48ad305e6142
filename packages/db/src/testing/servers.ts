import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import { formatDatabaseUrl, makeClient, parseDatabaseUrl } from '../connection.js';
import { findBinaries } from '../embedded/binaries.js';
import { startEmbedded } from '../embedded/server.js';
import { chooseRunner } from '../embedded/unprivileged.js';

/** A PostgreSQL server for one test file; `close` removes everything. */
export interface TestServer {
  readonly url: string;
  close(): Promise<void>;
}

/** The caller removes it. */
export const temporaryDirectory = (): string => mkdtempSync(join(tmpdir(), 'warren-db-test-'));

/** The server that users get without `DATABASE_URL`. */
export async function embeddedServer(): Promise<TestServer> {
  const dataDir = temporaryDirectory();
  const server = await startEmbedded({ dataDir });
  return {
    url: server.url,
    close: async () => {
      await server.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** One that nobody supervises, reached by TCP, as an operator's own would be. */
export async function externalServer(): Promise<TestServer> {
  const { initdb, postgres } = findBinaries();
  const home = temporaryDirectory();
  const runner = chooseRunner(undefined);
  if (runner.uid !== undefined) chownSync(home, runner.uid, runner.uid);
  const password = randomBytes(16).toString('hex');
  const passwordFile = join(home, 'password');
  writeFileSync(passwordFile, password, { mode: 0o644 });
  const data = join(home, 'data');
  const init = runner.wrap(initdb, [
    '-D',
    data,
    '-U',
    'warren',
    '-A',
    'scram-sha-256',
    `--pwfile=${passwordFile}`,
    '-N',
  ]);
  execFileSync(init.command, init.args, { stdio: 'ignore' });
  const port = await freePort();
  const settings = ['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories=', '-c', 'max_connections=200'];
  const run = runner.wrap(postgres, ['-D', data, '-p', String(port), ...settings]);
  const child = spawn(run.command, run.args, { stdio: 'ignore' });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const url = formatDatabaseUrl({ host: '127.0.0.1', port, user: 'warren', password, database: 'postgres' });
  await until(() => query(url, 'select 1'));
  return {
    url,
    close: async () => {
      child.kill('SIGINT');
      await exited;
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** A new, empty database on a server. */
export async function freshDatabase(server: TestServer): Promise<string> {
  const database = `test_${randomBytes(6).toString('hex')}`;
  await query(server.url, `create database ${database}`);
  return formatDatabaseUrl({ ...parseDatabaseUrl(server.url), database });
}

/** One statement on a connection of its own. */
export async function query<T extends pg.QueryResultRow>(
  url: string,
  text: string,
  values: unknown[] = [],
): Promise<T[]> {
  const client = makeClient(parseDatabaseUrl(url));
  try {
    await client.connect();
    return (await client.query<T>(text, values)).rows;
  } finally {
    await client.end();
  }
}

/** Waits until `attempt` neither throws nor gives false. */
export async function until<T>(attempt: () => T | Promise<T>, timeout = 15_000): Promise<T> {
  for (const deadline = Date.now() + timeout; ; await new Promise((resolve) => setTimeout(resolve, 10))) {
    try {
      const value = await attempt();
      if (value !== false) return value;
      if (Date.now() > deadline) throw new Error(`still false after ${timeout} ms`);
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => probe.once('listening', resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
