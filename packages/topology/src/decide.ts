import { hostPrefix, type NodeId, type Prefix } from '@warren/base';
import { chooseHome } from './home.js';
import type { Facts, Network, NetworkNode, Role } from './model.js';
import { sortedPrefixes, sortedText } from './order.js';

/**
 * The part that a node can play: its role, as long as others know where to reach it. A bounce or direct node without
 * an endpoint can only open connections itself, as a client does.
 */
export const standing = (node: NetworkNode): Role => (node.endpoint === undefined ? 'client' : node.role);

/**
 * Network-wide facts that pairs depend on (ADR 0006): who is homed where, and what is routed to which bounce.
 * Depends on the set of nodes only, not on the order of the map.
 *
 * At a bounce that is `unavailable` nobody is homed while another one is not. It stays a peer of all bounces and direct
 * nodes, so that it is found again.
 */
export function decide(network: Network): Facts {
  const ids = sortedText(network.nodes.keys());
  const nodes = ids.map((id) => network.nodes.get(id)!);
  const bounces = nodes.filter((node) => standing(node) === 'bounce');
  const living = bounces.filter((bounce) => !bounce.unavailable);
  // With all of them unavailable it is better to stay than to be nowhere.
  const choice = (living.length > 0 ? living : bounces).map((bounce) => bounce.id);
  const homes = new Map<NodeId, NodeId>();
  const homed = new Map<NodeId, NodeId[]>(bounces.map((bounce) => [bounce.id, []]));
  for (const node of nodes) {
    const home = needsHome(node) ? chooseHome(node.id, choice) : undefined;
    if (!home) continue;
    homes.set(node.id, home);
    if (standing(node) === 'client') homed.get(home)!.push(node.id);
  }
  return { cidrs: sortedPrefixes(network.cidrs), homes, homed, ...routing(network, homed) };
}

/** Sorts once for all: with thousands of clients this is what deciding costs. */
function routing(
  network: Network,
  homed: ReadonlyMap<NodeId, readonly NodeId[]>,
): Pick<Facts, 'routes' | 'relayed' | 'relayedAt'> {
  const owners = new Map<Prefix, NodeId>();
  for (const [bounce, members] of homed) {
    for (const id of [bounce, ...members]) {
      for (const address of network.nodes.get(id)!.addresses) owners.set(hostPrefix(address), bounce);
    }
  }
  const routes = new Map<NodeId, Prefix[]>(Array.from(homed.keys(), (bounce) => [bounce, []]));
  const relayed = sortedPrefixes(owners.keys());
  for (const prefix of relayed) routes.get(owners.get(prefix)!)!.push(prefix);
  return { routes, relayed, relayedAt: new Map(relayed.map((prefix, at) => [prefix, at])) };
}

function needsHome(node: NetworkNode): boolean {
  const role = standing(node);
  return role === 'client' || (role === 'direct' && node.kind === 'vanilla');
}
