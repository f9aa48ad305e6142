export {
  RELAY_ALPN,
  RELAY_SERVICE_NAME,
  type SignalServer,
  type SignalServerOptions,
  type SignalStats,
} from './signal-api.js';
export { startSignalServer } from './signal-server.js';
