import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { WarrenError } from '@warren/base';
import pg from 'pg';
import { type Connection, formatDatabaseUrl, pgConfig } from '../connection.js';
import { type Binaries, findBinaries } from './binaries.js';
import { type Cluster, dropSocketDirectory, openCluster, socketDirectory } from './cluster.js';
import { dropStalePidFile, serverPid, stopServer } from './process.js';
import type { Isolation } from './unprivileged.js';

/** Where the embedded server lives, and who hears of its fate. */
export interface EmbeddedOptions {
  /** Holds everything; made (0700) when it does not exist. */
  readonly dataDir: string;
  /** One line for people, when the server was started, taken over or lost. */
  readonly log?: (message: string) => void;
  /** How root runs the server; by default what the host allows. */
  readonly isolation?: Isolation;
}

/** A running PostgreSQL of ours, reachable through a unix socket in a closed directory with a random password. */
export interface Embedded {
  /** Holds the password: not for logs. */
  readonly url: string;
  /** It ran already: its owner was killed. */
  readonly adopted: boolean;
  readonly isolation: Isolation;
  pid(): number | undefined;
  /** Ends the server, everything written. */
  close(): Promise<void>;
}

const START_TIMEOUT = 30_000;
/** How long a living server may take to open its socket before we call it stuck. */
const SILENCE_TIMEOUT = 10_000;
/** How long the sessions of a killed owner may still hold the data dir. */
const OWNER_TIMEOUT = 2_000;
const RESTART_DELAY = 1_000;
const POLL = 15;
const LOG_LIMIT = 1024 * 1024;
/** Any number: the session that holds this advisory lock owns the data dir. It ends with its process, also by kill -9. */
const OWNER_LOCK = 72_707_370;
/** Another server runs, or has made its pid file a moment ago and not filled it yet. */
const LOCK_FILE_HELD = /lock file "postmaster\.pid" (already exists|is empty)/;
/** For a moment after a kill -9 the old server's processes still hold its shared memory. */
const SHARED_MEMORY_HELD = /pre-existing shared memory block/;

/**
 * Starts PostgreSQL on `dataDir`, or takes over the one that a killed owner left, and starts it again should it die.
 * @throws WarrenError `data-dir-in-use` when another process owns it, `embedded-start-failed` with the server's own
 * words, or as `openCluster` and `findBinaries`.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  const binaries = findBinaries();
  const cluster = await openCluster(options.dataDir, binaries, options.isolation);
  const supervisor = new Supervisor(cluster, binaries, options.log ?? (() => {}));
  const adopted = await supervisor.start();
  return {
    url: formatDatabaseUrl(supervisor.connection),
    adopted,
    isolation: cluster.runner.isolation,
    pid: () => serverPid(cluster.directory),
    close: () => supervisor.close(),
  };
}

class Supervisor {
  connection: Connection;
  #owner: pg.Client | undefined;
  #child: ChildProcess | undefined;
  /** Set when the program itself could not be started. */
  #unrunnable: WarrenError | undefined;
  #closing = false;
  #restarting: Promise<void> | undefined;

  constructor(
    readonly cluster: Cluster,
    readonly binaries: Binaries,
    readonly log: (message: string) => void,
  ) {
    const login = { user: 'postgres', password: cluster.password, database: 'postgres' };
    this.connection = { host: socketDirectory(cluster), port: 5432, ssl: false, ...login };
  }

  /** @returns whether the server ran before. */
  async start(): Promise<boolean> {
    const begun = Date.now();
    let started = false;
    for (const deadline = begun + START_TIMEOUT; Date.now() < deadline; await delay(POLL)) {
      const owner = await this.#connect();
      if (owner) {
        await this.#own(owner);
        const ms = Date.now() - begun;
        this.log(started ? `embedded PostgreSQL started in ${ms} ms` : 'embedded PostgreSQL taken over');
        return !started;
      }
      if (this.#closing) break;
      if (this.#child) {
        if (this.#unrunnable) throw this.#unrunnable;
        if (this.#child.exitCode !== null || this.#child.signalCode !== null) await this.#explainExit();
      } else if (serverPid(this.cluster.directory) === undefined) {
        dropStalePidFile(this.cluster.directory);
        this.#spawn();
        started = true;
      } else if (Date.now() - begun > SILENCE_TIMEOUT) this.#giveUpOnSilence();
    }
    throw new WarrenError('embedded-start-failed', `embedded PostgreSQL does not answer: ${this.#lastWords()}`);
  }

  async close(): Promise<void> {
    this.#closing = true;
    await this.#restarting;
    const owner = this.#owner;
    const pid = serverPid(this.cluster.directory);
    if (pid !== undefined) await stopServer(pid, this.cluster.directory);
    this.#owner = undefined;
    await owner?.end();
    dropSocketDirectory(this.cluster);
  }

  /** A session with the server of this very data directory; undefined while it is not up. */
  async #connect(): Promise<pg.Client | undefined> {
    const client = new pg.Client({ ...pgConfig(this.connection), keepAlive: true });
    client.on('error', () => this.#lost(client));
    client.on('end', () => this.#lost(client));
    try {
      await client.connect();
      const { rows } = await client.query<{ setting: string }>('select current_setting($1) as setting', [
        'data_directory',
      ]);
      if (rows[0]?.setting === this.cluster.directory) return client;
    } catch (error) {
      const { code } = error as { code?: string };
      await client.end();
      if (code !== '28P01') return undefined; // not there, or still starting (57P03)
      const text = `the PostgreSQL server on ${this.connection.host} does not know our password: stop it and start again`;
      throw new WarrenError('embedded-start-failed', text, { cause: error });
    }
    await client.end();
    const text = `the PostgreSQL server on ${this.connection.host} works on another data directory: stop it and start again`;
    throw new WarrenError('embedded-start-failed', text);
  }

  /** Takes the lock that makes us the owner. */
  async #own(client: pg.Client): Promise<void> {
    for (const deadline = Date.now() + OWNER_TIMEOUT; ; await delay(POLL)) {
      const { rows } = await client.query<{ held: boolean }>('select pg_try_advisory_lock($1) as held', [OWNER_LOCK]);
      if (rows[0]?.held) break;
      if (Date.now() < deadline) continue;
      await client.end();
      const text = `another process uses the data dir ${join(this.cluster.home, '..')}: stop it, or choose another with --data-dir`;
      throw new WarrenError('data-dir-in-use', text);
    }
    this.#owner = client;
  }

  /** The owner's session ended: the server died or was stopped by somebody else. */
  #lost(client: pg.Client): void {
    if (client !== this.#owner || this.#closing) return;
    this.#owner = undefined;
    this.#child = undefined;
    this.log(`embedded PostgreSQL went away: ${this.#lastWords()}; starting it again`);
    this.#restarting = this.#restart();
  }

  async #restart(): Promise<void> {
    while (!this.#closing) {
      try {
        await this.start();
        return;
      } catch (error) {
        this.log(`embedded PostgreSQL could not be started again: ${(error as Error).message}`);
        this.#child = undefined;
        await delay(RESTART_DELAY);
      }
    }
  }

  #spawn(): void {
    const { directory, home, runner } = this.cluster;
    const settings = [
      'listen_addresses=',
      `unix_socket_directories="${this.connection.host.replaceAll('"', '""')}"`,
      'unix_socket_permissions=0700',
      'max_connections=100',
      'log_line_prefix=%m [%p] ',
      'cluster_name=warren',
    ];
    const { command, args, ...identity } = runner.wrap(this.binaries.postgres, [
      ...['-D', directory, '-p', '5432'],
      ...settings.flatMap((setting) => ['-c', setting]),
    ]);
    // A file and not a pipe: the server outlives a killed owner, and its words do too.
    const log = openLog(join(home, 'postgres.log'));
    try {
      // Detached: Ctrl-C in a terminal goes to our whole process group, and we stop it ourselves, last.
      const child = spawn(command, args, { ...identity, cwd: home, stdio: ['ignore', log, log], detached: true });
      child.on('error', (error) => {
        const text = `embedded PostgreSQL cannot be run: ${error.message}`;
        this.#unrunnable = new WarrenError('embedded-start-failed', text, { cause: error });
      });
      child.unref();
      this.#child = child;
    } finally {
      closeSync(log);
    }
  }

  /** Forgets a server that ended for a passing reason; @throws its last words otherwise. */
  async #explainExit(): Promise<void> {
    const words = this.#lastWords(20);
    if (!LOCK_FILE_HELD.test(words) && !SHARED_MEMORY_HELD.test(words)) {
      throw new WarrenError('embedded-start-failed', `embedded PostgreSQL did not start: ${this.#lastWords()}`);
    }
    this.#child = undefined;
    await delay(50);
  }

  #giveUpOnSilence(): never {
    const pid = serverPid(this.cluster.directory);
    const text = `a PostgreSQL server (pid ${pid}) runs on the data dir but does not answer: stop it (kill -INT ${pid}) and start again`;
    throw new WarrenError('embedded-start-failed', text);
  }

  /** The end of the server's log, on one line. */
  #lastWords(lines = 2): string {
    const text = readFileSync(join(this.cluster.home, 'postgres.log'), { encoding: 'utf8', flag: 'a+' });
    return text.trim().split('\n').slice(-lines).join(' | ') || 'its log is empty';
  }
}

/** Opens for appending; a log that has grown large is kept once as `.old`. */
function openLog(file: string): number {
  const fd = openSync(file, 'a', 0o600);
  if (statSync(file).size < LOG_LIMIT) return fd;
  closeSync(fd);
  renameSync(file, `${file}.old`);
  return openSync(file, 'a', 0o600);
}
