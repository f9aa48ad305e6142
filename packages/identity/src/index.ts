export { formatJoinToken, type JoinToken, parseJoinToken } from './join-token.js';
export {
  POSSESSION_PROOF_LENGTH,
  type PossessionTranscript,
  proveKeyPossession,
  verifyKeyPossession,
} from './key-possession.js';
export {
  decodeNodeRecord,
  encodeNodeRecord,
  type NodeRecord,
  type SignedRecord,
  signRecord,
  verifyRecord,
} from './node-record.js';
export { encodeRenewal, signRenewal, verifyRenewal } from './renewal.js';
export {
  decodeTombstone,
  encodeTombstone,
  type SignedTombstone,
  signTombstone,
  type Tombstone,
  verifyTombstone,
} from './tombstone.js';
