import { type Instant, type IpAddress, parseEndpoint, parseIpAddress } from '@warren/base';
import type { TransportAddress } from '../attributes.js';
import { type BindingServer, createBindingServer, type ServerSocket } from '../binding-server.js';
import { createNatDiscovery, type DiscoveryServer, type NatDiscovery, type NatDiscoveryResult } from '../discovery.js';

export type Behaviour = 'endpoint-independent' | 'address-dependent' | 'address-and-port-dependent';

export interface WorldOptions {
  /** Absent: no translation. */
  readonly mapping?: Behaviour;
  /** Absent: nothing is filtered. */
  readonly filtering?: Behaviour;
  readonly hairpinning?: boolean;
  /** Each has one address, or two; `plain` ones know no RFC 5780. */
  readonly servers: readonly ('one' | 'two' | 'plain' | 'dead')[];
  /** Whether a datagram is lost, asked for each. */
  readonly loses?: () => boolean;
}

interface Flight {
  readonly at: number;
  readonly from: TransportAddress;
  readonly to: TransportAddress;
  readonly datagram: Uint8Array;
}

const text = ({ address, port }: TransportAddress): string => `${address}:${port}`;
const INSIDE = parseIpAddress('192.168.1.2')!;
const OUTSIDE = parseIpAddress('203.0.113.9')!;
const LATENCY = 20;

/** A discovery behind a NAT that is nothing but its RFC 4787 keys, servers, and a clock. */
export class NatWorld {
  now = 1_000;
  sent = 0;
  readonly discovery: NatDiscovery;
  private readonly flights: Flight[] = [];
  private readonly mappings = new Map<string, number>();
  private readonly owners = new Map<number, TransportAddress>();
  private readonly pinholes = new Set<string>();
  private readonly answering = new Map<
    string,
    { server: BindingServer; at: ServerSocket; sockets: Record<string, TransportAddress> }
  >();

  constructor(private readonly options: WorldOptions) {
    const servers = options.servers.map((kind, index) => this.addServer(kind, index));
    let count = 0;
    this.discovery = createNatDiscovery({
      servers,
      localAddresses: [options.mapping ? INSIDE : OUTSIDE],
      random: (length) => Uint8Array.from({ length }, (_, i) => (i === 0 ? ++count : i)),
      now: this.now as Instant,
    });
  }

  /** Runs until the discovery has its result. */
  run(): NatDiscoveryResult {
    for (;;) {
      this.sendAll();
      const result = this.discovery.result();
      if (result) return result;
      this.flights.sort((a, b) => a.at - b.at);
      const timeout = this.discovery.pollTimeout();
      const flight = this.flights[0];
      if (flight && (timeout === undefined || flight.at <= timeout)) this.deliver(this.flights.shift()!);
      else if (timeout === undefined) throw new Error('it waits for nothing and has no result');
      else {
        this.now = Math.max(this.now, timeout);
        this.discovery.handleTimeout(this.now as Instant);
      }
    }
  }

  private addServer(kind: WorldOptions['servers'][number], index: number): DiscoveryServer {
    const primary = parseEndpoint(`198.51.100.${10 * index + 1}:3478`)!;
    const sockets: Record<string, TransportAddress> = { primary };
    if (kind === 'one' || kind === 'two') sockets['alternate-port'] = { ...primary, port: 3479 };
    if (kind === 'two') {
      const address = parseIpAddress(`198.51.100.${10 * index + 2}`)!;
      sockets['alternate-address'] = { address, port: 3478 };
      sockets.both = { address, port: 3479 };
    }
    const server = createBindingServer({ sockets: { primary, ...sockets } });
    for (const [at, endpoint] of Object.entries(sockets)) {
      if (kind !== 'dead') this.answering.set(text(endpoint), { server, at: at as ServerSocket, sockets });
    }
    return { id: `server-${index}`, endpoint: primary };
  }

  private sendAll(): void {
    for (let out = this.discovery.pollTransmit(); out; out = this.discovery.pollTransmit()) {
      this.sent++;
      const from = { address: this.options.mapping ? INSIDE : OUTSIDE, port: 5_000 + out.socket };
      this.launch(this.translate(from, out.to), out.to, out.datagram);
    }
  }

  private launch(from: TransportAddress, to: TransportAddress, datagram: Uint8Array): void {
    if (!this.options.loses?.()) this.flights.push({ at: this.now + LATENCY, from, to, datagram });
  }

  private translate(inner: TransportAddress, to: TransportAddress): TransportAddress {
    const key = `${text(inner)} ${remoteKey(this.options.mapping, to)}`;
    const port = this.options.mapping ? (this.mappings.get(key) ?? 20_000 + this.mappings.size * 7) : inner.port;
    this.mappings.set(key, port);
    this.owners.set(port, inner);
    this.pinholes.add(`${port} ${remoteKey(this.options.filtering, to)}`);
    return { address: OUTSIDE, port };
  }

  private deliver(flight: Flight): void {
    this.now = Math.max(this.now, flight.at);
    const { from, to, datagram } = flight;
    if (to.address === OUTSIDE) {
      if (from.address !== OUTSIDE || this.options.hairpinning) this.comeIn(from, to, datagram);
      return;
    }
    const at = this.answering.get(text(to));
    const answer = at?.server.answer(datagram, from, at.at);
    if (at && answer) this.launch(at.sockets[answer.via]!, answer.to, answer.datagram);
  }

  private comeIn(from: TransportAddress, to: TransportAddress, datagram: Uint8Array): void {
    const inner = this.owners.get(to.port);
    if (!inner || !this.pinholes.has(`${to.port} ${remoteKey(this.options.filtering, from)}`)) return;
    this.discovery.handleDatagram(inner.port - 5_000, datagram, from, this.now as Instant);
  }
}

function remoteKey(behaviour: Behaviour | undefined, remote: { address: IpAddress; port: number }): string {
  if (behaviour === 'address-dependent') return remote.address;
  return behaviour === 'address-and-port-dependent' ? text(remote) : '';
}
