import { WarrenError } from '@warren/base';
import type { SignedTombstone } from '@warren/identity';
import type { SignalServer, SignalServerOptions } from '@warren/signal';

/** A signal server that remembers what it was told. */
class FakeSignalServer implements SignalServer {
  readonly closed: Promise<Error | undefined>;
  readonly tombstones: SignedTombstone[];
  isClosed = false;
  #end!: (reason: Error | undefined) => void;

  constructor(
    readonly options: SignalServerOptions,
    readonly port: number,
  ) {
    this.tombstones = [...(options.tombstones ?? [])];
    this.closed = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  serveStream(): void {
    throw new Error('a bounce serves no streams');
  }

  addTombstones(tombstones: readonly SignedTombstone[]): void {
    this.tombstones.push(...tombstones);
  }

  async stats() {
    return { sessions: 0, relayedDatagrams: 0, relayedBytes: 0, drops: {} };
  }

  /** As when its worker dies. */
  die(): void {
    this.#end(new Error('the worker died'));
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.#end(undefined);
  }
}

/** A starter that keeps what it started, newest last; ports in `taken` are in use. */
export function fakeSignalServers() {
  const servers: FakeSignalServer[] = [];
  const taken = new Set<number>();
  return {
    servers,
    taken,
    start: async (options: SignalServerOptions): Promise<SignalServer> => {
      if (taken.has(options.port)) throw new WarrenError('port-in-use', `UDP port ${options.port} is in use`);
      const server = new FakeSignalServer(options, options.port || 40_000 + servers.length);
      servers.push(server);
      return server;
    },
  };
}
