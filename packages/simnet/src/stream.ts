import { ipFamily } from '@warren/base';
import type { Host } from './host.js';
import type { SocketAddress } from './packet.js';
import { Router } from './router.js';
import type { Segment, Station } from './segment.js';

/** What one end of a stream hears. */
export interface StreamHandlers {
  opened?(): void;
  /** Bytes as they were sent: message borders are kept, which a machine must not rely on. */
  received(bytes: Uint8Array): void;
  closed(reason: string): void;
}

/** One end of a reliable, ordered stream. */
export interface SimStream {
  /** May be set by the accepting side before anything arrives. */
  handlers: StreamHandlers;
  send(bytes: Uint8Array): void;
  /** The other end hears of it when the way is free; this one does not. */
  close(): void;
}

const RETRY_MS = 200;
/** After this long without a way the stream ends, as TCP's user timeout would have it (RFC 793 §3.8). */
const STALL_LIMIT_MS = 15_000;

/** Opens a stream from a host; see `Host.connect`. */
export function connectStream(client: Host, destination: SocketAddress, handlers: StreamHandlers): SimStream {
  const connection = new Connection(client, destination);
  const near = new StreamEnd(connection, handlers);
  const far = new StreamEnd(connection, { received: () => {}, closed: () => {} });
  near.other = far;
  far.other = near;
  // One round trip for TCP's handshake; TLS's is not counted.
  near.transmit((way) => {
    const accept = way.server.listener(destination.port);
    if (!accept) return near.end('refused');
    accept(far, { address: way.seen, port: destination.port });
    far.transmit(() => near.handlers.opened?.());
  });
  return near;
}

interface WayThrough {
  readonly delayMs: number;
  readonly server: Host;
  /** Client's address as the server sees it. */
  readonly seen: SocketAddress['address'];
}

/** What both ends share: the way between them, and what it was made of at first. */
class Connection {
  private readonly madeOf: string;

  constructor(
    private readonly client: Host,
    private readonly destination: SocketAddress,
  ) {
    this.madeOf = this.signature();
  }

  get internet() {
    return this.client.internet;
  }

  /** The host moved or a router between forgot its mappings: whoever sends now is told that nobody knows the stream. */
  get broken(): boolean {
    return this.madeOf !== this.signature();
  }

  /** @returns undefined while there is no way. */
  way(): WayThrough | undefined {
    let station: Station = this.client;
    let segment: Segment | undefined = this.client.segment;
    let seen = this.client.addresses.find((one) => ipFamily(one) === ipFamily(this.destination.address));
    let delayMs = 0;
    while (segment && seen) {
      const next: Station | undefined = segment.next(this.destination.address, station);
      if (!next?.link.up || !station.link.up || segment.isCut(station, next)) return undefined;
      delayMs += station.link.delayMs + next.link.delayMs;
      if (!(next instanceof Router)) {
        return { delayMs, server: next as Host, seen };
      }
      if (!next.routes(seen)) seen = next.nat.address;
      segment = next.inside === segment ? next.outside : undefined;
      station = next;
    }
    return undefined;
  }

  private signature(): string {
    let text = `${this.client.epoch}`;
    for (let gateway = this.client.segment?.gateway; gateway; gateway = gateway.outside.gateway) {
      text += ` ${gateway.name} ${(gateway as Router).epoch}`;
    }
    return text;
  }
}

class StreamEnd implements SimStream {
  other!: StreamEnd;
  private ended = false;
  private readonly waiting: { readonly arrive: (way: WayThrough) => void; readonly since: number }[] = [];
  private busyUntil = 0;
  private retrying = false;

  constructor(
    private readonly connection: Connection,
    public handlers: StreamHandlers,
  ) {}

  send(bytes: Uint8Array): void {
    this.transmit(() => this.other.ended || this.other.handlers.received(bytes));
  }

  close(): void {
    if (this.ended) return;
    this.transmit(() => this.other.end('closed by the other end'));
    this.ended = true;
  }

  end(reason: string): void {
    if (this.ended) return;
    this.ended = true;
    this.handlers.closed(reason);
  }

  /** Something to happen at the other end, after all that was sent before. */
  transmit(arrive: (way: WayThrough) => void): void {
    if (this.ended) return;
    this.waiting.push({ arrive, since: this.connection.internet.now });
    if (!this.retrying) this.flush();
  }

  private flush(): void {
    this.retrying = false;
    const { internet } = this.connection;
    while (this.waiting.length > 0) {
      const way = this.connection.way();
      if (!way || this.connection.broken) {
        if (way) internet.after(2 * way.delayMs, () => this.end('reset'));
        else this.retry();
        return;
      }
      const { arrive } = this.waiting.shift()!;
      this.busyUntil = Math.max(this.busyUntil, internet.now + way.delayMs);
      internet.at(this.busyUntil, () => arrive(way));
    }
  }

  private retry(): void {
    const { internet } = this.connection;
    if (internet.now - this.waiting[0]!.since >= STALL_LIMIT_MS) {
      this.waiting.length = 0;
      this.end('timed out');
      return;
    }
    this.retrying = true;
    internet.after(RETRY_MS, () => this.flush());
  }
}
