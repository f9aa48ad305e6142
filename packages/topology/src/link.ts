import { hostPrefix, type NodeId, type Prefix, prefixContains } from '@warren/base';
import { standing } from './decide.js';
import { CLIENT_KEEPALIVE, type Facts, type NetworkNode, type Peer } from './model.js';
import { hostPrefixes, sortedPrefixes } from './order.js';

/**
 * How two nodes see each other: `[a sees b, b sees a]`, both present or both absent (a node has no peer in itself).
 * Pure and pairwise (docs/ARCHITECTURE.md, “Life of a change”); `facts` are those of the network that both are in.
 *
 * | a ↔ b | |
 * |---|---|
 * | any ↔ direct | straight, each with its own addresses |
 * | bounce ↔ bounce | straight; each stands for the clients homed at it |
 * | client ↔ its home | straight; the home stands for all other bounces and clients, to a vanilla member for the network |
 * | client ↔ another bounce | no WireGuard peers: the path is that of the client's home, both ways |
 * | client ↔ client | no WireGuard peers: each reaches the other through its own home |
 *
 * A client is no peer of a bounce that is not its home on purpose. At that bounce the client's address belongs to the
 * home (packets of everybody else homed there come that way), so whatever the client sent straight would fail the source
 * check. One path for a pair, the same in both directions, is what lets both ends' AllowedIPs agree.
 */
export function link(
  a: NetworkNode,
  b: NetworkNode,
  facts: Facts,
): readonly [aSeesB: Peer | undefined, bSeesA: Peer | undefined] {
  if (a.id === b.id) return [undefined, undefined];
  return [see(a, b, facts), see(b, a, facts)];
}

function see(from: NetworkNode, to: NetworkNode, facts: Facts): Peer {
  const home = facts.homes.get(from.id);
  const [fromRole, toRole] = [standing(from), standing(to)];
  if (toRole === 'bounce' && home === to.id) return straight(from, to, throughHome(from, to, facts));
  if (fromRole === 'direct' || toRole === 'direct') return straight(from, to, hostPrefixes(to.addresses));
  if (toRole === 'bounce') {
    return fromRole === 'bounce' ? straight(from, to, facts.routes.get(to.id) ?? []) : through(to, home);
  }
  if (fromRole === 'client') return through(to, home);
  const itsHome = facts.homes.get(to.id);
  return itsHome === from.id ? straight(from, to, hostPrefixes(to.addresses)) : through(to, itsHome);
}

/** What `from` sends to its home bounce: exact for agents, the whole network for vanilla members (ADR 0006). */
function throughHome(from: NetworkNode, home: NetworkNode, facts: Facts): readonly Prefix[] {
  if (from.kind === 'vanilla') {
    const outside = home.addresses.filter((address) => !facts.cidrs.some((cidr) => prefixContains(cidr, address)));
    return outside.length === 0 ? facts.cidrs : sortedPrefixes([...facts.cidrs, ...outside.map(hostPrefix)]);
  }
  // Copied and cut rather than filtered: with many clients each of them has such a list, and each changes with each join.
  const prefixes = facts.relayed.slice();
  const own = from.addresses.map((address) => facts.relayedAt.get(hostPrefix(address)) ?? -1);
  for (const at of own.filter((position) => position >= 0).sort((a, b) => b - a)) prefixes.splice(at, 1);
  return prefixes;
}

/** WireGuard peers of each other. Only who has no address that others know keeps the way open. */
function straight(from: NetworkNode, to: NetworkNode, allowedIps: readonly Prefix[]): Peer {
  return {
    ...described(to),
    allowedIps,
    persistentKeepalive: standing(from) === 'client' ? CLIENT_KEEPALIVE : 0,
    ...(standing(to) !== 'client' && to.endpoint !== undefined && { endpoint: to.endpoint }),
  };
}

/** Known but no WireGuard peer. Without a bounce there is no way yet, and the entry says so by naming none. */
function through(to: NetworkNode, via: NodeId | undefined): Peer {
  return { ...described(to), allowedIps: [], persistentKeepalive: 0, ...(via !== undefined && { via }) };
}

function described(
  node: NetworkNode,
): Pick<Peer, 'id' | 'name' | 'role' | 'kind' | 'publicKey' | 'addresses' | 'record'> {
  const { id, name, role, kind, publicKey, addresses, record } = node;
  return { id, name, role, kind, publicKey, addresses, ...(record && { record }) };
}
