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
 * Whether a node is reached by way of its home bounce only: a vanilla member that nobody can dial. It knows no other path, and
 * finds none by itself.
 */
export const isBehindHome = (node: NetworkNode): boolean => node.kind === 'vanilla' && standing(node) === 'client';

/**
 * Network-wide facts that pairs depend on (ADR 0020): which vanilla member is homed where, and what is routed to which bounce.
 * Depends on the set of nodes only, not on the order of the map.
 *
 * At a bounce that is `unavailable` nobody is homed while another one is not. It stays a peer of everybody that it was a peer
 * of, so that it is found again.
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
    if (isBehindHome(node)) homed.get(home)!.push(node.id);
  }
  const direct = nodes.filter((node) => standing(node) === 'direct').map((node) => node.id);
  const { persistentKeepalive } = network.settings ?? {};
  return {
    ...{ cidrs: sortedPrefixes(network.cidrs), homes, homed, routes: routing(network, homed), direct },
    ...(persistentKeepalive !== undefined && { persistentKeepalive }),
    ...(network.presharedKeys && { presharedKeys: network.presharedKeys }),
  };
}

function routing(network: Network, homed: Facts['homed']): Facts['routes'] {
  const prefixesOf = (id: NodeId): Prefix[] => network.nodes.get(id)!.addresses.map(hostPrefix);
  return new Map(
    Array.from(homed, ([bounce, members]) => [bounce, sortedPrefixes([bounce, ...members].flatMap(prefixesOf))]),
  );
}

/** A vanilla direct node has one for its catch-all only: everybody reaches it straight. */
const needsHome = (node: NetworkNode): boolean => node.kind === 'vanilla' && standing(node) !== 'bounce';
