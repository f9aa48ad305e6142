import { WarrenError } from '@warren/base';
import type { CommandResult } from '../command.js';
import type { Host } from '../host.js';
import type { HostProcess } from '../host-process.js';
import { waitUntil } from '../wait-until.js';
import { askAgent } from './agent-socket.js';
import { meshProgram } from './programs.js';

/** How packets go to a peer, as `agent status --json` says it. */
export interface AgentPath {
  readonly kind: 'direct' | 'relay' | 'bounce' | 'none';
  readonly endpoint: string | null;
  readonly via: string | null;
  readonly transport: 'udp' | 'tls' | null;
  readonly rttMs: number | null;
  /** Why it is not direct; null when it is. */
  readonly reason: string | null;
}

/** The part of `agent status --json` that the lab looks at. */
export interface AgentStatus {
  readonly state: 'starting' | 'running' | 'offline' | 'pending' | 'revoked' | 'expired' | 'stopped';
  readonly node: {
    readonly id: string;
    readonly name: string;
    readonly addresses: readonly string[];
    readonly publicKey: string;
  };
  readonly network: { readonly id: string; readonly name: string };
  readonly control: { readonly connected: boolean; readonly revision: number };
  readonly nat: { readonly mapping: string; readonly filtering: string; readonly udp: boolean | null };
  readonly peers: readonly {
    readonly id: string;
    readonly name: string;
    readonly addresses: readonly string[];
    readonly path: AgentPath;
  }[];
}

export interface AgentOptions {
  readonly name: string;
  readonly token: string;
  readonly role?: 'client' | 'direct' | 'bounce';
  /** Further arguments of `agent join`. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly onOutput?: (text: string) => void;
}

export interface PathWait {
  /** For messages: `direct`, `relayed over TLS`. */
  readonly what: string;
  readonly timeoutMs: number;
  /** What times are counted from; the call unless said. */
  readonly from?: number;
}

export interface PathFound {
  readonly path: AgentPath;
  readonly afterMs: number;
}

/** Starting node, joining and making an interface; several times what an idle machine needs. */
const START_MS = 40_000;
const INTERFACE = 'wg0';

/** A Warren agent on a host of the lab, in the foreground, with its state in the host's directory. */
export class AgentNode {
  private running: HostProcess;
  private inner: { ipv4: string; ipv6: string } | undefined;

  private constructor(
    readonly host: Host,
    private readonly options: AgentOptions,
  ) {
    const { name, token, role, args = [] } = options;
    const asked = role === undefined ? [] : ['--role', role];
    this.running = this.start(['join', '--token', token, '--name', name, ...asked, ...args]);
  }

  /** Starts `agent join` and returns at once. */
  static begin(host: Host, options: AgentOptions): AgentNode {
    return new AgentNode(host, options);
  }

  /** Joins and waits until the interface has its addresses: the control plane has given them by then. */
  static async join(host: Host, options: AgentOptions): Promise<AgentNode> {
    const agent = new AgentNode(host, options);
    await agent.waitForInterface();
    return agent;
  }

  get name(): string {
    return this.options.name;
  }

  get process(): HostProcess {
    return this.running;
  }

  /** Address inside the network. Known once the interface is up. */
  get ipv4(): string {
    return this.addresses.ipv4;
  }

  get ipv6(): string {
    return this.addresses.ipv6;
  }

  private get addresses(): { ipv4: string; ipv6: string } {
    if (!this.inner) throw new WarrenError('not-joined', `${this.name} has no addresses yet: wait for its interface`);
    return this.inner;
  }

  /** `agent up`: starts the daemon from what is saved, after it has ended. */
  async up(): Promise<void> {
    this.running = this.start(['up']);
    await this.waitForInterface();
  }

  async waitForInterface(): Promise<void> {
    const found = await waitUntil(`the interface of ${this.name}`, { timeoutMs: START_MS }, async () => {
      if (!this.running.running) return 'ended';
      return readAddresses(await this.host.run('ip', ['-json', 'address', 'show', 'dev', INTERFACE, 'up']));
    });
    if (found === 'ended') throw new WarrenError('exited', `${this.name} ended: ${this.running.lastWords()}`);
    this.inner = found;
  }

  /** Runs an `agent` command beside the daemon. A command that fails is a result. */
  command(args: readonly string[]): Promise<CommandResult> {
    return this.host.run(meshProgram('agent'), [...args, '--state-dir', this.host.stateDir]);
  }

  /** `agent status --json`, of a stopped agent too. */
  async status(): Promise<AgentStatus> {
    const { stdout, stderr } = await this.command(['status', '--json']);
    if (stdout === '') throw new WarrenError('no-status', `agent status on ${this.host.name}: ${stderr}`);
    return JSON.parse(stdout) as AgentStatus;
  }

  /** Status of a running agent, asked on its socket: nothing is started for it, so it may be asked often. */
  look(): Promise<AgentStatus> {
    return askAgent<AgentStatus>(this.host.stateDir, { method: 'status' });
  }

  /** The path to a peer. @throws WarrenError `no-peer`. */
  async pathTo(peer: string): Promise<AgentPath> {
    const { peers } = await this.look();
    const found = peers.find(({ name }) => name === peer);
    if (!found) throw new WarrenError('no-peer', `${this.name} has no peer ${peer}`);
    return found.path;
  }

  /**
   * Waits until the path to a peer is as it is wanted. @returns the path, and milliseconds since `from` (a `Date.now()`).
   * @throws WarrenError `timeout` with the path as it was last.
   */
  async waitForPath(peer: string, options: PathWait, condition: (path: AgentPath) => boolean): Promise<PathFound> {
    const from = options.from ?? Date.now();
    const what = `the path ${this.name} → ${peer} to be ${options.what}`;
    return waitUntil(what, { timeoutMs: options.timeoutMs, intervalMs: 100 }, async () => {
      const path = await this.pathTo(peer);
      if (condition(path)) return { path, afterMs: Date.now() - from };
      throw new WarrenError('other-path', JSON.stringify(path));
    });
  }

  waitForStatus(what: string, timeoutMs: number, condition: (status: AgentStatus) => boolean): Promise<AgentStatus> {
    return waitUntil(`${this.name} to be ${what}`, { timeoutMs, intervalMs: 200 }, async () => {
      const status = await this.status();
      return condition(status) && status;
    });
  }

  private start(args: readonly string[]): HostProcess {
    const { env, onOutput } = this.options;
    const line = [...args, '--state-dir', this.host.stateDir, '--foreground'];
    return this.host.spawn(meshProgram('agent'), line, { ...(env ? { env } : {}), ...(onOutput ? { onOutput } : {}) });
  }
}

function readAddresses({ code, stdout }: CommandResult): { ipv4: string; ipv6: string } | undefined {
  if (code !== 0) return undefined;
  const [link] = JSON.parse(stdout) as { addr_info?: { family: string; local: string; scope: string }[] }[];
  const inner = link?.addr_info?.filter(({ scope }) => scope === 'global') ?? [];
  const ipv4 = inner.find(({ family }) => family === 'inet')?.local;
  const ipv6 = inner.find(({ family }) => family === 'inet6')?.local;
  return ipv4 !== undefined && ipv6 !== undefined ? { ipv4, ipv6 } : undefined;
}
