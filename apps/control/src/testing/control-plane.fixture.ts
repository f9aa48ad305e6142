import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { publicKeyFromBytes } from '@warren/base';
import type { NodeRow } from '@warren/db';
import { pino } from 'pino';
import type { ServeConfig } from '../config.js';
import { type ControlPlane, type ControlPlaneOptions, startControlPlane } from '../control-plane.js';
import { logOptions } from '../log.js';
import { joinTokenText } from '../rest/tokens.js';

export interface TestPlane extends ControlPlane {
  readonly config: ServeConfig;
  /** Everything that was logged, as text. */
  log(): string;
  /** A join token of the default network; unlimited unless said otherwise. */
  token(input?: Partial<Parameters<ControlPlane['context']['store']['createToken']>[0]>): Promise<string>;
  /** A vanilla client of the default network. */
  vanilla(name: string): Promise<NodeRow>;
  stop(): Promise<void>;
}

/** A whole control plane in this process, on an embedded database of its own and ports that the system chose. */
export async function startTestPlane(
  options: ControlPlaneOptions & { dataDir?: string; config?: Partial<ServeConfig> } = {},
): Promise<TestPlane> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'control-test-')));
  const config: ServeConfig = {
    dataDir,
    http: { host: '127.0.0.1', port: 0 },
    agents: [{ host: '127.0.0.1', port: 0 }],
    stun: { host: '127.0.0.1', port: 0 },
    logLevel: 'trace',
    ...options.config,
  };
  const lines: string[] = [];
  const log = pino(logOptions('trace'), { write: (line: string) => void lines.push(line) });
  const plane = await startControlPlane(config, log, options);
  return {
    ...plane,
    config,
    log: () => lines.join(''),
    async token(input = {}) {
      const network = { networkId: plane.network!.id };
      const made = await plane.context.store.createToken({ ...network, maxUses: null, ...input }, 'local');
      return joinTokenText(plane.context, made.token, made.secret);
    },
    vanilla(name) {
      const publicKey = publicKeyFromBytes(randomBytes(32));
      const member = { networkId: plane.network!.id, name, role: 'client', publicKey } as const;
      return plane.context.store.createVanilla(member, 'local');
    },
    async stop() {
      await plane.close();
      if (!options.dataDir) await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** Waits for a condition, at most `timeout` milliseconds. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  timeout = 10_000,
): Promise<void> {
  const deadline = Date.now() + timeout;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`did not come about: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
