import { spawn } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { IpAddress } from '@warren/base';
import { type CommandResult, execute, withSystemFolders } from './command.js';
import { HostProcess } from './host-process.js';
import type { Namespace } from './namespace.js';
import { NETNS_DIR } from './processes.js';
import type { Attachment, AttachOptions, Segment } from './segment.js';

export interface HostOptions {
  /** Unique in the world. */
  readonly name: string;
  /** What its first interface, `eth0`, is plugged into; the internet unless said. */
  readonly on?: Segment;
  readonly ipv4?: string;
}

export interface SpawnOptions {
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Directories that the program finds empty, such as `/dev/net` on a host without TUN. */
  readonly hide?: readonly string[];
  /** Gets every piece of output as it comes. */
  readonly onOutput?: (text: string) => void;
}

export interface RunOptions extends SpawnOptions {
  readonly input?: string;
  readonly timeoutMs?: number;
}

export interface PingOptions {
  /** Requests sent at most; the first answer ends it. One unless said. */
  readonly count?: number;
  readonly intervalMs?: number;
  /** How long to wait for an answer; 1 s unless said. */
  readonly timeoutMs?: number;
}

/**
 * A host of the lab: a network namespace, and for each program on it a view of the file system in which `/run` (and
 * so `/run/wireguard`) is the host's own, because namespaces would otherwise share the sockets there.
 */
export class Host {
  private readonly processes = new Set<HostProcess>();

  constructor(
    readonly name: string,
    private readonly namespace: Namespace,
    /** A directory of the host's own, removed with the world. */
    readonly dir: string,
    private attachment: Attachment,
  ) {
    for (const folder of ['run/wireguard', 'var-lib-warren']) mkdirSync(join(dir, folder), { recursive: true });
  }

  /** Address of `eth0`. */
  get ipv4(): IpAddress {
    return this.attachment.ipv4;
  }

  get ipv6(): IpAddress | undefined {
    return this.attachment.ipv6;
  }

  /** The network namespace's name, for `ip netns exec`. */
  get namespaceName(): string {
    return this.namespace.name;
  }

  /** Where an agent on this host keeps its state. It has to be named to the agent: `--state-dir`. */
  get stateDir(): string {
    return join(this.dir, 'state');
  }

  /** Starts a program on the host and returns at once. It gets SIGTERM when this process dies. */
  spawn(command: string, args: readonly string[], options: SpawnOptions = {}): HostProcess {
    const [file, ...rest] = this.commandLine(command, args, options);
    const child = spawn(file!, rest, {
      cwd: options.cwd ?? this.dir,
      env: withSystemFolders({ ...process.env, ...options.env }),
      stdio: ['ignore', 'pipe', 'pipe'],
      // A session of its own: Ctrl-C in a terminal goes to us, and we end things in order.
      detached: true,
    });
    const title = `${this.name}: ${command} ${args.join(' ')}`;
    const started = new HostProcess(title, child, options.onOutput ?? (() => undefined));
    this.processes.add(started);
    void started.exit.then(() => this.processes.delete(started));
    return started;
  }

  /** Runs a program on the host to its end. @throws WarrenError `command-timeout` after `timeoutMs` (30 s). */
  run(command: string, args: readonly string[], options: RunOptions = {}): Promise<CommandResult> {
    const [file, ...rest] = this.commandLine(command, args, options);
    return execute(file!, rest, {
      cwd: options.cwd ?? this.dir,
      env: { ...process.env, ...options.env },
      ...(options.input === undefined ? {} : { input: options.input }),
      ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
    });
  }

  /** Whether the address answers an echo request of this host. */
  async ping(address: string, options: PingOptions = {}): Promise<boolean> {
    const { count = 1, intervalMs = 200, timeoutMs = 1_000 } = options;
    const seconds = (ms: number): string => (ms / 1_000).toFixed(3);
    const limits = ['-i', seconds(intervalMs), '-W', seconds(timeoutMs)];
    // ping ends at the first answer only when asked for one; -w bounds the requests beyond it.
    const many = count > 1 ? ['-w', String(Math.ceil(((count - 1) * intervalMs + timeoutMs) / 1_000))] : [];
    const args = ['-n', '-q', '-c', '1', ...limits, ...many, address];
    const result = await execute('nsenter', [`--net=${NETNS_DIR}/${this.namespace.name}`, 'ping', ...args]);
    return result.code === 0;
  }

  /** Pulls `eth0`'s cable and plugs it in elsewhere: the host has roamed. */
  async moveTo(segment: Segment, options: Partial<AttachOptions> = {}): Promise<void> {
    await this.attachment.detach();
    this.attachment = await segment.attach(this.namespace, { interface: 'eth0', ...options });
  }

  /** Takes the signal from `eth0`'s cable, or gives it back; addresses and routes stay. */
  async setLink(up: boolean): Promise<void> {
    await this.attachment.setLink(up);
  }

  /** Connects one more interface. */
  attach(segment: Segment, options: AttachOptions): Promise<Attachment> {
    return segment.attach(this.namespace, options);
  }

  /** Runs lines of `ip -batch` in the host. */
  configure(ip: readonly string[]): Promise<void> {
    return this.namespace.configure({ ip });
  }

  /** Names of all interfaces but loopback. */
  async interfaces(): Promise<string[]> {
    const { stdout } = await this.run('ip', ['-json', 'link', 'show']);
    const links = JSON.parse(stdout) as { ifname: string }[];
    return links.map((link) => link.ifname).filter((name) => name !== 'lo');
  }

  /** Asks every program that was started here to end, and kills those that have not after `graceMs`. */
  async stopProcesses(graceMs: number): Promise<void> {
    await Promise.all([...this.processes].map((running) => running.stop(graceMs)));
  }

  private commandLine(command: string, args: readonly string[], options: SpawnOptions): string[] {
    const script = [...this.mounts(options.hide ?? []), 'exec "$@"'].join('\n');
    return [
      ...['setpriv', '--pdeathsig', 'TERM', '--'],
      ...['nsenter', `--net=${NETNS_DIR}/${this.namespace.name}`, '--'],
      ...['unshare', '--mount', '--propagation', 'private', '--'],
      ...['sh', '-c', `set -e\n${script}`, 'sh', command, ...args],
    ];
  }

  private mounts(hidden: readonly string[]): string[] {
    const lines = [`mount --bind ${quote(join(this.dir, 'run'))} /run`];
    if (!lstatSync('/var/run').isSymbolicLink()) lines.push(`mount --bind ${quote(join(this.dir, 'run'))} /var/run`);
    // Made by nobody here: a mount point of ours on the machine would be left behind.
    if (existsSync('/var/lib/warren'))
      lines.push(`mount --bind ${quote(join(this.dir, 'var-lib-warren'))} /var/lib/warren`);
    for (const path of hidden) lines.push(`mount -t tmpfs -o mode=755 none ${quote(path)}`);
    // So that /sys/class/net shows this namespace; forbidden in some containers, and then merely not so.
    lines.push('mount -t sysfs sysfs /sys 2>/dev/null || :');
    return lines;
  }
}

const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
