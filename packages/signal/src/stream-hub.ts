import type { Endpoint } from '@warren/base';
import type { DropCounts } from './drop-counts.js';
import { MAX_BYTES_BETWEEN_THREADS, STREAM_PATIENCE } from './limits.js';
import { endpointBytes, type Origin } from './origin.js';
import { readStreamRecords, StreamRecords } from './stream-records.js';

type StreamOrigin = Origin & { readonly kind: 'stream' };

interface Client {
  readonly origin: StreamOrigin;
  /** When it was last known to have a session, milliseconds. */
  usedAt: number;
}

export interface StreamHubOptions {
  readonly post: (records: Uint8Array<ArrayBuffer>) => void;
  readonly drops: DropCounts;
  readonly now: () => number;
}

/** The worker's side of the TLS connections, which the main thread holds. */
export class StreamHub {
  /** Relayed to streams so far. */
  datagrams = 0;
  bytes = 0;
  readonly #clients = new Map<number, Client>();
  readonly #out = new StreamRecords();
  /** Bytes that the main thread has not dealt with. */
  #onTheirWay = 0;

  constructor(private readonly options: StreamHubOptions) {}

  get size(): number {
    return this.#clients.size;
  }

  opened(stream: number, remote: Endpoint): void {
    const origin: StreamOrigin = { kind: 'stream', stream, address: endpointBytes(remote) };
    this.#clients.set(stream, { origin, usedAt: this.options.now() });
  }

  closed(stream: number): void {
    this.#clients.delete(stream);
  }

  /** Hands over what came, frame by frame; of streams that have closed meanwhile nothing. */
  take(records: Uint8Array, onFrame: (frame: Uint8Array, from: StreamOrigin) => void): void {
    readStreamRecords(records, (stream, frame) => {
      const client = this.#clients.get(stream);
      if (client) onFrame(frame, client.origin);
    });
  }

  /** Copies a `deliver`; it goes out with `flush`. */
  deliver(stream: number, frame: Uint8Array): void {
    if (!this.send(stream, frame)) return;
    this.datagrams++;
    this.bytes += frame.length;
  }

  /** Copies `frame`; it goes out with `flush`. @returns false when there is no room between the threads. */
  send(stream: number, frame: Uint8Array): boolean {
    if (this.#onTheirWay + this.#out.length > MAX_BYTES_BETWEEN_THREADS) {
      this.options.drops.add('streams-congested');
      return false;
    }
    this.#out.append(stream, frame);
    return true;
  }

  flush(): void {
    if (this.#out.length === 0) return;
    this.#onTheirWay += this.#out.length;
    this.options.post(this.#out.take());
  }

  taken(bytes: number): void {
    this.#onTheirWay -= bytes;
  }

  /** Streams that have had no session for too long. @param hasSession whether it has one now. */
  idle(hasSession: (stream: number) => boolean): number[] {
    const now = this.options.now();
    const idle: number[] = [];
    for (const [stream, client] of this.#clients) {
      if (hasSession(stream)) client.usedAt = now;
      else if (now - client.usedAt > STREAM_PATIENCE) idle.push(stream);
    }
    return idle;
  }
}
