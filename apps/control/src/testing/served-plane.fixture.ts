import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from './control-plane.fixture.js';

const PROGRAM = fileURLToPath(new URL('../../bin/warren.mjs', import.meta.url));
const START_TIMEOUT = 60_000;
const STOP_TIMEOUT = 20_000;

/** An answer of REST. */
export interface RestAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed where it was JSON. */
  readonly body: unknown;
}

/** A real `warren serve` process on an embedded database in a directory of its own; it may be killed and started again. */
export class ServedPlane {
  #child: ChildProcess | undefined;
  #output = '';
  #apiKey = '';

  private constructor(
    readonly dataDir: string,
    readonly http: string,
    readonly agents: string,
    private readonly args: readonly string[],
  ) {}

  static async start(args: readonly string[] = []): Promise<ServedPlane> {
    const [http, agents] = [await freePort(), await freePort()];
    const dataDir = mkdtempSync(join(tmpdir(), 'warren-served-'));
    const plane = new ServedPlane(dataDir, `127.0.0.1:${http}`, `127.0.0.1:${agents}`, args);
    try {
      await plane.serve();
      plane.#apiKey = /API key\s+(\S+)/.exec(plane.#output)![1]!;
      return plane;
    } catch (error) {
      await plane.remove();
      throw error;
    }
  }

  /** Of the API key that may do everything. */
  get apiKey(): string {
    return this.#apiKey;
  }
  /** All that it printed and logged since its last start. */
  get output(): string {
    return this.#output;
  }

  /** Starts it on the same ports and directory, and waits until hosts can join. */
  async serve(): Promise<void> {
    this.#output = '';
    const listen = [
      '--http',
      this.http,
      '--agents',
      this.agents,
      '--stun',
      '127.0.0.1:0',
      '--public-host',
      '127.0.0.1',
    ];
    const child = spawn(process.execPath, [PROGRAM, 'serve', '--data-dir', this.dataDir, ...listen, ...this.args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text;
      });
    }
    const ended = (): boolean => child.exitCode !== null || child.signalCode !== null;
    const ready = (): boolean => /agent join --token/.test(this.#output) || ended();
    await until(ready, `warren serve is ready; it said ${this.#output}`, START_TIMEOUT);
    if (ended()) throw new Error(`warren serve ended with ${child.exitCode}: ${this.#output}`);
  }

  /** kill -9 of the control plane alone: its database lives on. */
  async killControl(): Promise<void> {
    const child = this.#child!;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  /** kill -9 of every process of the database in our directory. @returns how many there were. */
  killDatabase(): number {
    const postmaster = this.#postmaster();
    if (postmaster === undefined) return 0;
    const pids = [postmaster, ...childrenOf(postmaster)];
    for (const pid of pids) kill(pid);
    return pids.length;
  }

  /** One call; `key`: its Idempotency-Key. @throws TypeError where there is nobody to answer. */
  async rest(method: string, path: string, body?: unknown, key?: string): Promise<RestAnswer> {
    const headers: Record<string, string> = { authorization: `Bearer ${this.apiKey}`, connection: 'close' };
    if (body !== undefined) headers['content-type'] = 'application/json';
    if (key !== undefined) headers['idempotency-key'] = key;
    const answer = await fetch(`http://${this.http}/api/v1${path}`, {
      ...{ method, headers, signal: AbortSignal.timeout(45_000) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    const isJson = /json/.test(answer.headers.get('content-type') ?? '');
    return { status: answer.status, headers: answer.headers, body: isJson ? JSON.parse(text) : text };
  }

  /** Every item of a list. */
  async all<T>(path: string): Promise<T[]> {
    const items: T[] = [];
    for (let cursor: string | null = null; ; ) {
      const query: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const { status, body } = await this.rest('GET', `${path}?limit=200${query}`);
      if (status !== 200) throw new Error(`GET ${path}: ${status} ${JSON.stringify(body)}`);
      const found = body as { items: T[]; nextCursor: string | null };
      items.push(...found.items);
      if (found.nextCursor === null) return items;
      cursor = found.nextCursor;
    }
  }

  /** SIGTERM. @returns the exit code. */
  async stop(): Promise<number | null> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return null;
    const exited = once(child, 'exit', { signal: AbortSignal.timeout(STOP_TIMEOUT) });
    child.kill('SIGTERM');
    return (await exited)[0] as number | null;
  }

  /** Ends whatever still runs and removes the directory. */
  async remove(): Promise<void> {
    await this.stop().catch(() => this.killControl());
    this.killDatabase();
    await until(() => this.#postmaster() === undefined, 'the database is gone', STOP_TIMEOUT);
    rmSync(this.dataDir, { recursive: true, force: true });
  }

  /** The living server of our own directory, by its own record. */
  #postmaster(): number | undefined {
    const home = join(this.dataDir, 'postgres');
    if (!existsSync(home)) return undefined;
    for (const version of readdirSync(home)) {
      const file = join(home, version, 'postmaster.pid');
      if (!existsSync(file)) continue;
      const pid = Number(readFileSync(file, 'utf8').split('\n')[0]);
      if (pid > 1 && read(`/proc/${pid}/cmdline`).includes(join(home, version))) return pid;
    }
    return undefined;
  }
}

const childrenOf = (parent: number): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter(
      (pid) =>
        read(`/proc/${pid}/stat`)
          .replace(/^.*\) /s, '')
          .split(' ')[1] === String(parent),
    );

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Nothing for a process that is gone. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, 'close');
  return port;
}
