import type { IpAddress } from '@warren/base';
import {
  type Behaviour,
  type Host,
  type Internet,
  IPV6_FIREWALL,
  KIND_NAT,
  type NatKind,
  type Random,
  Router,
  type Segment,
} from '@warren/simnet';

/** Somewhere an agent can be. */
export interface SimSite {
  readonly name: string;
  readonly segment: Segment;
  /** Puts a host there, at an address where it was not before. */
  welcome(host: Host): void;
}

type Cell = readonly [Behaviour, Behaviour, NatKind['ports']];
const [EI, AD, APD] = ['endpoint-independent', 'address-dependent', 'address-and-port-dependent'] as const;
/** Frequent ones first; every mapping and filtering occurs, also pairs that RFC 4787 advises against. */
const CELLS: readonly Cell[] = [
  [EI, EI, 'preserving'],
  [EI, AD, 'preserving'],
  [EI, APD, 'preserving'],
  [EI, APD, 'random'],
  [EI, APD, 'sequential'],
  [AD, AD, 'random'],
  [AD, APD, 'random'],
  [APD, APD, 'random'],
  [APD, APD, 'sequential'],
  [APD, APD, 'preserving'],
  [AD, EI, 'random'],
  [APD, AD, 'random'],
  [APD, EI, 'random'],
];

export function drawNat(random: Random): NatKind {
  const [mapping, filtering, ports] = random.pick(CELLS);
  return {
    ...KIND_NAT,
    mapping,
    filtering,
    ports,
    lifetimeMs: random.pick([30_000, 60_000, 120_000, 300_000]),
    inboundRefreshes: random.chance(0.7),
    hairpinning: random.chance(0.5),
  };
}

/** Places of one world. Private ranges are the same everywhere, as they are in homes. */
export class SiteMap {
  readonly sites: SimSite[] = [];
  readonly routers: Router[] = [];
  private publicAddresses = 0;
  private prefixes = 0;

  constructor(
    private readonly internet: Internet,
    private readonly random: Random,
  ) {}

  /** Each in its turn; `publicAddress` is never the same twice. */
  publicAddress(): IpAddress {
    const number = ++this.publicAddresses;
    return `203.0.${100 + (number >> 7)}.${1 + (number & 127)}` as IpAddress;
  }

  publicIpv6(): IpAddress {
    return `2001:db8:ffff::${(++this.prefixes).toString(16)}` as IpAddress;
  }

  draw(count: number): void {
    while (this.sites.length < count) {
      const kind = this.random.fraction();
      if (kind < 0.12) this.addPublic();
      else if (kind < 0.18) this.addFirewalled();
      else if (kind < 0.35) this.addCarrier();
      else this.addHome(this.internet.core);
    }
  }

  addPublic(): SimSite {
    const ipv6 = this.random.chance(0.3);
    return this.add('public', this.internet.core, () =>
      ipv6 ? [this.publicAddress(), this.publicIpv6()] : [this.publicAddress()],
    );
  }

  /** Public addresses behind a firewall that lets nothing in. */
  addFirewalled(): SimSite {
    const nat: NatKind = { ...KIND_NAT, mapping: 'none', filtering: APD, lifetimeMs: 60_000, hairpinning: false };
    const inside = this.addRouter('firewall', this.internet.core, nat, false);
    return this.add('firewalled', inside, () => [this.publicAddress()]);
  }

  addHome(outside: Segment, nat: NatKind = drawNat(this.random)): SimSite {
    const ipv6 = outside === this.internet.core && this.random.chance(0.25);
    const inside = this.addRouter('home', outside, nat, ipv6);
    const prefix = ++this.prefixes;
    return this.add(`home ${nat.mapping}/${nat.filtering}`, inside, (host) => {
      const ipv4 = `192.168.1.${1 + host}` as IpAddress;
      return ipv6 ? [ipv4, `2001:db8:${prefix.toString(16)}::${host.toString(16)}` as IpAddress] : [ipv4];
    });
  }

  /** A carrier's NAT with homes behind it, and a place for a mobile that is behind it directly. */
  addCarrier(): void {
    const nat = drawNat(this.random);
    const inside = this.addRouter('carrier', this.internet.core, nat, false);
    this.carrierHosts = 100;
    const homes = this.random.between(1, 2);
    for (let i = 0; i < homes; i++) this.addHome(inside);
    this.add(`carrier ${nat.mapping}/${nat.filtering}`, inside, (host) => `100.64.1.${host}`.split(' ') as IpAddress[]);
  }

  private carrierHosts = 0;

  private addRouter(what: string, outside: Segment, nat: NatKind, ipv6: boolean): Segment {
    const name = `${what} ${this.routers.length}`;
    const inside = this.internet.segment(name);
    const inner = outside !== this.internet.core;
    const address = inner ? (`100.64.0.${++this.carrierHosts}` as IpAddress) : this.publicAddress();
    const link = { delayMs: this.random.between(1, 20), jitterMs: this.random.pick([0, 0, 5]) };
    const options = { name, inside, outside, address, nat, link };
    this.routers.push(new Router(ipv6 ? { ...options, ipv6: IPV6_FIREWALL } : options));
    return inside;
  }

  private add(name: string, segment: Segment, addresses: (host: number) => readonly IpAddress[]): SimSite {
    let hosts = 0;
    const site = {
      name: `${name} (${segment.name})`,
      segment,
      welcome: (host: Host) => host.moveTo(segment, ...addresses(++hosts)),
    };
    this.sites.push(site);
    return site;
  }
}
