import { hostPrefix, type NodeId, type Prefix, prefixContains } from '@warren/base';
import { isBehindHome, standing } from './decide.js';
import { CLIENT_KEEPALIVE, type Facts, type NetworkNode, type Peer, pairId } from './model.js';
import { hostPrefixes, sortedPrefixes } from './order.js';

/**
 * How two nodes see each other: `[a sees b, b sees a]`, both present or both absent (a node has no peer in itself).
 * Pure and pairwise (docs/ARCHITECTURE.md, “Life of a change”); `facts` are those of the network that both are in.
 *
 * | a ↔ b | |
 * |---|---|
 * | agent ↔ agent | straight, by whatever path the two find; each with its own addresses |
 * | any ↔ direct | straight, each with its own addresses |
 * | bounce, or agent client ↔ bounce | straight; a bounce also stands for the vanilla members homed at it |
 * | vanilla member ↔ its home | straight; the home stands for the network |
 * | vanilla client ↔ anything else | no WireGuard peers: by way of the vanilla member's home, both ways |
 *
 * A vanilla member is no peer of a bounce that is not its home on purpose. At that bounce the member's address belongs to its
 * home (packets of everybody else homed there come that way), so whatever it sent straight would fail the source check. One
 * path for a pair, the same in both directions, is what lets both ends' AllowedIPs agree.
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
  const itsHome = facts.homes.get(to.id);
  if (home === to.id) return straight(from, to, catchAll(to, facts), facts);
  if (itsHome === from.id || !(isBehindHome(from) || isBehindHome(to)))
    return straight(from, to, carried(from, to, facts), facts);
  if (standing(from) === 'direct' || standing(to) === 'direct')
    return straight(from, to, hostPrefixes(to.addresses), facts);
  return through(to, isBehindHome(from) ? home : itsHome);
}

/** What a peer stands for. Direct nodes have the vanilla members as peers of their own, so a bounce is only itself to them. */
function carried(from: NetworkNode, to: NetworkNode, facts: Facts): readonly Prefix[] {
  const routes = standing(from) === 'direct' ? undefined : facts.routes.get(to.id);
  return routes ?? hostPrefixes(to.addresses);
}

/** What a vanilla member sends to its home: its file cannot follow a list that changes (ADR 0020). */
function catchAll(home: NetworkNode, facts: Facts): readonly Prefix[] {
  const outside = home.addresses.filter((address) => !facts.cidrs.some((cidr) => prefixContains(cidr, address)));
  return outside.length === 0 ? facts.cidrs : sortedPrefixes([...facts.cidrs, ...outside.map(hostPrefix)]);
}

/** WireGuard peers of each other. Only towards who has an address that others know is a way kept open. */
function straight(from: NetworkNode, to: NetworkNode, allowedIps: readonly Prefix[], facts: Facts): Peer {
  const dials = standing(to) !== 'client' && to.endpoint !== undefined;
  const presharedKey = facts.presharedKeys?.get(pairId(from.id, to.id));
  return {
    ...described(to),
    allowedIps,
    persistentKeepalive: dials ? keepalive(from, facts) : 0,
    ...(dials && { endpoint: to.endpoint }),
    ...(presharedKey && { presharedKey }),
  };
}

/** The node's own setting, its network's, else what its standing needs: who has no address that others know keeps its NAT's binding. */
const keepalive = (from: NetworkNode, facts: Facts): number =>
  from.settings?.persistentKeepalive ??
  facts.persistentKeepalive ??
  (standing(from) === 'client' ? CLIENT_KEEPALIVE : 0);

/** Known but no WireGuard peer. Without a bounce there is no way yet, and the entry says so by naming none. */
function through(to: NetworkNode, via: NodeId | undefined): Peer {
  return { ...described(to), allowedIps: [], persistentKeepalive: 0, ...(via !== undefined && { via }) };
}

function described(
  node: NetworkNode,
): Pick<Peer, 'id' | 'name' | 'role' | 'kind' | 'publicKey' | 'addresses' | 'record' | 'previousKey'> {
  const { id, name, role, kind, publicKey, addresses, record, previousKey } = node;
  return {
    ...{ id, name, role, kind, publicKey, addresses },
    ...(record && { record }),
    ...(previousKey && { previousKey }),
  };
}
