import {
  addressBits,
  hostPrefix,
  type Prefix,
  parsePrefix,
  prefixContains,
  prefixesOverlap,
  prefixLength,
} from '@warren/base';
import type { AcceptedPeer } from '../codec/domain.js';
import type { HostNetwork } from '../host/lan.js';
import type { Warning } from './status-types.js';

/** A network of this agent. */
export interface OwnNetwork {
  readonly name: string;
  readonly interfaceName: string;
  readonly cidrs: readonly string[];
}

export interface LanClashes {
  /** For the status. */
  readonly warnings: readonly Warning[];
  /** LANs that overlap the network. */
  readonly clashes: readonly Prefix[];
  /** LANs with private prefixes, the largest first; single addresses left out. */
  readonly lans: readonly Prefix[];
  /** What must get no route into the network, because the host or its LAN's router has the address. */
  readonly unrouted: readonly Prefix[];
}

/** RFC 1918, RFC 6598, RFC 4193: where networks are made. Of no other LAN anybody is told. */
const PRIVATE = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7'] as Prefix[];
/** Names in a warning; the rest is counted. */
const MAX_NAMES = 5;

/**
 * What of this host's other networks is in the way of one of ours. Nodes are routed one by one, so that all other hosts of a
 * LAN are reached as before; routers of the LAN and the host's own addresses stay what they are.
 */
export function findLanClashes(
  network: OwnNetwork,
  others: readonly OwnNetwork[],
  host: HostNetwork,
  peers: readonly Pick<AcceptedPeer, 'name' | 'addresses'>[],
): LanClashes {
  const ours = new Set([network.interfaceName, ...others.map(({ interfaceName }) => interfaceName)]);
  const cidrs = network.cidrs.map((text) => parsePrefix(text)).filter((prefix) => prefix !== undefined);
  const foreign = host.prefixes.filter(({ interfaceName }) => !ours.has(interfaceName));
  const overlaps = cidrs.flatMap((cidr) => {
    const found = foreign.filter(({ prefix }) => prefixesOverlap(cidr, prefix));
    return found.map((lan) => ({ cidr, lan: lan.prefix, interfaceName: lan.interfaceName }));
  });
  const kept = host.addresses.filter(
    ({ interfaceName, address }) => !ours.has(interfaceName) && cidrs.some((cidr) => prefixContains(cidr, address)),
  );
  const lost = peers.filter(({ addresses }) => kept.some(({ address }) => addresses.includes(address)));
  const distinct = new Map(overlaps.map((overlap) => [`${overlap.lan} ${overlap.interfaceName}`, overlap]));
  const warnings = [...distinct.values()].map((overlap) => lanWarning(overlap, network, peers, lost));
  return {
    warnings: [...warnings, ...networkWarnings(network, others)],
    clashes: unique(overlaps.map(({ lan }) => lan)),
    lans: unique(foreign.map(({ prefix }) => prefix))
      .filter(
        (prefix) => prefixLength(prefix) < addressBits(prefix) && PRIVATE.some((all) => prefixesOverlap(all, prefix)),
      )
      .sort((a, b) => prefixLength(a) - prefixLength(b)),
    unrouted: unique(kept.map(({ address }) => hostPrefix(address))),
  };
}

type Peers = readonly Pick<AcceptedPeer, 'name' | 'addresses'>[];

function lanWarning(
  { cidr, lan, interfaceName }: { cidr: Prefix; lan: Prefix; interfaceName: string },
  network: OwnNetwork,
  peers: Peers,
  lost: Peers,
): Warning {
  const inLan = ({ addresses }: Peers[number]): boolean => addresses.some((address) => prefixContains(lan, address));
  const away = lost.filter(inLan);
  const hiding = peers.filter((peer) => inLan(peer) && !lost.includes(peer));
  const effects = [
    hiding.length > 0
      ? `hosts of that LAN with the addresses of ${names(hiding)} are not reached`
      : 'no node hides a host of that LAN now',
    ...(away.length > 0 ? [`${names(away)} of the network cannot be reached: the LAN has the address`] : []),
  ];
  return {
    code: 'lan-clash',
    message:
      `the LAN ${lan} on ${interfaceName} overlaps ${cidr} of network ${network.name}: ${effects.join('; ')}. ` +
      'Renumber the network (warren network renumber) or that LAN',
  };
}

/** Networks are compared at the join; but one may have been renumbered since. */
function networkWarnings(network: OwnNetwork, others: readonly OwnNetwork[]): Warning[] {
  const overlap = (a: string, b: string): boolean => {
    const [x, y] = [parsePrefix(a), parsePrefix(b)];
    return x !== undefined && y !== undefined && prefixesOverlap(x, y);
  };
  return others
    .filter(({ cidrs }) => cidrs.some((cidr) => network.cidrs.some((own) => overlap(own, cidr))))
    .map(({ name }) => ({
      code: 'network-clash',
      message: `network ${network.name} overlaps network ${name}, which this host has joined, too: renumber one of them (warren network renumber)`,
    }));
}

function names(peers: Peers): string {
  const shown = peers.slice(0, MAX_NAMES).map(({ name, addresses }) => `${name} (${addresses.join(' ')})`);
  const more = peers.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}

const unique = <T>(items: readonly T[]): T[] => [...new Set(items)];
