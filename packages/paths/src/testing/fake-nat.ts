import { type Endpoint, formatEndpoint, type Instant, type IpAddress, parseEndpoint } from '@warren/base';
import type { NatKind } from '../path-manager-api.js';

interface Mapping {
  readonly inside: Endpoint;
  readonly port: number;
  /** Destinations that were sent to: endpoints and addresses. */
  readonly allowed: Set<string>;
  usedAt: Instant;
}

/** A NAT by RFC 4787: the mapping is the key under which a port is remembered, the filtering who may come in. */
export class FakeNat {
  #mappings = new Map<string, Mapping>();
  #byPort = new Map<number, Mapping>();
  #nextPort = 20_000;
  #seed: number;

  constructor(
    public address: IpAddress,
    readonly kind: NatKind,
    private readonly options: {
      readonly random?: boolean;
      readonly hairpin?: boolean;
      readonly lifetime?: number;
      readonly seed?: number;
    } = {},
  ) {
    this.#seed = options.seed ?? 77;
  }

  get hairpins(): boolean {
    return this.options.hairpin ?? false;
  }

  /** Everything is forgotten, as when a router starts again. */
  reboot(address = this.address): void {
    this.address = address;
    this.#mappings = new Map();
    this.#byPort = new Map();
    this.#nextPort += 1_000;
  }

  /** The outer source of what goes from `inside` to `to`. */
  out(inside: Endpoint, to: Endpoint, now: Instant): Endpoint {
    if (this.kind.mapping === 'none') return inside;
    const key = `${inside} ${this.#part(this.kind.mapping, to)}`;
    let mapping = this.#mappings.get(key);
    if (!mapping || now - mapping.usedAt > (this.options.lifetime ?? Infinity)) {
      mapping = { inside, port: this.#freePort(), allowed: new Set(), usedAt: now };
      this.#mappings.set(key, mapping);
      this.#byPort.set(mapping.port, mapping);
    }
    mapping.usedAt = now;
    mapping.allowed.add(to).add(parseEndpoint(to)!.address);
    return formatEndpoint(this.address, mapping.port);
  }

  /** Who inside gets what comes to `port`; undefined when it is filtered. */
  in(port: number, from: Endpoint, now: Instant): Endpoint | undefined {
    const mapping = this.#byPort.get(port);
    if (!mapping || now - mapping.usedAt > (this.options.lifetime ?? Infinity)) return undefined;
    const part = this.#part(this.kind.filtering, from);
    return part === '' || mapping.allowed.has(part) ? mapping.inside : undefined;
  }

  #part(behaviour: NatKind['mapping'], other: Endpoint): string {
    if (behaviour === 'address-dependent') return parseEndpoint(other)!.address;
    return behaviour === 'address-and-port-dependent' ? other : '';
  }

  #freePort(): number {
    if (!this.options.random) return this.#nextPort++;
    do this.#seed = (this.#seed * 1_103_515_245 + 12_345) % 2 ** 31;
    while (this.#byPort.has(1_024 + ((this.#seed >>> 8) % 64_000)));
    return 1_024 + ((this.#seed >>> 8) % 64_000);
  }
}
