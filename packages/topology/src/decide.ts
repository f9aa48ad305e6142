import type { NodeId, Prefix } from '@warren/base';
import { chooseHome } from './home.js';
import type { Facts, Network, NetworkNode, Role } from './model.js';
import { hostPrefixes, sortedPrefixes, sortedText } from './order.js';

/**
 * The part that a node can play: its role, as long as others know where to reach it. A bounce or direct node without
 * an endpoint can only open connections itself, as a client does.
 */
export const standing = (node: NetworkNode): Role => (node.endpoint === undefined ? 'client' : node.role);

/**
 * Network-wide facts that pairs depend on (DECISIONS 2 and 3): who is homed where, and what is routed to which bounce.
 * Depends on the set of nodes only, not on the order of the map.
 */
export function decide(network: Network): Facts {
  const ids = sortedText(network.nodes.keys());
  const nodes = ids.map((id) => network.nodes.get(id)!);
  const bounces = nodes.filter((node) => standing(node) === 'bounce');
  const bounceIds = bounces.map((bounce) => bounce.id);
  const homes = new Map<NodeId, NodeId>();
  const homed = new Map<NodeId, NodeId[]>(bounceIds.map((id) => [id, []]));
  for (const node of nodes) {
    const home = needsHome(node) ? chooseHome(node.id, bounceIds) : undefined;
    if (!home) continue;
    homes.set(node.id, home);
    if (standing(node) === 'client') homed.get(home)!.push(node.id);
  }
  const routes = new Map<NodeId, readonly Prefix[]>();
  for (const bounce of bounces) {
    const members = homed.get(bounce.id)!.map((id) => network.nodes.get(id)!);
    routes.set(bounce.id, sortedPrefixes([bounce, ...members].flatMap((node) => hostPrefixes(node.addresses))));
  }
  return {
    cidrs: sortedPrefixes(network.cidrs),
    homes,
    homed,
    routes,
    relayed: sortedPrefixes([...routes.values()].flat()),
  };
}

function needsHome(node: NetworkNode): boolean {
  const role = standing(node);
  return role === 'client' || (role === 'direct' && node.kind === 'vanilla');
}
