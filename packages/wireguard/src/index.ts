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
