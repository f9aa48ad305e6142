import type { NodeId } from '@warren/base';
import type { Network } from '@warren/topology';
import { moveDigest } from './digest.js';
import { type Entry, entryBetween } from './entries.js';
import type { Session } from './session.js';
import type { Version } from './version.js';

/** A home that knows its new member before the member calls answers its first handshake, not the one 5 s later. */
export function bouncesFirst(sessions: ReadonlyMap<NodeId, Session>, network: Network): Session[] {
  const isBounce = ({ nodeId }: Session): boolean => network.nodes.get(nodeId)?.role === 'bounce';
  const all = [...sessions.values()];
  return [...all.filter(isBounce), ...all.filter((session) => !isBounce(session))];
}

/** Entries name the bounce that they lead through, and the compiler knows only its id. */
export function isRenamedBounce(before: Version, after: Version, id: NodeId): boolean {
  const [old, now] = [before.decided.network.nodes.get(id), after.decided.network.nodes.get(id)];
  return old !== undefined && now !== undefined && old.name !== now.name && now.role === 'bounce';
}

/** The digest of what `viewer` holds after `delta`, from its digest at `before`. */
export function digestAfter(
  digest: bigint,
  before: Version,
  viewer: NodeId,
  delta: { upsert: readonly Entry[]; remove: readonly NodeId[] },
): bigint {
  const hashBefore = (subject: NodeId): bigint => entryBetween(before.decided, viewer, subject)?.hash ?? 0n;
  let moved = digest;
  for (const entry of delta.upsert) moved = moveDigest(moved, hashBefore(entry.nodeId), entry.hash);
  for (const id of delta.remove) moved = moveDigest(moved, hashBefore(id), 0n);
  return moved;
}

/** The digest of a whole set of entries. */
export function digestOf(entries: Iterable<Entry>): bigint {
  let digest = 0n;
  for (const entry of entries) digest = moveDigest(digest, 0n, entry.hash);
  return digest;
}
