import type { SecretKey } from '@warren/base';
import type { SignedTombstone } from '@warren/identity';
import type { SignalServer, SignalServerOptions } from '@warren/signal';
import { describeError } from '../errors.js';
import type { Log } from '../log.js';
import type { NetworkState } from '../state/network-state.js';
import type { SignalServerStatus } from './status-types.js';

export type StartSignalServer = (options: SignalServerOptions) => Promise<SignalServer>;

export interface BounceServerOptions {
  readonly start: StartSignalServer;
  readonly state: NetworkState;
  /** The path key of this node is the key of its signal server. */
  readonly key: SecretKey;
  /** Ed25519 public key of the network's authority. */
  readonly authority: Uint8Array;
  /** Verified by the server. */
  readonly onTombstone: (signed: SignedTombstone) => void;
  readonly log: Log;
  /** Milliseconds until a server that could not start, or has ended, is started again. */
  readonly retryAfter?: number;
}

/** Where signal servers listen unless something else does (docs/protocol/signalling.md): that of STUN, RFC 8489 §18.6. */
const DEFAULT_PORT = 3478;
const RETRY_AFTER = 15_000;

/**
 * The signal server that every bounce runs. Without it the bounce does everything else all the same: what keeps it from
 * running is logged and shown, and tried again.
 */
export class BounceServer {
  #server: SignalServer | undefined;
  #failure: string | undefined;
  #wanted = false;
  #tombstones: readonly SignedTombstone[] = [];
  #given = 0;
  #starting: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;

  constructor(private readonly options: BounceServerOptions) {}

  /** UDP port; 0: it does not run. */
  get port(): number {
    return this.#server?.port ?? 0;
  }

  /** Null: this node is no bounce. */
  get status(): SignalServerStatus | null {
    if (!this.#wanted) return null;
    return { port: this.#server?.port ?? null, failure: this.#server ? null : (this.#failure ?? null) };
  }

  /** Runs it, or not, with these tombstones; those only ever grow. Returns at once. */
  follow(wanted: boolean, tombstones: readonly SignedTombstone[]): void {
    this.#wanted = wanted;
    this.#tombstones = tombstones;
    if (wanted && !this.#server) this.#begin();
    else if (!wanted) void this.close();
    const news = tombstones.slice(this.#given);
    if (!this.#server || news.length === 0) return;
    this.#given = tombstones.length;
    this.#server.addTombstones(news);
  }

  /** Settles when it runs, or has failed for now. */
  async settled(): Promise<void> {
    await this.#starting;
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#wanted = false;
    clearTimeout(this.#retry);
    this.#retry = undefined;
    await this.#starting;
    const server = this.#server;
    this.#server = undefined;
    await server?.close();
  }

  #begin(): void {
    if (this.#starting || this.#retry) return;
    this.#starting = this.#start()
      .catch((error: unknown) => this.#fail(describeError(error).message))
      .finally(() => {
        this.#starting = undefined;
      });
  }

  async #start(): Promise<void> {
    const { state, log } = this.options;
    const remembered = await state.signalPort();
    const server = await this.#open(remembered ?? DEFAULT_PORT);
    this.#given = this.#tombstones.length;
    this.#server = server;
    this.#failure = undefined;
    void server.closed.then((reason) => this.#ended(server, reason));
    log('info', `the signal server listens on UDP port ${server.port}`);
    if (server.port !== remembered) await state.saveSignalPort(server.port);
  }

  /** The port of before or the usual one; when another program has it, any. */
  async #open(port: number): Promise<SignalServer> {
    const { start, key, authority, onTombstone, log } = this.options;
    const common = { host: '::', key, authorities: [authority], tombstones: this.#tombstones, onTombstone, log };
    try {
      return await start({ ...common, port });
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'port-in-use') throw error;
      log('warn', `UDP port ${port} is in use: the signal server takes another`);
      return start({ ...common, port: 0 });
    }
  }

  #ended(server: SignalServer, reason: Error | undefined): void {
    if (this.#server !== server) return; // we closed it
    this.#server = undefined;
    this.#fail(reason ? describeError(reason).message : 'it ended for no known reason');
  }

  #fail(message: string): void {
    this.#failure = message;
    this.options.log('error', `this bounce runs no signal server: ${message}; trying again`);
    if (!this.#wanted) return;
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.follow(this.#wanted, this.#tombstones);
    }, this.options.retryAfter ?? RETRY_AFTER);
    this.#retry.unref();
  }
}
