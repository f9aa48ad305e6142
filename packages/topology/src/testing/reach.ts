import { addressBits, type IpAddress, type NodeId, type Prefix, prefixContains, prefixLength } from '@warren/base';
import type { Network } from '../model.js';

/** One WireGuard peer as a node's interface holds it, whoever configured it. */
export interface InterfacePeer {
  readonly id: NodeId;
  readonly allowedIps: readonly Prefix[];
  readonly endpoint?: string | undefined;
  readonly persistentKeepalive: number;
}
export type Interfaces = ReadonlyMap<NodeId, readonly InterfacePeer[]>;

/** No packet between two members passes more than both their home bounces. */
const MAX_HOPS = 3;

/**
 * Sends a packet from `source` to `destination` as WireGuard would: the longest matching AllowedIPs at each hop chooses
 * the peer, the receiver checks the inner source against the sender's AllowedIPs, and only bounces forward.
 *
 * @returns the nodes passed, destination last, or why the packet was lost.
 */
export function walk(
  network: Network,
  interfaces: Interfaces,
  from: NodeId,
  source: IpAddress,
  destination: IpAddress,
): NodeId[] | string {
  const path: NodeId[] = [];
  for (let here = from; path.length < MAX_HOPS; ) {
    const next = cryptokeyRoute(interfaces.get(here)!, destination);
    if (!next) return `${here} has no route to ${destination}`;
    const back = interfaces.get(next.id)?.find((peer) => peer.id === here);
    if (!back) return `${next.id} does not know ${here}`;
    const arrived = network.nodes.get(next.id)!;
    const isFound = network.nodes.get(here)!.kind === 'agent' && arrived.kind === 'agent';
    // Agents find paths to each other. Else somebody must know the other's address, and who does not be called often enough.
    if (!isFound && !next.endpoint && !(back.endpoint && back.persistentKeepalive > 0))
      return `${here} cannot reach ${next.id}`;
    if (cryptokeyRoute(interfaces.get(next.id)!, source)?.id !== here)
      return `${next.id} refuses ${source} from ${here}`;
    path.push(next.id);
    if (arrived.addresses.includes(destination)) return path;
    if (arrived.role !== 'bounce' || !arrived.endpoint) return `${next.id} does not forward`;
    here = next.id;
  }
  return 'too many hops';
}

function cryptokeyRoute(peers: readonly InterfacePeer[], address: IpAddress): InterfacePeer | undefined {
  let best: InterfacePeer | undefined;
  let bestLength = -1;
  for (const peer of peers) {
    for (const prefix of peer.allowedIps) {
      const length = prefixLength(prefix);
      if (length <= bestLength || length > addressBits(address) || !prefixContains(prefix, address)) continue;
      best = peer;
      bestLength = length;
    }
  }
  return best;
}
