import type { TopologyNode } from './mesh.js';

/** What a node is, told by its shape. */
export type NodeShape = 'bounce' | 'direct' | 'client' | 'vanilla';
/** How a node is, told by its ring and its filling. */
export type NodeState = 'online' | 'offline' | 'unseen' | 'pending' | 'disabled' | 'expired';

export const NODE_SHAPES: Readonly<Record<NodeShape, string>> = {
  bounce: 'Bounce',
  direct: 'Direct node',
  client: 'Client',
  vanilla: 'Vanilla member',
};

export const NODE_STATES: Readonly<Record<NodeState, string>> = {
  online: 'Online',
  offline: 'Offline',
  unseen: 'Not seen yet',
  pending: 'Waiting for approval',
  disabled: 'Disabled',
  expired: 'Key expired',
};

type Facts = Pick<TopologyNode, 'kind' | 'role' | 'status' | 'disabled' | 'online' | 'lastSeenAt'>;

export const nodeShape = ({ kind, role }: Pick<Facts, 'kind' | 'role'>): NodeShape =>
  role === 'client' && kind === 'vanilla' ? 'vanilla' : role;

export function nodeState({ status, disabled, online, lastSeenAt }: Facts): NodeState {
  if (disabled) return 'disabled';
  if (status === 'pending') return 'pending';
  if (status === 'expired') return 'expired';
  if (online) return 'online';
  // Nobody who was never there is missed.
  return online === null || lastSeenAt === null ? 'unseen' : 'offline';
}
