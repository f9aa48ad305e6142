import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { WarrenError } from '@warren/base';
import { meshProgram } from '@warren/netlab';
import type { Comparison } from '../benchmark.js';
import { residentMegabytes } from '../dataplane/tunnel.js';
import { median, quantile } from '../statistics.js';
import type { StormOptions, StormResult } from './storm-options.js';

/** Run without its wrapper, so that Node's own options can be given to it. */
const WARREN = fileURLToPath(new URL('../../../apps/control/bin/warren.mjs', import.meta.url));
const CLIENT = fileURLToPath(new URL('./client.js', import.meta.url));
const JOINS = 1_000;
const CLIENTS = 2;
/** Joins under way at the same time in each client process: a crowd, and no more than the database has patience for. */
const PARALLEL = 16;
const START_TIMEOUT_MS = 60_000;
/** A control plane that cannot do a hundred joins in this time has been told to do something else. */
const RUN_TIMEOUT_MS = 600_000;

interface Variant {
  readonly name: string;
  readonly follow: boolean;
}

const VARIANTS: readonly Variant[] = [
  { name: 'joins alone', follow: false },
  { name: 'each stays connected', follow: true },
];

interface Figures {
  readonly joins: number;
  readonly errors: Readonly<Record<string, number>>;
  readonly broken: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of the call `Join` alone. */
  readonly callP50Ms: number;
  readonly callP99Ms: number;
  readonly controlCpuSeconds: number;
  readonly databaseCpuSeconds: number;
  readonly controlMegabytes: number;
}

/** A thousand hosts that join one network at once, as after a roll-out. */
export const joinStorm: Comparison = {
  name: 'join-storm',
  title: `${JOINS} joins as fast as they go, TLS and all, against a control plane on its embedded database`,
  defaultRuns: 3,
  async compare(rounds, onLine) {
    const rows = VARIANTS.map((variant) => ({ variant: variant.name, rounds: [] as Figures[] }));
    for (let round = 1; round <= rounds; round++) {
      for (const [index, variant] of VARIANTS.entries()) {
        const figures = await measure(variant);
        rows[index]!.rounds.push(figures);
        onLine(`round ${round} of ${rounds}: ${variant.name}: ${figures.perSecond.toFixed(0)} joins/s`);
      }
    }
    return { table: render(rows), figures: { joins: JOINS, clients: CLIENTS, parallel: PARALLEL, rows } };
  },
};

async function measure(variant: Variant): Promise<Figures> {
  const dataDir = mkdtempSync(join(tmpdir(), 'warren-bench-storm-'));
  const children: ChildProcess[] = [];
  try {
    const control = await startControl(dataDir);
    children.push(control);
    const warren = async (...args: string[]): Promise<string> => {
      const env = { ...process.env, WARREN_DATA_DIR: dataDir };
      return (await promisify(execFile)(meshProgram('warren'), args, { env })).stdout.trim();
    };
    const token = await warren('token', 'create', '--uses', String(JOINS));
    const { id: network } = JSON.parse(await warren('network', 'show', 'default', '--json')) as { id: string };
    const clients = Array.from({ length: CLIENTS }, (_, i) =>
      startClient({
        ...{ token, network, follow: variant.follow, prefix: `host-${i}-` },
        ...{ joins: JOINS / CLIENTS, parallel: PARALLEL },
      }),
    );
    children.push(...clients.map(({ child }) => child));
    for (const client of clients) await client.line(/^ready$/m, START_TIMEOUT_MS);
    const pids = { control: control.pid!, database: postmasterPid(dataDir) };
    const before = { control: treeSeconds(pids.control, false), database: treeSeconds(pids.database, true) };
    for (const { child } of clients) child.stdin!.write('go\n');
    const results = await Promise.all(
      clients.map(async (client) => {
        const [, json] = await client.line(/^result (.*)$/m, RUN_TIMEOUT_MS);
        return JSON.parse(json!) as StormResult;
      }),
    );
    const figures = {
      ...figuresOf(results),
      controlCpuSeconds: treeSeconds(pids.control, false) - before.control,
      databaseCpuSeconds: treeSeconds(pids.database, true) - before.database,
      controlMegabytes: residentMegabytes([pids.control]),
    };
    for (const { child } of clients) child.stdin!.write('done\n');
    return figures;
  } finally {
    for (const child of children.reverse()) await stop(child);
    rmSync(dataDir, { recursive: true, force: true });
  }
}

function figuresOf(results: readonly StormResult[]): Omit<Figures, `${string}Seconds` | 'controlMegabytes'> {
  const joined = results.flatMap((result) => result.joined);
  const called = results.flatMap((result) => result.called);
  const errors: Record<string, number> = {};
  for (const result of results) {
    for (const [code, count] of Object.entries(result.errors)) errors[code] = (errors[code] ?? 0) + count;
  }
  const seconds =
    (Math.max(...results.map(({ ended }) => ended)) - Math.min(...results.map(({ began }) => began))) / 1e3;
  return {
    joins: joined.length,
    errors,
    broken: results.reduce((sum, { broken }) => sum + broken, 0),
    perSecond: joined.length / seconds,
    p50Ms: quantile(joined, 0.5),
    p99Ms: quantile(joined, 0.99),
    callP50Ms: quantile(called, 0.5),
    callP99Ms: quantile(called, 0.99),
  };
}

async function startControl(dataDir: string): Promise<ChildProcess> {
  // With a folder in WARREN_BENCH_PROFILE the control plane leaves its CPU profile there when it stops.
  const folder = process.env.WARREN_BENCH_PROFILE;
  const options = folder ? ['--cpu-prof', `--cpu-prof-dir=${folder}`] : [];
  const listen = ['--http', '127.0.0.1:0', '--agents', '127.0.0.1:0', '--stun', '127.0.0.1:0'];
  const serve = ['serve', '--data-dir', dataDir, ...listen, '--public-host', '127.0.0.1', '--log-level', 'warn'];
  const started = follow(
    spawn(process.execPath, [...options, WARREN, ...serve], { stdio: ['ignore', 'pipe', 'inherit'] }),
  );
  await started.line(/agent join --token/, START_TIMEOUT_MS);
  return started.child;
}

const startClient = (options: StormOptions): Running =>
  follow(spawn(process.execPath, [CLIENT, JSON.stringify(options)], { stdio: ['pipe', 'pipe', 'inherit'] }));

interface Running {
  readonly child: ChildProcess;
  /** Waits for output that matches. @throws WarrenError `bench-failed`. */
  line(pattern: RegExp, timeoutMs: number): Promise<RegExpExecArray>;
}

/** Reads along what a process prints. */
function follow(child: ChildProcess): Running {
  let text = '';
  child.stdout!.setEncoding('utf8').on('data', (part: string) => {
    text += part;
    child.emit('printed');
  });
  return {
    child,
    async line(pattern, timeoutMs) {
      const signal = AbortSignal.timeout(timeoutMs);
      for (;;) {
        const found = pattern.exec(text);
        if (found) return found;
        if (child.exitCode !== null) throw new WarrenError('bench-failed', `a process ended: ${text.slice(-500)}`);
        await Promise.race([once(child, 'printed', { signal }), once(child, 'exit', { signal })]);
      }
    },
  };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}

/** Recorded by PostgreSQL itself. */
function postmasterPid(dataDir: string): number {
  const home = join(dataDir, 'postgres');
  const file = readdirSync(home, { recursive: true, encoding: 'utf8' }).find((name) => name.endsWith('postmaster.pid'));
  return Number(readFileSync(join(home, file!), 'utf8').split('\n')[0]);
}

/** Clock ticks a second of /proc/PID/stat: 100 on every Linux that Node runs on. */
const TICKS = 100;

/** User and system time of a process; with its children, those that ended and those that run. */
function treeSeconds(pid: number, withChildren: boolean): number {
  const own = ticksOf(pid);
  if (!withChildren) return own.self / TICKS;
  const children = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && parentOf(Number(name)) === pid);
  return children.reduce((sum, child) => sum + ticksOf(Number(child)).self, own.self + own.reaped) / TICKS;
}

function ticksOf(pid: number): { self: number; reaped: number } {
  const fields = statFields(pid).map(Number);
  return { self: (fields[11] ?? 0) + (fields[12] ?? 0), reaped: (fields[13] ?? 0) + (fields[14] ?? 0) };
}

const parentOf = (pid: number): number => Number(statFields(pid)[1]);

function statFields(pid: number): string[] {
  try {
    // The name in brackets may hold anything; fields count from behind it.
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
  } catch {
    return []; // it ended meanwhile
  }
}

const COLUMNS: readonly {
  readonly key: Exclude<keyof Figures, 'errors'>;
  readonly title: string;
  readonly digits: number;
}[] = [
  { key: 'joins', title: 'joined', digits: 0 },
  { key: 'perSecond', title: 'joins/s', digits: 1 },
  { key: 'p50Ms', title: 'p50 ms', digits: 0 },
  { key: 'p99Ms', title: 'p99 ms', digits: 0 },
  { key: 'callP50Ms', title: 'Join p50', digits: 0 },
  { key: 'callP99Ms', title: 'Join p99', digits: 0 },
  { key: 'controlCpuSeconds', title: 'control CPU s', digits: 1 },
  { key: 'databaseCpuSeconds', title: 'database CPU s', digits: 1 },
  { key: 'controlMegabytes', title: 'control MB', digits: 0 },
  { key: 'broken', title: 'broken', digits: 0 },
];

function render(rows: readonly { variant: string; rounds: readonly Figures[] }[]): string {
  const line = (name: string, cells: readonly string[]): string =>
    name.padEnd(24) + cells.map((cell) => cell.padStart(15)).join('');
  const titles = COLUMNS.map(({ title }) => title);
  const lines = rows.map(({ variant, rounds }) =>
    line(
      variant,
      COLUMNS.map(({ key, digits }) => median(rounds.map((figures) => figures[key])).toFixed(digits)),
    ),
  );
  const errors = rows.flatMap(({ rounds }) => rounds.flatMap((figures) => Object.entries(figures.errors)));
  const said = errors.length === 0 ? 'errors: none' : `errors: ${errors.map(([code, n]) => `${n} ${code}`).join(', ')}`;
  return [line('median of rounds', titles), ...lines, said].join('\n');
}
