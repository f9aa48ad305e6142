import type { ServerId, SignalServer, Way } from '@warren/paths';
import type { SignallingOptions } from '../data-plane-api.js';
import { RelayStream } from './relay-stream.js';

export interface RelayStreamsListener {
  opened(server: ServerId): void;
  closed(server: ServerId, reason: string): void;
  /** A view that the next frame overwrites. */
  frame(frame: Uint8Array, from: Way): void;
  /** After the frames that came together. */
  idle(): void;
}

/** The streams that the path manager wants, one a server at most. */
export class RelayStreams {
  readonly #streams = new Map<ServerId, RelayStream>();
  #servers = new Map<ServerId, SignalServer>();

  constructor(
    private readonly tls: SignallingOptions['tls'],
    private readonly listener: RelayStreamsListener,
  ) {}

  /** Streams to servers that have other addresses now are opened anew. */
  setServers(servers: readonly SignalServer[]): void {
    const former = this.#servers;
    this.#servers = new Map(servers.map((server) => [server.id, server]));
    for (const id of [...this.#streams.keys()]) {
      if (former.get(id)?.tls.join() === this.#servers.get(id)?.tls.join()) continue;
      this.end(id);
      this.listener.closed(id, 'the server has other addresses now');
      this.open(id);
    }
  }

  open(id: ServerId): void {
    const server = this.#servers.get(id);
    if (this.#streams.has(id) || !server) return;
    if (!this.tls) {
      // Not from within the event that asked for it.
      setImmediate(() => this.listener.closed(id, 'TLS relays are not configured'));
      return;
    }
    const from: Way = { kind: 'tls', server: id };
    const stream = new RelayStream({
      addresses: server.tls,
      ...this.tls,
      onOpen: () => this.listener.opened(id),
      onClosed: (reason) => this.listener.closed(id, reason),
      onFrame: (frame) => this.listener.frame(frame, from),
      onIdle: () => this.listener.idle(),
    });
    this.#streams.set(id, stream);
  }

  end(id: ServerId): void {
    this.#streams.get(id)?.close();
    this.#streams.delete(id);
  }

  send(id: ServerId, header: Uint8Array, datagram: Uint8Array): boolean {
    return this.#streams.get(id)?.send(header, datagram) ?? false;
  }

  /** Those that are not open are tried at once. */
  retry(): void {
    for (const stream of this.#streams.values()) stream.retry();
  }

  close(): void {
    for (const id of [...this.#streams.keys()]) this.end(id);
  }
}
