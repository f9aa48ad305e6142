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
export { encodeSignalClaim, type SignalClaim, signSignalClaim, verifySignalClaim } from './signal-claim.js';
export {
  decodeTicket,
  encodeTicket,
  MAX_TICKET_LENGTH,
  RELAY_ID_LENGTH,
  relayIdOf,
  type SignalTicket,
  signTicket,
  verifyTicket,
} from './signal-ticket.js';
export {
  decodeTombstone,
  encodeTombstone,
  type SignedTombstone,
  signTombstone,
  type Tombstone,
  verifyTombstone,
} from './tombstone.js';
