import type { Socket } from 'node:net';
import { type IpAddress, parseIpAddress, type SecretKey, WarrenError } from '@warren/base';
import type { SignedTombstone } from '@warren/identity';
import { type SignalServer, type SignalStats, startSignalServer } from '@warren/signal';
import type { ListenAddress } from '../config.js';
import { listenError } from '../grpc/tls-listener.js';
import type { Log } from '../log.js';

/** Milliseconds before a server that ended by itself is started again, doubled up to the second. */
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 30_000;
const NO_STATS: SignalStats = { sessions: 0, relayedDatagrams: 0, relayedBytes: 0, drops: {} };

export interface RelayServerOptions {
  readonly address: ListenAddress;
  readonly key: SecretKey;
  /** Ed25519 public key that signs tickets and tombstones. */
  readonly authorityKey: Uint8Array;
  /** All that count now; asked again when the server had to be started anew. */
  readonly tombstones: () => Promise<readonly SignedTombstone[]>;
  readonly onTombstone?: (tombstone: SignedTombstone) => void;
  readonly log: Log;
}

/** A signal server that is started again when it ends by itself: agents come back to it as after any outage. */
export class RelayServer {
  #server: SignalServer | undefined;
  #closed = false;
  #timer: NodeJS.Timeout | undefined;

  private constructor(
    private readonly options: RelayServerOptions,
    /** With the port that was really bound. */
    readonly address: ListenAddress,
  ) {}

  /** @throws WarrenError in one line that names the flag, when the UDP port cannot be had. */
  static async start(options: RelayServerOptions): Promise<RelayServer> {
    const { address } = options;
    const server = await open(options, address).catch((error: unknown) => {
      if (error instanceof WarrenError && error.code === 'port-in-use') {
        throw listenError('stun', address, Object.assign(new Error(error.message), { code: 'EADDRINUSE' }));
      }
      throw listenError('stun', address, error as Error);
    });
    const relay = new RelayServer(options, { host: address.host, port: server.port });
    relay.#watch(server);
    return relay;
  }

  /** Takes over a TLS connection whose ALPN was `RELAY_ALPN`. */
  serve(socket: Socket): void {
    const remote = originOf(socket);
    if (remote && this.#server) this.#server.serveStream(socket, remote);
    else socket.destroy();
  }

  addTombstones(tombstones: readonly SignedTombstone[]): void {
    this.#server?.addTombstones(tombstones);
  }

  /** Zeros while the server is being started again. */
  async stats(): Promise<SignalStats> {
    return (await this.#server?.stats().catch(() => undefined)) ?? NO_STATS;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#server?.close();
  }

  #watch(server: SignalServer, pause = FIRST_PAUSE): void {
    this.#server = server;
    const since = performance.now();
    void server.closed.then((reason) => {
      this.#server = undefined;
      if (this.#closed) return;
      this.options.log.error({ err: reason }, 'the signal server ended: starting it again');
      this.#again(performance.now() - since > LONGEST_PAUSE ? FIRST_PAUSE : pause);
    });
  }

  #again(pause: number): void {
    const next = Math.min(pause * 2, LONGEST_PAUSE);
    const attempt = async (): Promise<void> => {
      const server = await open(this.options, this.address);
      if (this.#closed) await server.close();
      else this.#watch(server, next);
    };
    this.#timer = setTimeout(() => {
      attempt().catch((error: unknown) => {
        if (this.#closed) return;
        this.options.log.error({ err: error }, 'the signal server cannot be started');
        this.#again(next);
      });
    }, pause).unref();
  }
}

async function open(options: RelayServerOptions, address: ListenAddress): Promise<SignalServer> {
  const { key, authorityKey, onTombstone, log } = options;
  return startSignalServer({
    host: address.host,
    port: address.port,
    key,
    authorities: [authorityKey],
    tombstones: await options.tombstones(),
    ...(onTombstone && { onTombstone }),
    log: (level, message) => log[level]({ part: 'signal' }, message),
  });
}

/** Where a connection comes from, IPv4-mapped addresses unmapped. @returns undefined when it is gone already. */
function originOf(socket: Socket): { address: IpAddress; port: number } | undefined {
  const text = socket.remoteAddress?.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/i, '');
  const address = text === undefined ? undefined : parseIpAddress(text);
  return address && socket.remotePort ? { address, port: socket.remotePort } : undefined;
}
