import { type IpAddress, invariant, ipFamily } from '@warren/base';
import { Nat, type NatKind } from './nat.js';
import type { DropReason, Packet } from './packet.js';
import { type Gateway, type Link, link, type Segment } from './segment.js';

export interface RouterOptions {
  readonly name: string;
  /** Whose gateway it becomes. */
  readonly inside: Segment;
  readonly outside: Segment;
  /** Its IPv4 address on the outside, for all hosts inside. */
  readonly address: IpAddress;
  /** For IPv4. With mapping `none` inside addresses are public. */
  readonly nat: NatKind;
  /** For IPv6, whose addresses are never translated; absent: IPv6 does not pass. */
  readonly ipv6?: NatKind;
  readonly link?: Partial<Link>;
}

/** The stateful firewall that home routers put before IPv6: nothing gets in that was not asked for. */
export const IPV6_FIREWALL: NatKind = {
  mapping: 'none',
  filtering: 'address-and-port-dependent',
  ports: 'preserving',
  lifetimeMs: 120_000,
  inboundRefreshes: true,
  hairpinning: false,
};

/** A router between two segments, with a NAT for IPv4 and a firewall for IPv6. Behind another router: a carrier's NAT. */
export class Router implements Gateway {
  readonly name: string;
  readonly inside: Segment;
  readonly outside: Segment;
  readonly link: Link;
  readonly nat: Nat;
  readonly firewall: Nat | undefined;
  /** Drops every datagram; streams pass. */
  udpBlocked = false;
  /** Increases with each reboot: streams of before are dead. */
  epoch = 0;

  constructor(options: RouterOptions) {
    this.name = options.name;
    this.inside = options.inside;
    this.outside = options.outside;
    this.link = link(options.link);
    const { random } = options.outside.internet;
    this.nat = new Nat(options.nat, options.address, random);
    this.firewall = options.ipv6 && new Nat(options.ipv6, options.address, random);
    invariant(!this.inside.gateway, `${this.inside.name} has a router already`);
    this.inside.gateway = this;
    this.outside.attach(this, options.address);
  }

  routes(address: IpAddress): boolean {
    return ipFamily(address) === 4 ? this.nat.kind.mapping === 'none' : this.firewall !== undefined;
  }

  handlePacket(packet: Packet, segment: Segment): void {
    const table = ipFamily(packet.destination.address) === 4 ? this.nat : this.firewall;
    if (this.udpBlocked) this.drop('udp-blocked', packet);
    else if (!table) this.drop('no-route', packet);
    else if (segment !== this.inside) this.handleInbound(table, packet);
    else if (table.kind.mapping !== 'none' && packet.destination.address === table.address) {
      this.handleHairpin(table, packet);
    } else this.handleOutbound(table, packet);
  }

  /** Power off and on: mappings are gone, and with `address` the external address is another. */
  reboot(address: IpAddress = this.nat.address): void {
    this.outside.detach(this.nat.address);
    this.outside.attach(this, address);
    this.nat.reboot(address);
    this.firewall?.reboot();
    this.epoch++;
  }

  private get now(): number {
    return this.outside.internet.now;
  }

  private handleOutbound(table: Nat, packet: Packet): void {
    const source = table.outbound(packet.source, packet.destination, this.now);
    if (source) this.outside.transmit({ ...packet, source }, this);
    else this.drop('no-mapping', packet);
  }

  private handleInbound(table: Nat, packet: Packet): void {
    const destination = table.inbound(packet.destination, packet.source, this.now);
    if (typeof destination === 'string') this.drop(destination, packet);
    else this.inside.transmit({ ...packet, destination }, this);
  }

  /** Out and in again, as if it had been outside: the receiver sees an address that it can answer. */
  private handleHairpin(table: Nat, packet: Packet): void {
    const source = table.kind.hairpinning ? table.outbound(packet.source, packet.destination, this.now) : undefined;
    if (source) this.handleInbound(table, { ...packet, source });
    else this.drop(table.kind.hairpinning ? 'no-mapping' : 'no-hairpinning', packet);
  }

  private drop(why: DropReason, packet: Packet): void {
    this.outside.internet.note(why, this.name, packet);
  }
}
