export { startDataPlane } from './data-plane.js';
export type {
  DataPlane,
  DataPlaneChange,
  DataPlaneKeys,
  DataPlaneOptions,
  DataPlanePathReport,
  DataPlanePeer,
  DataPlanePeerStats,
  DataPlaneStats,
  PacketPath,
  PathsReport,
  SignallingChange,
  SignallingOptions,
  SignalServerConfig,
} from './data-plane-api.js';
export type {
  AllowedIpChange,
  DeviceChange,
  DeviceSettings,
  PeerChange,
  PeerSettings,
} from './device-settings-api.js';
export { serveUapi, type UapiDevice, type UapiServer, type UapiServerOptions } from './uapi/uapi-server.js';
