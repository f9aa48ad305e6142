export {
  addressAttribute,
  attributeValue,
  type ChangeRequest,
  changeRequestAttribute,
  errorCodeAttribute,
  paddingAttribute,
  readAddress,
  readChangeRequest,
  readErrorCode,
  readResponsePort,
  readSoftware,
  readUnknownAttributes,
  readXorMappedAddress,
  responsePortAttribute,
  type StunError,
  type TransportAddress,
  unknownAttributesAttribute,
  xorMappedAddressAttribute,
} from './attributes.js';
export {
  type BindingLifetimeMeasurement,
  type BindingLifetimeOptions,
  type BindingLifetimeResult,
  createBindingLifetimeMeasurement,
} from './binding-lifetime.js';
export {
  type BindingAnswer,
  type BindingServer,
  type BindingServerOptions,
  createBindingServer,
  type ServerSocket,
} from './binding-server.js';
export { ATTRIBUTE, BINDING_METHOD, MAX_RESPONSE_RATIO, TRANSACTION_ID_LENGTH } from './constants.js';
export {
  createNatDiscovery,
  type DiscoveryServer,
  type DiscoveryTransmit,
  MAX_DISCOVERY_SERVERS,
  type NatDiscovery,
  type NatDiscoveryOptions,
  type NatDiscoveryResult,
} from './discovery.js';
export { checkIntegrity, type Integrity } from './integrity.js';
export {
  decodeMessage,
  encodeMessage,
  isStunMessage,
  type MessageTail,
  type StunAttribute,
  type StunClass,
  type StunMessage,
} from './message.js';
export type { NatBehaviour } from './nat-behaviour.js';
export { type RetransmitOptions, Transaction } from './transaction.js';
