import type { ChildProcessByStdio } from 'node:child_process';
import type { Readable } from 'node:stream';
import { WarrenError } from '@warren/base';
import { signalProcess } from './processes.js';

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Characters of each stream that are kept for `stdout` and `stderr`; a demo may run for days. */
const KEPT = 4 << 20;
/** How long after a program's end its pipes may stay open before it counts as ended all the same. */
const PIPE_GRACE_MS = 200;

/** A program that runs on a host of the lab. Its world ends it, if nobody has before. */
export class HostProcess {
  readonly pid: number;
  /** Resolves when the program has ended and all that it printed has been read; a child of it may print on. */
  readonly exit: Promise<Exit>;
  private ended: Exit | undefined;
  private readonly kept = { stdout: '', stderr: '' };
  private readonly watchers = new Set<() => void>();

  constructor(
    /** What was started, for messages. */
    readonly title: string,
    child: ChildProcessByStdio<null, Readable, Readable>,
    onOutput: (text: string) => void,
  ) {
    if (child.pid === undefined) throw new WarrenError('spawn-failed', `${title} could not be started`);
    this.pid = child.pid;
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        this.kept[name] = (this.kept[name] + text).slice(-KEPT);
        onOutput(text);
        this.wake();
      });
    }
    this.exit = new Promise((resolve) => {
      const end = (code: number | null, signal: NodeJS.Signals | null): void => {
        this.ended ??= { code, signal };
        resolve(this.ended);
        this.wake();
      };
      child.on('close', end);
      // A child that the program left behind holds the pipes: `close` would wait for it.
      child.on('exit', (code, signal) => setTimeout(end, PIPE_GRACE_MS, code, signal));
    });
  }

  get stdout(): string {
    return this.kept.stdout;
  }

  get stderr(): string {
    return this.kept.stderr;
  }

  get running(): boolean {
    return this.ended === undefined;
  }

  /** Sends a signal; nothing happens when the program has ended. */
  kill(signal: NodeJS.Signals): void {
    if (this.running) signalProcess(this.pid, signal);
  }

  /** Asks the program to end, kills it after `graceMs`, and waits until it has ended. */
  async stop(graceMs = 5_000): Promise<Exit> {
    this.kill('SIGTERM');
    const timer = setTimeout(() => this.kill('SIGKILL'), graceMs);
    try {
      return await this.exit;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Waits for the end. @throws WarrenError `timeout` with the last of what the program said. */
  async waitForExit(timeoutMs: number): Promise<Exit> {
    await this.waitUntil(() => !this.running, timeoutMs, 'to end');
    return this.exit;
  }

  /**
   * Waits until the program has printed a match of `pattern` on either stream.
   * @throws WarrenError `timeout`, or `exited` when it ended without, with the last of what it said.
   */
  async waitForOutput(pattern: RegExp, timeoutMs: number): Promise<RegExpExecArray> {
    const match = (): RegExpExecArray | null => pattern.exec(this.kept.stdout) ?? pattern.exec(this.kept.stderr);
    await this.waitUntil(() => match() !== null || !this.running, timeoutMs, `to print ${pattern}`);
    const found = match();
    if (!found) throw new WarrenError('exited', `${this.title} ended without printing ${pattern}: ${this.lastWords()}`);
    return found;
  }

  private waitUntil(condition: () => boolean, timeoutMs: number, what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (error?: Error): void => {
        clearTimeout(timer);
        this.watchers.delete(check);
        if (error) reject(error);
        else resolve();
      };
      const check = (): void => {
        if (condition()) settle();
      };
      const timer = setTimeout(() => {
        const message = `${this.title}: waited ${timeoutMs} ms for it ${what}: ${this.lastWords()}`;
        settle(new WarrenError('timeout', message));
      }, timeoutMs);
      this.watchers.add(check);
      check();
    });
  }

  private wake(): void {
    for (const watcher of [...this.watchers]) watcher();
  }

  /** The end of what it printed, for messages. */
  lastWords(): string {
    const words = (this.kept.stderr + this.kept.stdout).trim();
    return words === '' ? 'it printed nothing' : words.slice(-2_000);
  }
}
