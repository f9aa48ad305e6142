import type { IpAddress } from '@warren/base';
import type { SocketAddress } from './packet.js';
import type { Random } from './random.js';

/** RFC 4787 §4.1 and §5; `none`: the address is kept, or nothing is filtered. */
export type Behaviour = 'none' | 'endpoint-independent' | 'address-dependent' | 'address-and-port-dependent';

/** How one NAT behaves, in the terms of RFC 4787. */
export interface NatKind {
  /** §4.1. `none` is a router with a stateful firewall, or without one. */
  readonly mapping: Behaviour;
  /** §5. */
  readonly filtering: Behaviour;
  /** §4.2.1: the internal port if it is free, any, or one after the other. */
  readonly ports: 'preserving' | 'random' | 'sequential';
  /** §4.3: how long a mapping lives after the last packet that refreshed it. */
  readonly lifetimeMs: number;
  /** §4.3: packets from outside refresh a mapping too, not only those from inside. */
  readonly inboundRefreshes: boolean;
  /** §6, with the external source address (REQ-9 a). */
  readonly hairpinning: boolean;
}

/** RFC 4787 REQ-1, REQ-8, REQ-9 for transparency: the kindest NAT. */
export const KIND_NAT: NatKind = {
  mapping: 'endpoint-independent',
  filtering: 'endpoint-independent',
  ports: 'preserving',
  lifetimeMs: 300_000,
  inboundRefreshes: true,
  hairpinning: true,
};

interface Mapping {
  readonly internal: SocketAddress;
  readonly external: SocketAddress;
  refreshedAt: number;
  /** What packets from inside went to, at the precision of the filtering behaviour, and when it was last so. */
  readonly permissions: Map<string, number>;
  /** Keys by which this mapping is found from inside. */
  readonly keys: Set<string>;
}

const FIRST_PORT = 1024;
const PORTS = 65_536 - FIRST_PORT;

/**
 * One NAT's tables. A machine: time comes in with each packet. Permissions belong to a mapping, as in NATs that keep sessions,
 * not to the internal endpoint as the letter of RFC 4787 §5 has it: the two differ only where mapping is dependent. A packet
 * that is let in binds its sender to the mapping by which it came, so that the answer leaves by the same one.
 */
export class Nat {
  private readonly byKey = new Map<string, Mapping>();
  private readonly byExternal = new Map<string, Mapping>();
  private lastPort: number;

  constructor(
    readonly kind: NatKind,
    /** The external address; `reboot` may change it. */
    public address: IpAddress,
    private readonly random: Random,
  ) {
    this.lastPort = random.integer(PORTS);
  }

  /**
   * A packet from inside.
   * @returns the source that it has outside; undefined when no port is free.
   */
  outbound(source: SocketAddress, destination: SocketAddress, now: number): SocketAddress | undefined {
    if (this.stateless) return source;
    const key = this.mappingKey(source, destination);
    let mapping =
      this.alive(this.byKey.get(sessionKey(source, destination)), now) ?? this.alive(this.byKey.get(key), now);
    if (!mapping) {
      const external = this.allocate(source, now);
      if (!external) return undefined;
      mapping = { internal: source, external, refreshedAt: now, permissions: new Map(), keys: new Set() };
      this.byExternal.set(text(external), mapping);
      this.bind(key, mapping);
    }
    mapping.refreshedAt = now;
    mapping.permissions.set(this.permission(destination), now);
    return mapping.external;
  }

  /**
   * A packet from outside.
   * @returns where it goes inside, or why it does not.
   */
  inbound(destination: SocketAddress, source: SocketAddress, now: number): SocketAddress | 'no-mapping' | 'filtered' {
    if (this.stateless) return destination;
    const mapping = this.alive(this.byExternal.get(text(destination)), now);
    if (!mapping) return 'no-mapping';
    const permission = this.permission(source);
    const permittedAt = mapping.permissions.get(permission);
    if (this.filters && (permittedAt === undefined || permittedAt + this.kind.lifetimeMs <= now)) return 'filtered';
    if (this.kind.inboundRefreshes) {
      mapping.refreshedAt = now;
      mapping.permissions.set(permission, now);
    }
    // Only this sender: packets to other ports of its address still leave by the mapping that they have (RFC 4787 §4.1).
    this.bind(sessionKey(mapping.internal, source), mapping);
    const key = this.mappingKey(mapping.internal, source);
    if (!this.alive(this.byKey.get(key), now)) this.bind(key, mapping);
    return mapping.internal;
  }

  /** Forgets everything; `address`: the external address from now on. */
  reboot(address: IpAddress = this.address): void {
    this.byKey.clear();
    this.byExternal.clear();
    this.address = address;
    this.lastPort = this.random.integer(PORTS);
  }

  /** Mappings that still live. */
  size(now: number): number {
    return [...this.byExternal.values()].filter((mapping) => this.alive(mapping, now)).length;
  }

  private get stateless(): boolean {
    return this.kind.mapping === 'none' && this.kind.filtering === 'none';
  }

  private get filters(): boolean {
    return this.kind.filtering === 'address-dependent' || this.kind.filtering === 'address-and-port-dependent';
  }

  /** The kind of NAT *is* how this key is made. */
  private mappingKey(internal: SocketAddress, remote: SocketAddress): string {
    return `${text(internal)} ${atPrecision(this.kind.mapping, remote)}`;
  }

  private permission(remote: SocketAddress): string {
    return atPrecision(this.kind.filtering, remote);
  }

  private bind(key: string, mapping: Mapping): void {
    this.byKey.get(key)?.keys.delete(key);
    this.byKey.set(key, mapping);
    mapping.keys.add(key);
  }

  private alive(mapping: Mapping | undefined, now: number): Mapping | undefined {
    if (!mapping || mapping.refreshedAt + this.kind.lifetimeMs > now) return mapping;
    this.byExternal.delete(text(mapping.external));
    for (const key of mapping.keys) this.byKey.delete(key);
    return undefined;
  }

  private allocate(internal: SocketAddress, now: number): SocketAddress | undefined {
    if (this.kind.mapping === 'none') return internal;
    const free = (port: number) =>
      !this.alive(this.byExternal.get(text({ address: this.address, port })), now) && {
        address: this.address,
        port,
      };
    const preserved = this.kind.ports === 'preserving' && free(internal.port);
    if (preserved) return preserved;
    let offset = this.kind.ports === 'sequential' ? this.lastPort + 1 : this.random.integer(PORTS);
    for (let tried = 0; tried < PORTS; tried++, offset++) {
      const external = free(FIRST_PORT + (offset % PORTS));
      if (!external) continue;
      this.lastPort = offset % PORTS;
      return external;
    }
    return undefined;
  }
}

function atPrecision(behaviour: Behaviour, remote: SocketAddress): string {
  if (behaviour === 'address-dependent') return remote.address;
  return behaviour === 'address-and-port-dependent' ? text(remote) : '';
}

const sessionKey = (internal: SocketAddress, remote: SocketAddress): string =>
  `session ${text(internal)} ${text(remote)}`;
const text = ({ address, port }: SocketAddress): string => `${address} ${port}`;
