import { CARRIER_NAT, HOME_NAT, type NatBehaviour, type NatKind } from './nat.js';
import type { Router } from './router.js';
import type { Segment } from './segment.js';
import type { World } from './world.js';

/** What stands between a host and the internet. */
export interface SiteKind {
  readonly name: string;
  /** From the host outwards; none: the host is public. */
  readonly nats: readonly NatKind[];
  /** How all of them together look from the host, in the terms of RFC 4787; `none`: no translation. */
  readonly mapping: NatBehaviour | 'none';
  readonly filtering: NatBehaviour | 'none';
  /** Whether a packet that comes too early spoils the flow, so that punching is a race. Not unless said. */
  readonly race?: boolean;
}

type Terms = Pick<SiteKind, 'mapping' | 'filtering'>;
const EI = 'endpoint-independent';
const AD = 'address-dependent';
const APD = 'address-and-port-dependent';

const one = (name: string, terms: Terms, nat: NatKind): SiteKind => ({ name, nats: [nat], ...terms });
const behavioural = (name: string, mapping: NatBehaviour, filtering: NatBehaviour, ports = {}): SiteKind =>
  one(name, { mapping, filtering }, { mapping, filtering, ...ports });

/** What carriers are asked to run (RFC 6888 §3 REQ-1): endpoint-independent mapping, ports from a pool. */
const carrier = (hairpinning: boolean): NatKind => ({ mapping: EI, filtering: APD, ports: 'random', hairpinning });

/** The kinds of sites that the grid of pairs is made of. */
export const SITE_KINDS = [
  { name: 'public', nats: [], mapping: 'none', filtering: 'none' },
  behavioural('ei-ei', EI, EI),
  behavioural('ei-ad', EI, AD),
  behavioural('ei-apd', EI, APD),
  behavioural('ei-apd-random', EI, APD, { ports: 'random' }),
  behavioural('ad-ad', AD, AD),
  behavioural('ad-apd', AD, APD),
  behavioural('apd-apd-random', APD, APD, { ports: 'random' }),
  behavioural('apd-apd-sequential', APD, APD, { ports: 'sequential' }),
  one('masquerade', { mapping: EI, filtering: APD }, { masquerade: 'input-dropped' }),
  { ...one('masquerade-open', { mapping: EI, filtering: APD }, { masquerade: 'input-accepted' }), race: true },
  { name: 'carrier', nats: [HOME_NAT, carrier(false)], mapping: EI, filtering: APD },
  { name: 'carrier-hairpin', nats: [HOME_NAT, carrier(true)], mapping: EI, filtering: APD },
] as const satisfies readonly SiteKind[];

/** Tethered to a telephone: two NATs, of which the carrier's gives each flow a port of its own. */
export const MOBILE_SITE: SiteKind = { name: 'mobile', nats: [HOME_NAT, CARRIER_NAT], mapping: APD, filtering: APD };

export interface SiteOptions {
  /** Unique in the world. */
  readonly name: string;
  readonly kind: SiteKind;
  /** The hosts' private range; 192.168.1.0/24 unless said, on every site. */
  readonly lan?: string;
  /** A carrier's router that is there already, for a kind with two NATs: both sites are its customers. */
  readonly customerOf?: Router;
}

/** A place for hosts: plug them into `segment`. */
export interface Site {
  readonly kind: SiteKind;
  readonly segment: Segment;
  /** From the hosts outwards; none at a public site. */
  readonly routers: readonly Router[];
}

const LAN = '192.168.1.0/24';
const CARRIER_LAN = '100.64.0.0/24';

/** Makes the routers of a site. */
export async function addSite(world: World, options: SiteOptions): Promise<Site> {
  const { name, kind, customerOf } = options;
  const routers: Router[] = customerOf ? [customerOf] : [];
  const left = customerOf ? kind.nats.slice(0, -1) : kind.nats;
  for (const [index, nat] of [...left.entries()].reverse()) {
    const lan = index === 0 ? (options.lan ?? LAN) : CARRIER_LAN;
    const upstream = routers[0] ? { upstream: routers[0] } : {};
    routers.unshift(await world.addRouter({ name: `${name}-nat${index}`, nat, lan, ...upstream }));
  }
  return { kind, segment: routers[0] ?? world.internet, routers };
}
