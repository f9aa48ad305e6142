export {
  type Facts,
  type Network,
  type NetworkNode,
  type NodeKind,
  type NodeStatus,
  type Peer,
  type PeerMap,
  type PeerMapDelta,
  ROLES,
  type Role,
  type SignedRecord,
} from './model.js';
