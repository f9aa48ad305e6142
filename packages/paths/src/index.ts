export { canPunch } from './nat-rule.js';
export { createPathManager } from './path-manager.js';
export type {
  Candidate,
  CandidateKind,
  CandidateReport,
  LocalNat,
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
  UdpWay,
  Way,
} from './path-manager-api.js';
export {
  decodeNatPmpRequest,
  decodeNatPmpResponse,
  describeNatPmpResult,
  encodeNatPmpAddressRequest,
  encodeNatPmpMapRequest,
  encodeNatPmpResponse,
} from './port-mapping/nat-pmp.js';
export {
  decodePcpMapRequest,
  decodePcpMapResponse,
  describePcpResult,
  encodePcpMapRequest,
  encodePcpMapResponse,
  PCP_NONCE_LENGTH,
  PCP_PORT,
} from './port-mapping/pcp.js';
export {
  CONFLICT_IN_MAPPING,
  ONLY_PERMANENT_LEASES,
  parseDescription,
  parseSoap,
  parseSsdpAnswer,
  renderSoap,
  renderSsdpSearches,
  SSDP_GROUP,
  SSDP_PORT,
  type UpnpAction,
  type UpnpService,
} from './port-mapping/upnp.js';
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
export { TokenBucket } from './token-bucket.js';
