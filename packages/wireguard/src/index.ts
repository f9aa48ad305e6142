export { createDevice } from './device.js';
export type {
  Deadline,
  Device,
  DeviceEvent,
  DeviceOptions,
  Opened,
  PathId,
  PeerConfig,
  PeerStats,
  Sealed,
  Transmit,
} from './device-api.js';
export { MESSAGE_TYPE, messageType } from './handshake/messages.js';
