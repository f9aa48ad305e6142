import type { NodeId, Prefix, PublicKey } from '@warren/base';
import { chooseHome } from '../home.js';
import { holds } from './import-cidrs.js';
import type { ImportMember } from './import-members.js';
import type { PlannedNode } from './import-plan.js';

/** Ids tried for one node: with eight bounces one of them fits but for one node in ten million. */
const MAX_TRIES = 128;

/**
 * An id for each node. A bounce is chosen for a member by both their ids (`chooseHome`), so a member gets an id that leads to
 * the bounce that its file sends the network to: then its file goes on being right.
 */
export function chooseIds(
  planned: ReadonlyMap<ImportMember, Pick<PlannedNode, 'role' | 'endpoint'>>,
  cidrs: readonly Prefix[],
  makeId: () => NodeId,
): Map<PublicKey, NodeId> {
  const ids = new Map<PublicKey, NodeId>();
  const homes = [...planned].filter(([, { role, endpoint }]) => role === 'bounce' && endpoint !== undefined);
  for (const [{ publicKey }] of homes) ids.set(publicKey, makeId());
  const bounces = [...ids.values()];
  for (const { publicKey, source } of planned.keys()) {
    if (ids.has(publicKey)) continue;
    const peers = source?.conf.peers ?? [];
    const sendsTo = peers.find((peer) => peer.allowedIps.some((prefix) => cidrs.some((cidr) => holds(prefix, cidr))));
    const home = sendsTo && ids.get(sendsTo.publicKey);
    let id = makeId();
    for (let tries = 1; home && tries < MAX_TRIES && chooseHome(id, bounces) !== home; tries++) id = makeId();
    ids.set(publicKey, id);
  }
  return ids;
}
