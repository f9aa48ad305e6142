import type { Duplex } from 'node:stream';
import { type Endpoint, formatEndpoint, type IpAddress, ipToBytes, toHex } from '@warren/base';
import { encodeStreamFrame, StreamFrames } from '@warren/paths';
import {
  MAX_BYTES_BETWEEN_THREADS,
  MAX_STREAM_PENDING_BYTES,
  MAX_STREAMS,
  MAX_STREAMS_OF_ADDRESS,
  MAX_STREAMS_PENDING_TOTAL,
  PENDING_FRAME_OVERHEAD,
} from './limits.js';
import { readStreamRecords, StreamRecords } from './stream-records.js';

export interface RelayStreamsOptions {
  readonly opened: (stream: number, remote: Endpoint) => void;
  readonly closed: (stream: number) => void;
  /** Frames for the worker, whose buffer is given away. */
  readonly post: (records: Uint8Array<ArrayBuffer>) => void;
  /** So many bytes of the worker's are dealt with. */
  readonly taken: (bytes: number) => void;
  readonly log: (level: 'debug' | 'warn', message: string) => void;
}

interface Connection {
  readonly site: string;
  readonly stream: Duplex;
  readonly frames: StreamFrames;
  /** What the stream does not take yet, oldest first. */
  readonly pending: Uint8Array[];
  pendingBytes: number;
}

/** The main thread's side of the TLS connections: frames in and out, and nobody who does not read holds memory. */
export class RelayStreams {
  readonly #connections = new Map<number, Connection>();
  /** Connections by where they come from. */
  readonly #sites = new Map<string, number>();
  readonly #out = new StreamRecords();
  #flushing = false;
  /** Bytes that the worker has not dealt with. */
  #onTheirWay = 0;
  /** What waits for all streams, by `costOf`. */
  #pendingBytes = 0;
  #nextId = 1;
  /** Frames that were dropped, because streams did not read. */
  drops = 0;

  constructor(private readonly options: RelayStreamsOptions) {}

  serve(stream: Duplex, remote: { readonly address: IpAddress; readonly port: number }): void {
    const { opened, log } = this.options;
    stream.on('error', (error) => log('debug', `a relay connection broke: ${error.message}`));
    const site = siteOf(remote.address);
    const ofSite = this.#sites.get(site) ?? 0;
    const isFull = this.#connections.size >= MAX_STREAMS;
    if (isFull || ofSite >= MAX_STREAMS_OF_ADDRESS) {
      if (isFull) log('warn', `a relay connection was refused: ${MAX_STREAMS} are open`);
      else log('debug', `a relay connection was refused: ${ofSite} are open from ${remote.address}`);
      stream.destroy();
      return;
    }
    this.#sites.set(site, ofSite + 1);
    const id = this.#nextId++;
    const connection: Connection = { site, stream, frames: new StreamFrames(), pending: [], pendingBytes: 0 };
    this.#connections.set(id, connection);
    opened(id, formatEndpoint(remote.address, remote.port));
    stream.on('data', (chunk: Uint8Array) => this.#receive(id, connection, chunk));
    stream.on('drain', () => this.#writePending(connection));
    stream.on('end', () => stream.end());
    stream.on('close', () => this.#closed(id));
    if (stream.destroyed) this.#closed(id);
  }

  /** Frames of the worker, as `StreamRecords`. */
  send(records: Uint8Array): void {
    const written = new Set<Connection>();
    readStreamRecords(records, (id, frame) => {
      const connection = this.#connections.get(id);
      if (!connection) return;
      if (!written.has(connection)) connection.stream.cork();
      written.add(connection);
      this.#write(connection, encodeStreamFrame(frame));
    });
    for (const { stream } of written) stream.uncork();
    this.options.taken(records.length);
  }

  /** The worker has dealt with so many bytes. */
  taken(bytes: number): void {
    const before = this.#onTheirWay;
    this.#onTheirWay -= bytes;
    const low = MAX_BYTES_BETWEEN_THREADS / 2;
    if (before <= low || this.#onTheirWay > low) return;
    for (const { stream } of this.#connections.values()) if (stream.isPaused()) stream.resume();
  }

  close(id: number): void {
    this.#connections.get(id)?.stream.destroy();
  }

  closeAll(): void {
    for (const { stream } of this.#connections.values()) stream.destroy();
  }

  #receive(id: number, { stream, frames }: Connection, chunk: Uint8Array): void {
    frames.take(chunk, (frame) => this.#out.append(id, frame));
    if (this.#onTheirWay + this.#out.length > MAX_BYTES_BETWEEN_THREADS) stream.pause();
    if (this.#flushing || this.#out.length === 0) return;
    this.#flushing = true;
    // What other connections bring in this turn goes along.
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#flushing = false;
    this.#onTheirWay += this.#out.length;
    this.options.post(this.#out.take());
  }

  #write(connection: Connection, bytes: Uint8Array): void {
    if (connection.pending.length === 0 && !connection.stream.writableNeedDrain) {
      connection.stream.write(bytes);
      return;
    }
    connection.pending.push(bytes);
    this.#count(connection, costOf(bytes));
    const isTooMuch = (): boolean =>
      connection.pendingBytes > MAX_STREAM_PENDING_BYTES || this.#pendingBytes > MAX_STREAMS_PENDING_TOTAL;
    while (connection.pending.length > 0 && isTooMuch()) {
      this.#count(connection, -costOf(connection.pending.shift()!));
      this.drops++;
    }
  }

  #count(connection: Connection, bytes: number): void {
    connection.pendingBytes += bytes;
    this.#pendingBytes += bytes;
  }

  #writePending(connection: Connection): void {
    const { stream, pending } = connection;
    while (pending.length > 0 && !stream.writableNeedDrain) {
      const next = pending.shift()!;
      this.#count(connection, -costOf(next));
      stream.write(next);
    }
  }

  #closed(id: number): void {
    const connection = this.#connections.get(id);
    if (!connection) return;
    this.#connections.delete(id);
    const left = this.#sites.get(connection.site)! - 1;
    if (left > 0) this.#sites.set(connection.site, left);
    else this.#sites.delete(connection.site);
    this.#pendingBytes -= connection.pendingBytes;
    connection.pendingBytes = connection.pending.length = 0;
    this.options.closed(id);
  }
}

const costOf = ({ length }: Uint8Array): number => length + PENDING_FRAME_OVERHEAD;

/** An IPv4 address, or the /48 of an IPv6 one, as for registrations. */
const siteOf = (address: IpAddress): string => toHex(ipToBytes(address).subarray(0, 6));
