import { WarrenError } from '@warren/base';
import { describeError } from '../errors.js';
import { Forwarding } from '../host/forwarding.js';
import { type KernelSettings, kernelSettings } from '../host/kernel-settings.js';
import { type FindPort, findPort } from '../host/ports.js';
import { type RunProgram, runProgram } from '../host/program.js';
import { type Log, prefixedLog } from '../log.js';
import { type JoinedNetwork, listNetworks, selectNetwork, type TerminalState } from '../state/network-state.js';
import type { StartSignalServer } from './bounce-server.js';
import type { StartDataPlane } from './data-plane-keeper.js';
import type { OwnNetwork } from './lan-clashes.js';
import { forwardingLedger } from './leftovers.js';
import { NetworkRunner } from './network-runner.js';
import type { StartPortMapper, WatchNat } from './path-support.js';
import type { RunnerEnd } from './runner-end.js';
import type { DaemonReplies, DaemonRequest } from './socket-messages.js';
import { type SocketServer, serveSocket } from './socket-server.js';
import { describeExplanation, describePath, describeRunner, describeServers } from './status.js';
import type { Status } from './status-types.js';
import { describeStopped } from './stopped-status.js';

/** What a daemon is made of; tests put in their own. */
export interface DaemonOptions {
  readonly stateDir: string;
  readonly log: Log;
  readonly startDataPlane: StartDataPlane;
  readonly kernel?: KernelSettings;
  readonly run?: RunProgram;
  readonly findPort?: FindPort;
  /** Looks at the NAT; absent: nobody does. */
  readonly watchNat?: WatchNat;
  /** Whether ports of NATs may be guessed; they may unless said. */
  readonly predictPorts?: boolean;
  readonly startPortMapper?: StartPortMapper;
  readonly startSignalServer?: StartSignalServer;
  readonly heartbeatInterval?: number;
}

/**
 * All joined networks of one state directory, and the socket by which commands ask. It ends when it is stopped, or
 * when no network is left to run.
 */
export class Daemon {
  /** Settles when everything is down: with the last network's reason, or undefined after `stop`. */
  readonly ended: Promise<RunnerEnd | undefined>;
  readonly #runners = new Map<string, NetworkRunner>();
  readonly #forwarding: Forwarding;
  #socket: SocketServer | undefined;
  #end!: (end: RunnerEnd | undefined) => void;
  #stopping: Promise<void> | undefined;

  private constructor(private readonly options: DaemonOptions) {
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#forwarding = new Forwarding({
      path: forwardingLedger(options.stateDir),
      kernel: options.kernel ?? kernelSettings,
      run: options.run ?? runProgram,
      log: options.log,
    });
  }

  /**
   * Starts the selected network, or all.
   * @throws WarrenError `already-running`, `not-joined`, `node-revoked`, `node-expired`, `node-removed`, or what a
   * network's start refuses; nothing is left up then.
   */
  static async start(options: DaemonOptions, selector?: string): Promise<Daemon> {
    const daemon = new Daemon(options);
    daemon.#socket = await serveSocket(options.stateDir, (request) => daemon.#answer(request));
    try {
      // What a daemon before us left when it was killed; its interface went with it.
      await daemon.#forwarding.takeDownAll();
      const all = await listNetworks(options.stateDir);
      const chosen = selectNetwork(all, selector);
      await daemon.#startAll(selector === undefined ? all : [chosen]);
      return daemon;
    } catch (error) {
      await daemon.stop();
      throw error;
    }
  }

  /** The network that `selector` names among those that run, else the first. @throws WarrenError `not-running`. */
  runner(selector?: string): NetworkRunner {
    const running = [...this.#runners.values()];
    const found = running.find(
      ({ membership }) =>
        selector === undefined || membership.networkName === selector || membership.networkId === selector,
    );
    if (found) return found;
    throw new WarrenError('not-running', `network ${selector ?? ''} is not running here: see \`agent status\``);
  }

  async status(selector?: string): Promise<Status> {
    const networks = await listNetworks(this.options.stateDir);
    const chosen = selectNetwork(networks, selector ?? this.#firstRunning());
    const names = networks.map(({ membership }) => membership.networkName);
    const runner = this.#runners.get(chosen.membership.networkId);
    return runner ? describeRunner(runner, names) : describeStopped(chosen, names);
  }

  /** Takes everything down. Idempotent; `ended` settles. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop(undefined);
    return this.#stopping;
  }

  /** One of several that cannot start keeps the others from nothing. @throws what the last one was refused for, if none did. */
  async #startAll(networks: readonly JoinedNetwork[]): Promise<void> {
    let refusal: unknown;
    for (const network of networks) {
      try {
        const terminal = await network.state.terminal();
        // An expired node may have been extended meanwhile: the control plane says.
        if (terminal && (terminal.removed || terminal.state !== 'expired')) {
          throw refusalOf(terminal, network.membership.networkName);
        }
        await this.#startNetwork(network);
      } catch (error) {
        if (refusal !== undefined) this.options.log('error', describeError(refusal).message);
        refusal = error;
      }
    }
    if (refusal === undefined) return;
    if (this.#runners.size === 0) throw refusal;
    this.options.log('error', describeError(refusal).message);
  }

  async #startNetwork(network: JoinedNetwork): Promise<NetworkRunner> {
    const { options } = this;
    const { networkId, networkName } = network.membership;
    const runner = new NetworkRunner({
      network,
      startDataPlane: options.startDataPlane,
      forwarding: this.#forwarding,
      findPort: options.findPort ?? findPort,
      run: options.run ?? runProgram,
      others: () => this.#othersOf(networkId),
      predictPorts: options.predictPorts ?? true,
      log: prefixedLog(options.log, networkName),
      ...(options.startPortMapper && { startPortMapper: options.startPortMapper }),
      ...(options.startSignalServer && { startSignalServer: options.startSignalServer }),
      ...(options.watchNat && { watchNat: options.watchNat }),
      ...(options.heartbeatInterval && { heartbeatInterval: options.heartbeatInterval }),
    });
    await runner.start();
    this.#runners.set(networkId, runner);
    void runner.ended.then((end) => this.#runnerEnded(networkId, end));
    return runner;
  }

  #othersOf(networkId: string): OwnNetwork[] {
    const others = [...this.#runners.values()].filter(({ membership }) => membership.networkId !== networkId);
    return others.map(({ membership, view }) => ({
      name: membership.networkName,
      interfaceName: membership.interfaceName,
      cidrs: view.self?.cidrs ?? [],
    }));
  }

  #runnerEnded(networkId: string, end: RunnerEnd | undefined): void {
    this.#runners.delete(networkId);
    if (this.#runners.size > 0 || this.#stopping) return;
    this.#stopping = this.#stop(end);
  }

  async #stop(end: RunnerEnd | undefined): Promise<void> {
    const runners = [...this.#runners.values()];
    const results = await Promise.allSettled(runners.map((runner) => runner.stop()));
    for (const result of results) {
      if (result.status === 'rejected') this.options.log('error', describeError(result.reason).message);
    }
    await this.#forwarding.takeDownAll();
    await this.#socket?.close();
    this.#end(end);
  }

  #firstRunning(): string | undefined {
    return [...this.#runners.keys()][0];
  }

  async #answer(request: DaemonRequest): Promise<DaemonReplies[DaemonRequest['method']]> {
    switch (request.method) {
      case 'status':
        return this.status(request.network);
      case 'wait-connected':
        return { connected: await this.runner(request.network).waitConnected(request.milliseconds) };
      case 'add-network':
        return this.#addNetwork(request.network);
      case 'note-ping': {
        const record = { at: Date.now(), rttMs: request.rttMs ?? undefined };
        this.runner(request.network).pings.set(request.peer, record);
        return {};
      }
      case 'path':
        return { path: await describePath(this.runner(request.network), request.peer) };
      case 'explain':
        return describeExplanation(this.runner(request.network), request.peer);
      case 'servers':
        return describeServers(this.runner(request.network));
      case 'rotate-key': {
        const runner = this.runner(request.network);
        return { network: runner.membership.networkName, ...(await runner.rotateKey(request.compromised)) };
      }
      case 'leave':
        return this.#leave(request.network);
      case 'down':
        return this.#down(request.network);
      default:
        throw new WarrenError('bad-request', 'the daemon is of another version than this command: restart it');
    }
  }

  async #addNetwork(id: string): Promise<Record<never, never>> {
    const network = selectNetwork(await listNetworks(this.options.stateDir), id);
    const runner = this.#runners.get(id);
    if (runner) runner.moveControl(network.membership);
    else await this.#startNetwork(network);
    return {};
  }

  async #leave(selector: string): Promise<Record<never, never>> {
    const network = selectNetwork(await listNetworks(this.options.stateDir), selector);
    const runner = this.#runners.get(network.membership.networkId);
    if (!runner) throw new WarrenError('not-running', `network ${selector} is not running here`);
    await runner.leave();
    await network.state.remove();
    return {};
  }

  async #down(selector: string | undefined): Promise<{ pid: number }> {
    // The reply must go out before the socket closes: the daemon ends behind it.
    const stop = selector === undefined ? () => this.stop() : () => this.runner(selector).stop();
    if (selector !== undefined) await stop();
    else setImmediate(() => void stop().catch((error: unknown) => this.options.log('error', String(error))));
    return { pid: process.pid };
  }
}

/** Why a network that the control plane has ended is not started. */
function refusalOf({ state, removed, message }: TerminalState, network: string): WarrenError {
  if (removed) return new WarrenError('node-removed', `network ${network}: ${message}`);
  const advice = 'leave it with `agent leave`, then join with a new token';
  return new WarrenError(`node-${state}`, `${state}: ${message} (network ${network}); ${advice}`);
}
