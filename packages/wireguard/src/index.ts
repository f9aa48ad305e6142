export { createDevice } from './device.js';
export type {
  Deadline,
  Device,
  DeviceEvent,
  DeviceOptions,
  LocalKeys,
  Opened,
  PathId,
  PeerConfig,
  PeerStats,
  Sealed,
  SealingRun,
  Transmit,
} from './device-api.js';
export { MESSAGE_TYPE, messageType, TRANSPORT_HEADER_LENGTH } from './handshake/messages.js';
