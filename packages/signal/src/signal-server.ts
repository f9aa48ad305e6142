import { Worker } from 'node:worker_threads';
import { type IpAddress, parseIpAddress, WarrenError } from '@warren/base';
import type { SignedTombstone } from '@warren/identity';
import { loadLibc } from '@warren/udp';
import { RelayStreams } from './relay-streams.js';
import type { SignalServer, SignalServerOptions, SignalStats } from './signal-api.js';
import type { FromWorker, ToWorker } from './worker-messages.js';

const workerEntry = new URL('./worker.js', import.meta.url);
/** Longest that the worker may take to close by itself, milliseconds. */
const CLOSE_TIMEOUT = 700;
/** The worker allocates little that lives long. */
const LIMITS = { maxYoungGenerationSizeMb: 4 } as const;

/**
 * Opens the UDP port and serves it in a worker thread.
 * @param entry the worker's program; another one in bundles and in tests.
 * @throws WarrenError `bad-address`, `bad-authority`, `bad-alternate`, `port-in-use`, `port-not-allowed`, `address-not-here`,
 * `socket-failed`, `unsupported-host`; nothing stays open then.
 */
export async function startSignalServer(options: SignalServerOptions, entry = workerEntry): Promise<SignalServer> {
  const host = parseIpAddress(options.host);
  if (!host)
    throw new WarrenError('bad-address', `${options.host} is no IP address to listen on: give one, such as 0.0.0.0`);
  const server = new WorkerServer(options, entry);
  await server.start(host);
  return server;
}

class WorkerServer implements SignalServer {
  readonly closed: Promise<Error | undefined>;
  port = 0;
  readonly #worker: Worker;
  readonly #streams: RelayStreams;
  /** Loaded in this thread too: an addon that only a worker has is unloaded while process.exit still needs it. */
  readonly #libc = loadLibc();
  readonly #stats: { readonly resolve: (stats: SignalStats) => void; readonly reject: (error: Error) => void }[] = [];
  #descriptors: readonly number[] = [];
  #starting: { readonly resolve: () => void; readonly reject: (error: Error) => void } | undefined;
  #reason: Error | undefined;
  #closing: Promise<void> | undefined;
  #ended = false;

  constructor(
    private readonly options: SignalServerOptions,
    entry: URL,
  ) {
    this.#worker = new Worker(entry, {
      name: 'warren-signal',
      execArgv: profilingOptions(),
      resourceLimits: LIMITS,
    });
    this.#worker.on('message', (message: FromWorker) => this.#take(message));
    this.#worker.on('error', (error) => {
      this.#reason ??= new WarrenError('signal-failed', `the signal server failed: ${error.message}`, { cause: error });
    });
    this.closed = new Promise((resolve) => {
      this.#worker.once('exit', () => resolve(this.#exited()));
    });
    this.#streams = new RelayStreams({
      opened: (stream, remote) => this.#post({ type: 'stream-opened', stream, remote }),
      closed: (stream) => this.#post({ type: 'stream-closed', stream }),
      post: (records) => this.#post({ type: 'frames', records }, [records.buffer]),
      taken: (bytes) => this.#post({ type: 'frames-taken', bytes }),
      log: (level, message) => options.log?.(level, message),
    });
  }

  start(host: IpAddress): Promise<void> {
    const { port, key, authorities, alternate, clientBytesPerSecond, tombstones = [] } = this.options;
    const started = new Promise<void>((resolve, reject) => {
      this.#starting = { resolve, reject };
    });
    const copy = key.expose().slice();
    this.#post(
      { type: 'start', options: { host, port, key: copy, authorities, alternate, clientBytesPerSecond, tombstones } },
      [copy.buffer as ArrayBuffer],
    );
    return started;
  }

  serveStream(...args: Parameters<SignalServer['serveStream']>): void {
    if (this.#ended || this.#closing) args[0].destroy();
    else this.#streams.serve(...args);
  }

  addTombstones(tombstones: readonly SignedTombstone[]): void {
    this.#post({ type: 'tombstones', tombstones });
  }

  stats(): Promise<SignalStats> {
    return new Promise((resolve, reject) => {
      if (this.#ended) return reject(endedError());
      this.#stats.push({ resolve, reject });
      this.#post({ type: 'stats' });
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const timeout = setTimeout(() => void this.#worker.terminate(), CLOSE_TIMEOUT);
    this.#streams.closeAll();
    this.#post({ type: 'close' });
    await this.closed;
    clearTimeout(timeout);
  }

  #take(message: FromWorker): void {
    switch (message.type) {
      case 'started':
        this.port = message.port;
        this.#descriptors = message.descriptors;
        this.#starting?.resolve();
        return;
      case 'failed':
        this.#reason = new WarrenError(message.code, message.message);
        return;
      case 'frames':
        this.#streams.send(message.records);
        return;
      case 'frames-taken':
        this.#streams.taken(message.bytes);
        return;
      case 'close-stream':
        this.#streams.close(message.stream);
        return;
      case 'tombstone':
        this.options.onTombstone?.(message.tombstone);
        return;
      case 'stats':
        this.#stats.shift()?.resolve(this.#withStreams(message.stats));
        return;
      case 'log':
        this.options.log?.(message.level, message.message);
        return;
      case 'closed':
        this.#descriptors = [];
    }
  }

  #withStreams(stats: SignalStats): SignalStats {
    const dropped = this.#streams.drops;
    return dropped === 0 ? stats : { ...stats, drops: { ...stats.drops, 'stream-congested': dropped } };
  }

  #exited(): Error | undefined {
    this.#ended = true;
    // A thread that died holds its sockets open in our process, and with them the port.
    for (const fd of this.#descriptors) this.#libc.close(fd);
    this.#streams.closeAll();
    const reason =
      this.#reason ??
      (this.#closing ? undefined : new WarrenError('signal-failed', 'the signal server ended for no known reason'));
    this.#starting?.reject(reason ?? new WarrenError('signal-closed', 'the signal server was closed while it started'));
    for (const { reject } of this.#stats.splice(0)) reject(endedError());
    return reason;
  }

  #post(message: ToWorker, transfer: readonly ArrayBuffer[] = []): void {
    if (!this.#ended) this.#worker.postMessage(message, transfer);
  }
}

const endedError = (): WarrenError => new WarrenError('signal-closed', 'the signal server has ended');

/** Options of the host program (loaders, heap limits of tests) are not for the worker, but for those that profile it. */
const profilingOptions = (): string[] => process.execArgv.filter((option) => option.startsWith('--cpu-prof'));
