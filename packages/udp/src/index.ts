export { type FurtherSocket, FurtherSockets } from './further-sockets.js';
export { bootTime, ERRNO, errnoName, type Libc, loadLibc, unsupportedHost } from './libc.js';
export { PacketMemory } from './packet-memory.js';
export { closeWatches, type Readiness, watchReadable } from './readiness.js';
export {
  encodeSocketAddress,
  SOCKET_ADDRESS_LENGTH,
  socketAddressAndPort,
  socketAddressEndpoint,
  socketAddressFamily,
  socketAddressPort,
} from './socket-address.js';
export { MAX_BATCH, MAX_DATAGRAM, type OnDatagram, type ReceivedBatch, type UdpSocket } from './udp-socket.js';
export { type AdoptedSockets, openUdpSockets, type UdpSockets, type UdpSocketsOptions } from './udp-sockets.js';
