import { type IpAddress, ipFamily, makePrefix, type Prefix, parseEndpoint } from '@warren/base';
import { canPunch } from './nat-rule.js';
import type { Candidate, NatKind } from './path-manager-api.js';

/** The commonest length of a LAN's prefix. */
const LAN_LENGTH = 24;

/** What one side knows of itself or hears from the other. */
interface Side {
  readonly nat: NatKind;
  readonly candidates: readonly Candidate[];
}

/** Whether a direct path between the two is to be expected, as soon as nothing is in its way. */
export const isDirectLikely = (ours: Side, theirs: Side): boolean =>
  canPunch(ours.nat, theirs.nat) || mayShareNetwork(ours.candidates, theirs.candidates);

/**
 * Whether two hosts may reach each other without crossing a NAT: both have IPv6, sit behind the same public address, or have
 * IPv4 addresses of one /24. Only a guess (private ranges overlap), good for how often a path is looked for.
 */
export function mayShareNetwork(ours: readonly Candidate[], theirs: readonly Candidate[]): boolean {
  const known = networksOf(ours);
  for (const network of networksOf(theirs)) if (known.has(network)) return true;
  return false;
}

function networksOf(candidates: readonly Candidate[]): Set<Prefix | IpAddress | 'ipv6'> {
  const networks = new Set<Prefix | IpAddress | 'ipv6'>();
  for (const { kind, endpoint } of candidates) {
    const address = parseEndpoint(endpoint)?.address;
    if (!address) continue;
    if (ipFamily(address) === 6) networks.add('ipv6');
    else if (kind === 'host') networks.add(makePrefix(address, LAN_LENGTH));
    else networks.add(address);
  }
  return networks;
}
