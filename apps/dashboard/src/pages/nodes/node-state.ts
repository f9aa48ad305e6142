import type { Node } from '../../api/queries.js';
import type { TopologyNode } from '../../api/telemetry.js';
import type { BadgeTone } from '../../ui/badge.js';

/** What a person wants to know of a node first: where it is in its life, and while it is a member whether it is there. */
export type NodeState = 'online' | 'offline' | 'unseen' | 'pending' | 'disabled' | 'expired' | 'revoked';

export const NODE_STATES: Readonly<Record<NodeState, { name: string; tone: BadgeTone; meaning: string }>> = {
  online: { name: 'Online', tone: 'good', meaning: 'Its agent is connected, or its peers hear from it.' },
  offline: { name: 'Offline', tone: 'neutral', meaning: 'Nothing is heard of it.' },
  unseen: { name: 'Not seen', tone: 'neutral', meaning: 'No peer has heard from it yet.' },
  pending: { name: 'Pending', tone: 'warn', meaning: 'It waits: for approval, or for its public key.' },
  disabled: { name: 'Disabled', tone: 'warn', meaning: 'Taken out; it keeps its name, addresses and keys.' },
  expired: { name: 'Expired', tone: 'bad', meaning: 'Its key has run out: nobody sees it.' },
  revoked: { name: 'Revoked', tone: 'bad', meaning: 'Out for ever: its keys are banned.' },
};

/** @param seen the same node as its peers see it: whether a vanilla member is there only they know. */
export function stateOf(
  node: Pick<Node, 'status' | 'disabledAt' | 'kind' | 'online'>,
  seen: Pick<TopologyNode, 'online'> | undefined,
): NodeState {
  if (node.status === 'revoked') return 'revoked';
  if (node.disabledAt !== null) return 'disabled';
  if (node.status !== 'active') return node.status;
  const online = seen?.online ?? node.online;
  if (online === null) return 'unseen';
  return online ? 'online' : 'offline';
}
