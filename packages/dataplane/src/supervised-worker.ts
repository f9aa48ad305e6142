import { setTimeout as delay } from 'node:timers/promises';
import { WarrenError } from '@warren/base';
import { closeDescriptors, type Notice, WorkerChannel } from './worker-channel.js';
import type { Descriptors, WorkerRequest, WorkerResults } from './worker-messages.js';

/** Restarts within `RESTART_WINDOW` after which the next crash is the end. */
const MAX_RESTARTS = 5;
const RESTART_WINDOW = 60_000;
/** Pause before the second restart within the window, milliseconds; doubled for each further one. The first has none. */
const RESTART_PAUSE = 100;

export interface SupervisedWorkerOptions {
  readonly onNotice: (notice: Notice) => void;
  readonly log: (level: 'warn' | 'error', message: string) => void;
  /**
   * Brings a new worker to where the former was, with the descriptors that that left open. @throws WarrenError when it cannot be.
   */
  readonly restore: (channel: WorkerChannel, left: Descriptors) => Promise<void>;
  /** Another worker program in tests. */
  readonly entry?: URL;
}

/**
 * A worker, and after it has crashed another one in its place, to which interface and sockets are handed on: descriptors
 * belong to the process, so nothing but the sessions is lost. Requests wait for the new one.
 */
export class SupervisedWorker {
  /** Settles when there is no worker and will be none: with the reason, unless `close` was called. */
  readonly ended: Promise<Error | undefined>;
  #channel: WorkerChannel;
  #restarting: Promise<void> | undefined;
  #left: Descriptors | undefined;
  #closing = false;
  #over = false;
  #supervised = false;
  #restarts: number[] = [];
  #end: (reason: Error | undefined) => void = () => undefined;

  constructor(private readonly options: SupervisedWorkerOptions) {
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#channel = this.#open();
  }

  /** From now on a crash is followed by a restart; before, the descriptors are closed and it is the end. */
  supervise(): void {
    this.#supervised = true;
    this.#inherit(this.#channel);
  }

  guard(descriptors: Descriptors): void {
    this.#channel.guard(descriptors);
  }

  /**
   * @param make the message; called again, since buffers are given away, when the worker died before it answered and another
   * has taken over. So requests must be such that doing them twice is doing them once.
   * @throws WarrenError what the worker refused, or `data-plane-closed`.
   */
  async request<R extends WorkerRequest>(
    make: () => { readonly request: R; readonly transfer?: readonly ArrayBuffer[] },
  ): Promise<WorkerResults[R['type']]> {
    for (let attempt = 1; ; attempt++) {
      await this.#settled();
      const channel = this.#channel;
      const { request, transfer } = make();
      try {
        return await channel.request(request, transfer);
      } catch (error) {
        // A request that has killed two workers would kill the third.
        if (attempt > 1 || !isClosed(error) || !(await this.#succeeded(channel))) throw error;
      }
    }
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#closing = true;
    await this.#channel.close();
    await this.#settled();
    await this.#channel.close();
    await this.ended;
  }

  #open(): WorkerChannel {
    const { onNotice, entry } = this.options;
    const channel = entry ? new WorkerChannel(onNotice, entry) : new WorkerChannel(onNotice);
    if (this.#supervised) this.#inherit(channel);
    void channel.ended.then((reason) => this.#channelEnded(reason));
    return channel;
  }

  #inherit(channel: WorkerChannel): void {
    channel.inherit = (left) => {
      this.#left = left;
    };
  }

  #channelEnded(reason: Error | undefined): void {
    const left = this.#left;
    this.#left = undefined;
    const now = performance.now();
    this.#restarts = this.#restarts.filter((at) => now - at < RESTART_WINDOW);
    if (!left || this.#over) this.#finish(reason);
    else if (this.#closing || this.#restarts.length >= MAX_RESTARTS) {
      closeDescriptors(left);
      this.#finish(this.#closing ? undefined : reason);
    } else {
      this.#restarts.push(now);
      this.#restarting = this.#restart(left, reason);
    }
  }

  async #restart(left: Descriptors, reason: Error | undefined): Promise<void> {
    const { log, restore } = this.options;
    log('error', `${reason?.message ?? 'the data plane ended'}; starting its worker anew`);
    const began = performance.now();
    const earlier = this.#restarts.length - 1;
    if (earlier > 0) await delay(RESTART_PAUSE * 2 ** (earlier - 1));
    if (this.#closing) {
      closeDescriptors(left);
      this.#finish(undefined);
      return;
    }
    const channel = this.#open();
    this.#channel = channel;
    channel.guard(left);
    try {
      await restore(channel, left);
      log('warn', `a new worker has taken over after ${Math.round(performance.now() - began)} ms`);
    } catch (error) {
      // Crashed again: `#channelEnded` hears of that, and this ends before anybody is let in.
      if (isClosed(error)) await channel.ended;
      else await this.#giveUp(channel, error);
    }
  }

  /** The new worker cannot be what the former was; it closes what it has. */
  async #giveUp(channel: WorkerChannel, error: unknown): Promise<void> {
    this.#over = true;
    this.#finish(error instanceof Error ? error : new Error(String(error)));
    await channel.close();
  }

  #finish(reason: Error | undefined): void {
    this.#over = true;
    this.#end(reason);
  }

  /** Whether another worker has taken the place of the one of this channel, which has died. */
  async #succeeded(channel: WorkerChannel): Promise<boolean> {
    await channel.ended;
    await this.#settled();
    return this.#channel !== channel && !this.#over;
  }

  async #settled(): Promise<void> {
    for (let waited: Promise<void> | undefined; this.#restarting && this.#restarting !== waited; ) {
      waited = this.#restarting;
      await waited;
    }
    this.#restarting = undefined;
  }
}

const isClosed = (error: unknown): boolean => error instanceof WarrenError && error.code === 'data-plane-closed';
