import { equalBytes, invariant, type NodeId, type SecretKey } from '@warren/base';
import { isBehindHome } from './decide.js';
import { link } from './link.js';
import type { DecidedNetwork, Facts, Network, Peer, PeerMap, PeerMapDelta, SignedRecord } from './model.js';
import { compareText, sortedText } from './order.js';

/** How node `id` sees all others, in order of id. @throws InvariantError when it is not in the network. */
export function peersOf(network: Network, facts: Facts, id: NodeId): PeerMap {
  const self = network.nodes.get(id);
  invariant(self, `node ${id} is in the network whose peers are asked for`);
  const peers = new Map<NodeId, Peer>();
  for (const otherId of sortedText(network.nodes.keys())) {
    const [peer] = link(self, network.nodes.get(otherId)!, facts);
    if (peer) peers.set(otherId, peer);
  }
  return peers;
}

/**
 * The WireGuard peers of a node that has a file: those of `peersOf` that are no mere names. Of a vanilla client it looks only at
 * its home and the direct nodes, so that a file costs what is in it and not what the network holds.
 */
export function filePeersOf({ network, facts }: DecidedNetwork, id: NodeId): PeerMap {
  const self = network.nodes.get(id);
  invariant(self, `node ${id} is in the network whose file is asked for`);
  const home = facts.homes.get(id);
  const candidates = isBehindHome(self) ? [...(home ? [home] : []), ...facts.direct] : network.nodes.keys();
  const peers = new Map<NodeId, Peer>();
  for (const otherId of sortedText(candidates)) {
    const [peer] = link(self, network.nodes.get(otherId)!, facts);
    if (peer && peer.allowedIps.length > 0) peers.set(otherId, peer);
  }
  return peers;
}

/** What turns `previous` into `next`: `applyPeers(previous, diffPeers(previous, next))` equals `next`. In order of id. */
export function diffPeers(previous: PeerMap, next: PeerMap): PeerMapDelta {
  const upsert = [...next.values()].filter((peer) => {
    const known = previous.get(peer.id);
    return !known || !samePeer(known, peer);
  });
  return {
    upsert: upsert.sort((a, b) => compareText(a.id, b.id)),
    remove: sortedText(previous.keys()).filter((id) => !next.has(id)),
  };
}

/** A new map, in order of id. Peers removed that are not there, and upserts of what is there already, change nothing. */
export function applyPeers(previous: PeerMap, delta: PeerMapDelta): PeerMap {
  const peers = new Map(previous);
  for (const id of delta.remove) peers.delete(id);
  for (const peer of delta.upsert) peers.set(peer.id, peer);
  return new Map([...peers].sort(([a], [b]) => compareText(a, b)));
}

export const isEmptyDelta = (delta: PeerMapDelta): boolean => delta.upsert.length === 0 && delta.remove.length === 0;

/** Whether two entries say the same. */
export function samePeer(a: Peer, b: Peer): boolean {
  return (
    a.id === b.id &&
    a.name === b.name &&
    a.role === b.role &&
    a.kind === b.kind &&
    a.publicKey === b.publicKey &&
    a.endpoint === b.endpoint &&
    a.persistentKeepalive === b.persistentKeepalive &&
    a.via === b.via &&
    sameTexts(a.addresses, b.addresses) &&
    sameTexts(a.allowedIps, b.allowedIps) &&
    sameRecord(a.record, b.record) &&
    a.previousKey?.publicKey === b.previousKey?.publicKey &&
    sameRecord(a.previousKey?.record, b.previousKey?.record) &&
    sameSecret(a.presharedKey, b.presharedKey)
  );
}

/** Whether two secret keys, or none, are the same. */
export const sameSecret = (a: SecretKey | undefined, b: SecretKey | undefined): boolean =>
  a === b || (a !== undefined && b !== undefined && equalBytes(a.expose(), b.expose()));

/** Whether two lists hold the same in the same order. */
export function sameTexts(a: readonly string[], b: readonly string[]): boolean {
  return a === b || (a.length === b.length && a.every((text, i) => text === b[i]));
}

function sameRecord(a: SignedRecord | undefined, b: SignedRecord | undefined): boolean {
  if (!a || !b) return a === b;
  return (
    equalBytes(a.record, b.record) && equalBytes(a.identityKey, b.identityKey) && equalBytes(a.signature, b.signature)
  );
}
