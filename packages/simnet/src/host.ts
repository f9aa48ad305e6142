import { type IpAddress, invariant, ipFamily } from '@warren/base';
import type { Internet } from './internet.js';
import type { Packet, SocketAddress } from './packet.js';
import { type Link, link, type Segment, type Station } from './segment.js';
import { connectStream, type SimStream, type StreamHandlers } from './stream.js';

/** A UDP socket on every address of a host. */
export interface SimSocket {
  readonly port: number;
  /** Datagrams to a family of which the host has no address are dropped. */
  send(destination: SocketAddress, payload: Uint8Array): void;
  close(): void;
}

export type Receive = (payload: Uint8Array, source: SocketAddress) => void;

const FIRST_EPHEMERAL_PORT = 32_768;

/** A host on one segment at a time, with at most one address a family. */
export class Host implements Station {
  readonly link: Link;
  /** Datagrams that it sent. */
  sentPackets = 0;
  sentBytes = 0;
  receivedPackets = 0;
  /** Drops every datagram both ways, as a firewall on the host does; streams pass. */
  udpBlocked = false;
  /** Increases with each move: streams of before are dead. */
  epoch = 0;
  private place: { readonly segment: Segment; readonly addresses: readonly IpAddress[] } | undefined;
  private readonly sockets = new Map<number, Receive>();
  private readonly listeners = new Map<number, (stream: SimStream, remote: SocketAddress) => void>();

  constructor(
    readonly internet: Internet,
    readonly name: string,
    options: Partial<Link> = {},
  ) {
    this.link = link(options);
  }

  get segment(): Segment | undefined {
    return this.place?.segment;
  }

  get addresses(): readonly IpAddress[] {
    return this.place?.addresses ?? [];
  }

  /** Leaves where it was and appears here. Sockets stay open; packets that are under way to the old place are lost. */
  moveTo(segment: Segment, ...addresses: readonly IpAddress[]): void {
    this.leave();
    for (const address of addresses) segment.attach(this, address);
    this.place = { segment, addresses };
    this.epoch++;
  }

  /** Is nowhere: nothing is sent or received. */
  leave(): void {
    for (const address of this.addresses) this.place!.segment.detach(address);
    this.place = undefined;
  }

  /** @param port 0: any. */
  openSocket(port: number, receive: Receive): SimSocket {
    const bound = port === 0 ? this.freePort() : port;
    invariant(!this.sockets.has(bound), `port ${bound} of ${this.name} is taken`);
    this.sockets.set(bound, receive);
    return {
      port: bound,
      send: (destination, payload) => this.send(bound, destination, payload),
      close: () => this.sockets.delete(bound),
    };
  }

  /** Streams to this port are accepted, whatever address they name. */
  listen(port: number, accept: (stream: SimStream, remote: SocketAddress) => void): void {
    this.listeners.set(port, accept);
  }

  stopListening(port: number): void {
    this.listeners.delete(port);
  }

  /** Opens a stream: `handlers.opened` or `handlers.closed` tells how that went. */
  connect(destination: SocketAddress, handlers: StreamHandlers): SimStream {
    return connectStream(this, destination, handlers);
  }

  /** For streams: who accepts at this port. */
  listener(port: number): ((stream: SimStream, remote: SocketAddress) => void) | undefined {
    return this.listeners.get(port);
  }

  handlePacket(packet: Packet): void {
    const receive = this.sockets.get(packet.destination.port);
    this.internet.note(this.udpBlocked ? 'udp-blocked' : receive ? 'delivered' : 'no-socket', this.name, packet);
    if (this.udpBlocked || !receive) return;
    this.receivedPackets++;
    receive(packet.payload, packet.source);
  }

  private send(port: number, destination: SocketAddress, payload: Uint8Array): void {
    const family = ipFamily(destination.address);
    const address = this.addresses.find((one) => ipFamily(one) === family);
    const packet = { source: { address: address ?? destination.address, port }, destination, payload };
    this.internet.note(!address ? 'no-route' : this.udpBlocked ? 'udp-blocked' : 'sent', this.name, packet);
    if (!address || this.udpBlocked) return;
    this.sentPackets++;
    this.sentBytes += payload.length;
    this.place!.segment.transmit(packet, this);
  }

  private freePort(): number {
    for (;;) {
      const port = this.internet.random.between(FIRST_EPHEMERAL_PORT, 65_535);
      if (!this.sockets.has(port)) return port;
    }
  }
}
