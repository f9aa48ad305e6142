export {
  RELAY_ALPN,
  type SignalServer,
  type SignalServerOptions,
  type SignalStats,
  type SignedTombstone,
} from './signal-api.js';
export { startSignalServer } from './signal-server.js';
