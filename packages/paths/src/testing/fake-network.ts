import { type Endpoint, type Instant, type IpAddress, instant, parseEndpoint } from '@warren/base';
import type { PathTransmit } from '../path-manager-api.js';
import { FakeHost, type FakeWire } from './fake-host.js';
import type { FakeNat } from './fake-nat.js';
import type { FakeServer } from './fake-server.js';

const LAN_MS = 1;

/** Hosts, NATs and signal servers on one clock that moves only when it is told to. */
export class FakeNetwork implements FakeWire {
  now: Instant = instant(1_000);
  readonly hosts: FakeHost[] = [];
  #queue: { at: number; order: number; run: () => void }[] = [];
  #order = 0;
  /** Whether what goes this way is lost. */
  cut: (from: FakeHost | FakeServer, to: string) => boolean = () => false;

  constructor(
    readonly servers: readonly FakeServer[],
    private readonly latencyMs = 20,
  ) {}

  /** A host that knows all servers, and no peer. */
  add(address: string, nat?: FakeNat, options: ConstructorParameters<typeof FakeHost>[4] = {}): FakeHost {
    const host = new FakeHost(this.hosts.length + 1, address as IpAddress, nat, this, options);
    this.hosts.push(host);
    return host;
  }

  start(host: FakeHost, nat = host.nat?.kind): void {
    host.manager.setTicket(host.ticket, this.now);
    if (nat) host.manager.setNat(nat, this.now);
    host.sayAddress();
    host.manager.setServers(
      this.servers.map(({ description }) => description),
      this.now,
    );
    host.drain();
  }

  introduce(...hosts: readonly FakeHost[]): void {
    for (const host of hosts) {
      host.manager.setPeers(
        hosts.filter((other) => other !== host).map((other) => other.asPeer()),
        this.now,
      );
      host.drain();
    }
  }

  /** Runs until `ms` have passed. */
  pass(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const at = Math.max(this.now, Math.min(this.#nextAt(), end));
      this.now = instant(at);
      if (this.#nextAt() > end) break;
      this.#runDue();
    }
    this.now = instant(end);
  }

  /** Runs until the condition holds. @throws when it does not within `ms`. @returns how long it took. */
  until(condition: () => boolean, ms: number, what = 'it'): number {
    const from = this.now;
    while (!condition()) {
      if (this.now - from >= ms) throw new Error(`${what} did not happen within ${ms} ms`);
      this.pass(5);
    }
    return this.now - from;
  }

  transmit(host: FakeHost, { way, datagram }: PathTransmit): void {
    host.sentBytes += datagram.length;
    if (way.kind === 'tls') {
      const server = this.servers.find(({ id }) => id === way.server);
      if (server && host.streams.has(way.server)) this.#toServer(server, host, datagram, `tls ${host.number}`);
      return;
    }
    if (host.udpBlocked || !host.sockets.has(way.socket) || this.cut(host, way.endpoint)) return;
    this.#route(host, host.endpoint(way.socket), way.endpoint, datagram);
  }

  openStream(host: FakeHost, server: string): void {
    const known = this.servers.find(({ id }) => id === server);
    this.#after(30, () => {
      if (known?.alive) {
        host.streams.add(server);
        host.manager.streamOpened(server, this.now);
      } else host.manager.streamClosed(server, 'connection refused', this.now);
      host.drain();
    });
  }

  #route(from: FakeHost, source: Endpoint, to: Endpoint, datagram: Uint8Array): void {
    const neighbour = this.hosts.find(
      (host) => host !== from && host.nat === from.nat && socketOf(host, to) !== undefined,
    );
    if (neighbour && (from.nat || neighbour.nat === undefined)) {
      this.#after(from.nat ? LAN_MS : this.latencyMs, () => this.#deliver(neighbour, to, source, datagram));
      return;
    }
    const outer = from.nat ? from.nat.out(source, to, this.now) : source;
    const server = this.servers.find(({ endpoint }) => endpoint === to);
    if (server) this.#toServer(server, from, datagram, outer);
    else this.#after(this.latencyMs, () => this.#arrive(from, outer, to, datagram));
  }

  #arrive(sender: FakeHost, from: Endpoint, to: Endpoint, datagram: Uint8Array): void {
    const { address, port } = parseEndpoint(to)!;
    for (const host of this.hosts) {
      if (host.nat === undefined) {
        if (socketOf(host, to) !== undefined) this.#deliver(host, to, from, datagram);
      } else if (host.nat.address === address) {
        if (host.nat === sender.nat && !host.nat.hairpins) continue;
        const inside = host.nat.in(port, from, this.now);
        if (inside && socketOf(host, inside) !== undefined) {
          this.#deliver(host, inside, from, datagram);
          return;
        }
      } else if (host.nat.kind.mapping === 'none' && host.address === address) {
        this.#deliver(host, to, from, datagram);
      }
    }
  }

  #deliver(host: FakeHost, to: Endpoint, from: Endpoint, datagram: Uint8Array): void {
    const socket = socketOf(host, to);
    if (socket === undefined || host.udpBlocked) return;
    host.receive(datagram, { kind: 'udp', socket, endpoint: from }, this.hosts);
  }

  #toServer(server: FakeServer, host: FakeHost, datagram: Uint8Array, from: string): void {
    this.#after(server.delayMs, () => {
      for (const [to, frame] of server.handle(datagram, from)) {
        if (this.cut(server, to)) continue;
        this.#after(server.delayMs, () => this.#fromServer(server, to, frame));
      }
    });
    void host;
  }

  #fromServer(server: FakeServer, to: string, frame: Uint8Array): void {
    if (!server.alive) return;
    if (to.startsWith('tls')) {
      const host = this.hosts.find(({ number }) => to === `tls ${number}`);
      if (host?.streams.has(server.id)) host.receive(frame, { kind: 'tls', server: server.id }, this.hosts);
      return;
    }
    const { address, port } = parseEndpoint(to)!;
    for (const host of this.hosts) {
      const inside =
        host.nat && host.nat.address === address ? host.nat.in(port, server.endpoint, this.now) : undefined;
      if (socketOf(host, inside ?? (to as Endpoint)) === undefined || (host.nat && !inside)) continue;
      this.#deliver(host, inside ?? (to as Endpoint), server.endpoint, frame);
    }
  }

  #after(ms: number, run: () => void): void {
    this.#queue.push({ at: this.now + ms, order: this.#order++, run });
  }

  #nextAt(): number {
    let at = Infinity;
    for (const event of this.#queue) at = Math.min(at, event.at);
    for (const host of this.hosts) at = Math.min(at, host.manager.pollTimeout()?.at ?? Infinity);
    return at;
  }

  #runDue(): void {
    const due = this.#queue.filter(({ at }) => at <= this.now).sort((a, b) => a.at - b.at || a.order - b.order);
    this.#queue = this.#queue.filter(({ at }) => at > this.now);
    for (const { run } of due) run();
    for (const host of this.hosts) {
      if ((host.manager.pollTimeout()?.at ?? Infinity) > this.now) continue;
      host.manager.handleTimeout(this.now);
      host.drain();
    }
  }
}

const socketOf = (host: FakeHost, to: Endpoint): number | undefined => {
  for (const socket of host.sockets.keys()) if (host.endpoint(socket) === to) return socket;
  return undefined;
};
