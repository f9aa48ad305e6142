import type { NodeId } from '@warren/base';

/**
 * The bounce at which a node is homed, by rendezvous hashing: the one with the highest score for this node. A bounce
 * that goes moves only the nodes homed at it, a bounce that comes takes only the nodes that it now wins, and every
 * replica chooses the same without talking (Thaler, Ravishankar: Using Name-Based Mappings to Increase Hit Rates,
 * 1998).
 *
 * @returns undefined when there are no bounces.
 */
export function chooseHome(node: NodeId, bounces: Iterable<NodeId>): NodeId | undefined {
  let best: NodeId | undefined;
  let bestScore = -1;
  for (const bounce of bounces) {
    const score = rendezvousScore(bounce, node);
    // Equal scores go by id, so that the order of `bounces` does not matter.
    if (score > bestScore || (score === bestScore && best !== undefined && bounce < best)) {
      best = bounce;
      bestScore = score;
    }
  }
  return best;
}

/**
 * FNV-1a over both ids, then murmur3's finaliser, which spreads the last characters over all bits: 32 bits. Not
 * cryptographic; who picks its own node id may thereby pick its bounce, which is harmless.
 */
function rendezvousScore(bounce: NodeId, node: NodeId): number {
  let hash = 0x811c9dc5;
  for (const text of [bounce, '\n', node]) {
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
