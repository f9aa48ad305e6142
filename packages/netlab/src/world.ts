import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { invariant, WarrenError } from '@warren/base';
import { Host, type HostOptions } from './host.js';
import { Internet } from './internet.js';
import { Namespace } from './namespace.js';
import { processesIn, processStartTime, signalProcess } from './processes.js';
import { namespacesOf, removeLeftovers, removeWorld, type WorldRecord, writeRecord } from './record.js';
import { requireLab } from './requirements.js';
import { Router, type RouterOptions } from './router.js';

export interface WorldOptions {
  /** Part of the temporary directory's name; letters, digits and hyphens. */
  readonly name: string;
  /**
   * Whether SIGINT, SIGTERM and SIGHUP close the world and then end this process. They do unless said otherwise; a
   * program that ends in its own way says otherwise and calls `close`.
   */
  readonly handleSignals?: boolean;
  /** How long programs have to end by themselves when the world closes; 8 s unless said. */
  readonly graceMs?: number;
}

const GRACE_MS = 8_000;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * A small internet with hosts and NAT routers on this machine. Nothing of it is visible outside its namespaces, and
 * `close` removes all of it; what a killed run leaves is removed when the next world is made.
 *
 * @throws WarrenError `not-root`, `not-linux` or `program-missing`.
 */
export async function createWorld(options: WorldOptions): Promise<World> {
  requireLab();
  if (!/^[a-z0-9-]+$/.test(options.name)) throw new WarrenError('bad-name', `${options.name} is no name for a world`);
  await removeLeftovers();
  const startTime = processStartTime(process.pid);
  invariant(startTime !== undefined, 'this process exists');
  const prefix = `wl-${randomBytes(4).toString('hex')}-`;
  const dir = mkdtempSync(join(temporaryDirectory(), `warren-netlab-${options.name}-`));
  // Programs on the hosts may run as other users, a database for instance, and have to get through.
  chmodSync(dir, 0o711);
  const record = { pid: process.pid, startTime, prefix, dir };
  writeRecord(record);
  try {
    const world = new World(record, await Internet.create(`${prefix}internet`), options.graceMs ?? GRACE_MS);
    world.guard(options.handleSignals ?? true);
    return world;
  } catch (error) {
    await removeWorld(record, 0);
    throw error;
  }
}

/** See `createWorld`. */
export class World {
  private readonly hosts = new Map<string, Host>();
  private readonly names = new Set(['internet']);
  private closing: Promise<void> | undefined;
  private readonly removeGuards: (() => void)[] = [];

  constructor(
    private readonly record: WorldRecord,
    readonly internet: Internet,
    private readonly graceMs: number,
  ) {}

  /** The world's temporary directory; hosts have theirs inside. */
  get dir(): string {
    return this.record.dir;
  }

  /** Every namespace of this world begins with it. */
  get prefix(): string {
    return this.record.prefix;
  }

  /** Adds a router with NAT, plugged into `upstream` or the internet. */
  async addRouter(options: RouterOptions): Promise<Router> {
    return Router.create(this.claimName(options.name), options.upstream ?? this.internet, options);
  }

  /** Adds a host with one interface, `eth0`. */
  async addHost(options: HostOptions): Promise<Host> {
    const namespace = await Namespace.create(this.claimName(options.name));
    const segment = options.on ?? this.internet;
    const wanted = options.ipv4 === undefined ? {} : { ipv4: options.ipv4 };
    const attachment = await segment.attach(namespace, { interface: 'eth0', ...wanted });
    const dir = join(this.dir, options.name);
    mkdirSync(dir, { recursive: true });
    const host = new Host(options.name, namespace, dir, attachment);
    this.hosts.set(options.name, host);
    return host;
  }

  /** Ends every program, removes namespaces and directories. Any number of calls, one effect. */
  close(): Promise<void> {
    this.closing ??= this.remove();
    return this.closing;
  }

  /** Closes the world when this process ends without having done so. */
  guard(handleSignals: boolean): void {
    const onExit = (): void => this.removeNow();
    process.on('exit', onExit);
    this.removeGuards.push(() => process.off('exit', onExit));
    if (!handleSignals) return;
    for (const signal of SIGNALS) {
      const onSignal = (): void => {
        // Closing has taken the handler away by then, so that the signal does what it does by default.
        void this.close().finally(() => process.kill(process.pid, signal));
      };
      process.once(signal, onSignal);
      this.removeGuards.push(() => process.off(signal, onSignal));
    }
  }

  private async remove(): Promise<void> {
    await Promise.all([...this.hosts.values()].map((host) => host.stopProcesses(this.graceMs)));
    await removeWorld(this.record, 1_000);
    for (const removeGuard of this.removeGuards) removeGuard();
  }

  /** In an exit handler nothing can be waited for: kill, unname, and let the next world remove what could not go. */
  private removeNow(): void {
    const namespaces = namespacesOf(this.record);
    for (const pid of processesIn(namespaces)) signalProcess(pid, 'SIGKILL');
    spawnSync('ip', ['-force', '-batch', '-'], { input: namespaces.map((name) => `netns del ${name}\n`).join('') });
    rmSync(this.record.dir, { recursive: true, force: true });
  }

  private claimName(name: string): string {
    if (!/^[a-z0-9-]+$/.test(name)) throw new WarrenError('bad-name', `${name} is no name for a host`);
    if (this.names.has(name)) throw new WarrenError('name-taken', `this world has a host ${name} already`);
    this.names.add(name);
    return `${this.record.prefix}${name}`;
  }
}

/** Hosts have a `/run` of their own, so their files cannot be there. */
function temporaryDirectory(): string {
  const path = tmpdir();
  return /^(\/var)?\/run(\/|$)/.test(path) ? '/tmp' : path;
}
