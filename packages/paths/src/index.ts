export { canPunch } from './nat-rule.js';
export { createPathManager } from './path-manager.js';
export type {
  Candidate,
  CandidateKind,
  CandidateReport,
  NatKind,
  Path,
  PathManager,
  PathManagerEvent,
  PathManagerOptions,
  PathPeer,
  PathReport,
  PathTransmit,
  RelayPath,
  ServerId,
  ServerReport,
  SignalServer,
  UdpPath,
  Way,
} from './path-manager-api.js';
export { decodeEndpointField, encodeEndpointField } from './relay/endpoint-field.js';
export {
  COOKIE_LENGTH,
  decodeFrame,
  encodeFrame,
  FRAME_TYPE,
  hasBytesAt,
  isDeliver,
  RELAY_HEADER_LENGTH,
  RELAY_ID_LENGTH,
  RELAY_ID_OFFSET,
  type RelayFrame,
  SESSION_LENGTH,
  SESSION_OFFSET,
  writeSendHeader,
} from './relay/frames.js';
export { opensRegister, type Registration, sealRegistered } from './relay/registration-box.js';
export { createRelayClient } from './relay/relay-client.js';
export type {
  RefusalReason,
  RelayClient,
  RelayClientEvent,
  RelayClientOptions,
} from './relay/relay-client-api.js';
export { encodeStreamFrame, StreamFrames } from './relay/stream-frames.js';
