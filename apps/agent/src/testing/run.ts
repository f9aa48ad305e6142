import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCli } from '../cli.js';
import type { HostRequirements } from '../host/requirements.js';

/** A host on which everything is allowed. */
export const permissiveHost: HostRequirements = { platform: 'linux', userId: 0, probeTun: async () => undefined };

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs one command line in this process. */
export async function runAgent(args: readonly string[], host: HostRequirements = permissiveHost): Promise<Ran> {
  let out = '';
  let err = '';
  const code = await runCli(args, {
    config: {
      stateDir: '/nonexistent',
      logLevel: 'error',
      wgLogLevel: 'error',
      portPrediction: true,
      portMapping: false,
    },
    host,
    streams: {
      out: (text) => {
        out += text;
      },
      err: (text) => {
        err += text;
      },
    },
  });
  return { code, out, err };
}

/** Folders and what else must go away after a test. */
export class Cleanup {
  readonly #actions: (() => Promise<void> | void)[] = [];

  add(action: () => Promise<void> | void): void {
    this.#actions.push(action);
  }

  async folder(): Promise<string> {
    const path = await mkdtemp(join(tmpdir(), 'warren-agent-'));
    this.add(() => rm(path, { recursive: true, force: true }));
    return path;
  }

  async run(): Promise<void> {
    for (const action of this.#actions.splice(0).reverse()) await action();
  }
}

/** Polls until the condition holds. @throws Error naming `what` after ten seconds. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited in vain for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
