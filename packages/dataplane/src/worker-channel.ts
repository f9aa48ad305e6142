import { Worker } from 'node:worker_threads';
import { WarrenError } from '@warren/base';
import { type Libc, loadLibc } from '@warren/udp';
import type { Descriptors, Failure, FromWorker, ToWorker, WorkerRequest, WorkerResults } from './worker-messages.js';

/** Longest that the worker may take to close by itself, milliseconds. */
const CLOSE_TIMEOUT = 700;

/** The worker allocates little that lives long: a small young generation is collected as cheaply, and stays in the cache. */
const LIMITS = { maxYoungGenerationSizeMb: 4 } as const;

export type Notice = Exclude<FromWorker, { type: 'result' } | { type: 'failed' }>;

interface Waiting {
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
}

/** The main thread's end of a worker: requests with their answers, notices, and its end. */
export class WorkerChannel {
  /** Settles when the worker has gone: with the reason, unless `close` was called. */
  readonly ended: Promise<Error | undefined>;
  readonly #worker: Worker;
  /** Loaded in this thread too: an addon that only a worker has is unloaded while process.exit still needs it. */
  readonly #libc: Libc = loadLibc();
  readonly #waiting = new Map<number, Waiting>();
  #descriptors: Descriptors | undefined;
  #nextId = 1;
  #closing: Promise<void> | undefined;
  #reason: Error | undefined;
  #gone = false;

  /** @param entry the worker's program; another one in tests. */
  constructor(onNotice: (notice: Notice) => void, entry: URL = new URL('./worker.js', import.meta.url)) {
    const execArgv = process.execArgv.filter((option) => option.startsWith('--cpu-prof'));
    // Options of the host program (loaders, heap limits of tests) are not for this thread, but for those that profile it.
    this.#worker = new Worker(entry, { name: 'warren-data-plane', execArgv, resourceLimits: LIMITS });
    this.#worker.on('message', (message: FromWorker) => this.#take(message, onNotice));
    this.#worker.on('error', (error) => {
      this.#reason ??= new WarrenError('data-plane-failed', `the data plane failed: ${error.message}`, {
        cause: error,
      });
    });
    process.on('exit', this.#onProcessExit);
    this.ended = new Promise((resolve) => {
      this.#worker.once('exit', () => resolve(this.#exited()));
    });
  }

  /**
   * Sends a request; `transfer` are the buffers of keys in it, which this thread gives away.
   * @throws WarrenError what the worker refused, or `data-plane-closed`.
   */
  request<R extends WorkerRequest>(
    request: R,
    transfer: readonly ArrayBuffer[] = [],
  ): Promise<WorkerResults[R['type']]> {
    if (this.#gone) return Promise.reject(this.#closedError());
    const id = this.#nextId++;
    return new Promise<WorkerResults[R['type']]>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      const message: ToWorker = { id, request };
      this.#worker.postMessage(message, transfer);
    });
  }

  /** The worker's descriptors, closed here should it die without doing so, unless `inherit` takes them. */
  guard(descriptors: Descriptors): void {
    this.#descriptors = descriptors;
  }

  /** Called once when the worker has died without closing its descriptors: they are the caller's then. */
  inherit: ((left: Descriptors) => void) | undefined;

  /** Lets the worker close everything; one that does not answer is terminated. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const timeout = setTimeout(() => void this.#worker.terminate(), CLOSE_TIMEOUT);
    try {
      await this.request({ type: 'close' });
      this.#descriptors = undefined;
    } catch (error) {
      // It is gone already, which is what we want; `#exited` closed its descriptors.
      if (!(error instanceof WarrenError && error.code === 'data-plane-closed')) throw error;
    }
    await this.ended;
    clearTimeout(timeout);
  }

  #take(message: FromWorker, onNotice: (notice: Notice) => void): void {
    if (message.type !== 'result' && message.type !== 'failed') {
      if (message.type === 'ended') {
        this.#descriptors = undefined;
        this.#reason = errorOf(message.error);
      }
      onNotice(message);
      return;
    }
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.type === 'failed') waiting?.reject(errorOf(message.error));
    else waiting?.resolve(message.result as never);
  }

  /**
   * At process.exit the worker's event loop turns once more after JavaScript has ended there, and a watch that fires then would abort
   * the process: koffi cannot call back. A descriptor that is closed fires no watch.
   */
  readonly #onProcessExit = (): void => {
    if (this.#descriptors) closeDescriptors(this.#descriptors);
  };

  #exited(): Error | undefined {
    this.#gone = true;
    process.off('exit', this.#onProcessExit);
    // A thread that died holds its descriptors open in our process, and with them the interface.
    const left = this.#descriptors;
    this.#descriptors = undefined;
    if (left && this.inherit && !this.#closing) {
      for (const fd of left.others) this.#libc.close(fd);
      this.inherit({ ...left, others: [] });
    } else if (left) closeDescriptors(left);
    const error = this.#closedError();
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
    if (this.#closing && !this.#reason) return undefined;
    return this.#reason ?? new WarrenError('data-plane-failed', 'the data plane ended for no known reason');
  }

  #closedError(): Error {
    const why = this.#reason ? `: ${this.#reason.message}` : '';
    return new WarrenError('data-plane-closed', `the data plane has ended${why}`, { cause: this.#reason });
  }
}

/** Ends interface and sockets of a worker that has died. */
export function closeDescriptors({ tun, sockets, others }: Descriptors): void {
  const libc = loadLibc();
  for (const fd of [tun, sockets.v4, sockets.v6, ...others]) if (fd !== undefined) libc.close(fd);
}

const errorOf = ({ code, message }: Failure): WarrenError => new WarrenError(code, message);
