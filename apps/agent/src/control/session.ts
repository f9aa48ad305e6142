import { type ClientDuplexStream, connectivityState } from '@grpc/grpc-js';
import type { AgentServiceClient, Farewell, SyncRequest, SyncResponse } from '@warren/proto';
import type { Log } from '../log.js';
import type { Backoff } from './backoff.js';
import { notAnswering, refusalCode, translateCallError } from './refusal.js';

/** What the owner of a session decides about one message. */
export type Verdict = 'applied' | 'resync';

/** Says something on the stream, while it lives; `sent` is called when the stream takes more, and never once it has ended. */
export type Reply = (request: SyncRequest, sent?: () => void) => void;

/** What a session needs of its owner; the session itself knows streams and time only. */
export interface SessionOptions {
  /** A client ready for Sync; renews the certificate first when needed. Rejects when that fails. */
  readonly openClient: (address: string) => Promise<AgentServiceClient>;
  /** Tried in turn, one an attempt; the one that worked last is the first to be tried again. */
  readonly addresses: () => readonly string[];
  /** First message of a stream; `fresh`: ask for a snapshot. */
  readonly hello: (fresh: boolean) => SyncRequest;
  readonly heartbeat: () => SyncRequest;
  /** Applies a snapshot, delta or heartbeat reply; `reply` sends the acknowledgement. */
  readonly handle: (message: SyncResponse, reply: Reply) => Promise<Verdict>;
  /** Connected means: the control plane has said something on this stream. */
  readonly onConnection: (connected: boolean, address: string) => void;
  /** A certificate was asked for: make sure that the next stream has a fresh one. */
  readonly onCertificateRefused: () => void;
  /** An attempt failed, or a stream ended: why. */
  readonly onFailure: (message: string) => void;
  readonly backoff: Backoff;
  readonly log: Log;
  readonly heartbeatInterval?: number;
  /** Milliseconds until an address that is silent is given up for the next one. */
  readonly connectLimit?: number;
}

/** Why a session ended for good; undefined: it was stopped. */
export interface SessionEnd {
  readonly code: string;
  readonly message: string;
}

/** Heartbeats, milliseconds; a stream that says nothing for two and a half of them is dead. */
const HEARTBEAT_INTERVAL = 15_000;
const SILENCE_LIMIT = 2.5;

/** A firewall that drops says nothing: the kernel alone would try for minutes, gRPC for 20 s. */
const CONNECT_LIMIT = 10_000;
/** The same where another address may be the one that gets through. */
const CONNECT_LIMIT_OF_SEVERAL = 3_000;

/** When a stream on which nothing was said yet is asked for a sign of life, milliseconds from its beginning. */
const FIRST_BEATS = [0, 100, 400, 1_500, 5_000];

/** Farewells and refusals after which coming back changes nothing. */
const FINAL = new Set(['node-revoked', 'node-expired', 'node-removed', 'clone']);

/**
 * Keeps one Sync stream open, for ever: connects, says hello, hands messages over one at a time, and after any end
 * comes back with backoff; until it is stopped or the control plane says a final farewell.
 */
export class Session {
  readonly #stopped = new AbortController();
  #fresh = false;
  #attempt = 0;
  /** The attempt at hand led to a stream on which something was said. */
  #worked = false;
  #reported: string | undefined;

  constructor(private readonly options: SessionOptions) {}

  /** Settles when the session has ended for good. Call once. */
  async run(): Promise<SessionEnd | undefined> {
    const { options } = this;
    while (!this.#stopped.signal.aborted) {
      const addresses = options.addresses();
      const address = addresses[this.#attempt % addresses.length]!;
      this.#worked = false;
      const end = await this.#runOnce(address);
      if (!this.#worked) this.#attempt++;
      if (end && FINAL.has(end.code)) return end;
      if (this.#stopped.signal.aborted) break;
      const delay = options.backoff.next();
      if (end) options.onFailure(end.message);
      if (end) this.#report(`${end.message} (next attempt in ${delay} ms)`, end.message);
      await sleep(delay, this.#stopped.signal);
    }
    return undefined;
  }

  /** Ends the stream and `run`. Idempotent. */
  stop(): void {
    this.#stopped.abort();
  }

  /** An outage of hours is one line, not thousands. */
  #report(line: string, reason: string): void {
    this.options.log(reason === this.#reported ? 'debug' : 'info', line);
    this.#reported = reason;
  }

  async #runOnce(address: string): Promise<SessionEnd | undefined> {
    let client: AgentServiceClient | undefined;
    try {
      client = await this.options.openClient(address);
      return await this.#runStream(client, address);
    } catch (error) {
      return this.#endOf(error, address);
    } finally {
      client?.close();
    }
  }

  #runStream(client: AgentServiceClient, address: string): Promise<SessionEnd | undefined> {
    const { options } = this;
    const stream = client.sync();
    const onConnection = (connected: boolean): void => {
      this.#worked ||= connected;
      options.onConnection(connected, address);
    };
    const run = new StreamRun(stream, { ...options, onConnection }, address, this.#fresh);
    const stop = (): void => run.end(undefined);
    this.#stopped.signal.addEventListener('abort', stop, { once: true });
    if (this.#stopped.signal.aborted) stop();
    const several = options.addresses().length > 1;
    const limit = options.connectLimit ?? (several ? CONNECT_LIMIT_OF_SEVERAL : CONNECT_LIMIT);
    const tooLong = setTimeout(() => {
      if (client.getChannel().getConnectivityState(false) === connectivityState.READY) return;
      const message = notAnswering(address, `no connection within ${limit} ms`);
      run.end({ code: 'control-unreachable', message });
    }, limit);
    return run.done
      .then(
        (end) => {
          this.#fresh = end?.code === 'resync';
          return end;
        },
        (error: unknown) => this.#endOf(error, address),
      )
      .finally(() => {
        clearTimeout(tooLong);
        this.#stopped.signal.removeEventListener('abort', stop);
      });
  }

  #endOf(error: unknown, address: string): SessionEnd {
    const code = refusalCode(error) ?? (error as { code?: unknown }).code;
    if (code === 'certificate-required') this.options.onCertificateRefused();
    const { message } = translateCallError(error, address);
    return { code: String(code), message };
  }
}

/** One stream, from Hello to its end. */
class StreamRun {
  readonly done: Promise<SessionEnd | undefined>;
  #settle!: { resolve: (end: SessionEnd | undefined) => void; reject: (error: unknown) => void };
  #ended = false;
  #connected = false;
  #lastHeard = performance.now();
  #queue: Promise<void> = Promise.resolve();
  readonly #timer: NodeJS.Timeout;
  readonly #firstBeats: readonly NodeJS.Timeout[] = [];

  constructor(
    private readonly stream: ClientDuplexStream<SyncRequest, SyncResponse>,
    private readonly options: SessionOptions,
    private readonly address: string,
    fresh: boolean,
  ) {
    this.done = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    const interval = options.heartbeatInterval ?? HEARTBEAT_INTERVAL;
    this.#timer = setInterval(() => this.#beat(interval), interval);
    stream.on('data', (message: SyncResponse) => this.#receive(message));
    stream.on('error', (error) => this.#finish(() => this.#settle.reject(error)));
    stream.on('end', () => this.end({ code: 'closed', message: 'the stream ended' }));
    stream.write(options.hello(fresh));
    // A resumed stream may have nothing to tell us: the answer to a heartbeat says that it lives. The control plane
    // answers only once it has looked at our Hello, so one may not be enough.
    if (!fresh) this.#firstBeats = FIRST_BEATS.map((delay) => setTimeout(() => this.#firstBeat(), delay));
  }

  end(end: SessionEnd | undefined): void {
    this.#finish(() => this.#settle.resolve(end));
  }

  #finish(settle: () => void): void {
    if (this.#ended) return;
    this.#ended = true;
    clearInterval(this.#timer);
    for (const timer of this.#firstBeats) clearTimeout(timer);
    this.stream.cancel();
    if (this.#connected) this.options.onConnection(false, this.address);
    // What was received is applied before anybody hears of the end.
    void this.#queue.then(settle, settle);
  }

  #beat(interval: number): void {
    if (performance.now() - this.#lastHeard > interval * SILENCE_LIMIT) {
      this.end({ code: 'silent', message: 'the control plane said nothing for too long' });
    } else {
      this.stream.write(this.options.heartbeat());
    }
  }

  #firstBeat(): void {
    if (!this.#connected && !this.#ended) this.stream.write(this.options.heartbeat());
  }

  #receive(message: SyncResponse): void {
    if (this.#ended) return;
    this.#lastHeard = performance.now();
    // Not in the queue: the stream's error may overtake it there, and with it the reason would be lost.
    if (message.message?.$case === 'farewell') {
      this.#farewell(message.message.value);
      return;
    }
    // One at a time: the next is handled when this one is applied and on disk.
    this.#queue = this.#queue
      .then(() => this.#handle(message))
      .catch((error: unknown) => this.#finish(() => this.#settle.reject(error)));
  }

  async #handle(message: SyncResponse): Promise<void> {
    const verdict = await this.options.handle(message, (request, sent) => {
      if (!this.#ended) {
        this.stream.write(request, () => {
          if (!this.#ended) sent?.();
        });
      }
    });
    if (verdict === 'resync') {
      return this.end({ code: 'resync', message: 'the peer sets differ: asking for a snapshot' });
    }
    if (this.#connected || this.#ended) return;
    this.#connected = true;
    this.options.backoff.reset();
    this.options.onConnection(true, this.address);
  }

  #farewell({ code, message }: Farewell): void {
    this.end({ code, message: message || code });
  }
}

function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, milliseconds);
    signal.addEventListener('abort', finish, { once: true });
  });
}
