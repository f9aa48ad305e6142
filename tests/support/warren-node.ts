import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DataPlaneStats, PathsReport } from '@warren/dataplane';
import type { Host, HostProcess, SpawnOptions } from '@warren/netlab';
import type { WireGuardConfig, WireGuardNode } from './wireguard-node.js';

const RUNNER = fileURLToPath(new URL('./data-plane-runner.mjs', import.meta.url));
let configurations = 0;

export interface DataPlaneSpawnOptions extends SpawnOptions {
  /** A program and arguments that run the runner, such as `setpriv …`. */
  readonly wrapper?: readonly string[];
  /** PATH of the runner itself. */
  readonly path?: string;
  /** Whether it serves the socket for `wg`. */
  readonly uapi?: boolean;
  /** Calls of `DataPlane` methods, with peers in plain text, for `nextStep`. */
  readonly steps?: readonly (readonly [method: string, argument: unknown])[];
}

/** Starts the runner of one data plane on the host and returns at once. */
export function spawnDataPlane(host: Host, config: WireGuardConfig, options: DataPlaneSpawnOptions = {}): HostProcess {
  const path = join(host.dir, `data-plane-${++configurations}.json`);
  const { path: searchPath, steps, uapi } = options;
  writeFileSync(path, JSON.stringify({ ...config, path: searchPath, steps, uapi }), { mode: 0o644 });
  const [command, ...args] = [...(options.wrapper ?? []), process.execPath, RUNNER, path];
  return host.spawn(command!, args, options);
}

/** Our data plane on a host of the lab. */
export class WarrenNode implements WireGuardNode {
  readonly implementation = 'warren';
  #asked = 0;
  #steps = 0;

  private constructor(
    readonly host: Host,
    readonly process: HostProcess,
    readonly listenPort: number,
  ) {}

  /** @throws WarrenError with the runner's output when it does not come up. */
  static async start(host: Host, config: WireGuardConfig, options?: DataPlaneSpawnOptions): Promise<WarrenNode> {
    const running = spawnDataPlane(host, config, options);
    const [, ready] = await running.waitForOutput(/^ready (.*)$/m, 20_000);
    return new WarrenNode(host, running, (JSON.parse(ready!) as { listenPort: number }).listenPort);
  }

  async stats(): Promise<
    DataPlaneStats & {
      readonly paths: PathsReport;
      readonly cpu: { readonly user: number; readonly system: number };
      readonly rss: number;
    }
  > {
    const number = ++this.#asked;
    this.process.kill('SIGUSR1');
    const [, stats] = await this.process.waitForOutput(new RegExp(`^stats ${number} (.*)$`, 'm'), 10_000);
    return JSON.parse(stats!);
  }

  /** Does the next of `steps`. @throws Error with the code when it failed. */
  async nextStep(): Promise<void> {
    const number = ++this.#steps;
    this.process.kill('SIGHUP');
    const [, failed] = await this.process.waitForOutput(new RegExp(`^step ${number}(?: failed (.*))?$`, 'm'), 10_000);
    if (failed !== undefined) throw new Error(failed);
  }

  async lastHandshake(): Promise<number> {
    const { lastHandshake } = (await this.stats()).peers[0]!;
    return lastHandshake === undefined ? 0 : Date.parse(lastHandshake) / 1_000;
  }

  async stop(): Promise<void> {
    await this.process.stop();
  }
}
