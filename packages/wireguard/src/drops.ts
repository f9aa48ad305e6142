import { drop } from '@warren/base';

/**
 * Every reason for which the device leaves bytes unused; the key is for us, the reason is what is counted and shown.
 */
export const DROPS = Object.freeze({
  closed: drop('device-closed'),
  // Datagrams
  unknownType: drop('unknown-message-type'),
  wrongLength: drop('wrong-message-length'),
  tooLarge: drop('datagram-larger-than-buffer'),
  unknownIndex: drop('unknown-receiver-index'),
  // Handshakes
  mac1: drop('mac1-mismatch'),
  cookieRequired: drop('under-load-cookie-sent'),
  rateLimited: drop('handshake-rate-limited'),
  lowOrderKey: drop('low-order-public-key'),
  handshakeAuthentication: drop('handshake-not-authentic'),
  unknownPeer: drop('unknown-peer'),
  timestampReplayed: drop('initiation-timestamp-replayed'),
  initiationFlood: drop('initiation-too-soon'),
  cookieAuthentication: drop('cookie-reply-not-authentic'),
  cookieUnexpected: drop('cookie-reply-unexpected'),
  indexTableFull: drop('index-table-full'),
  // Transport data
  keypairExpired: drop('keypair-expired'),
  counterTooLarge: drop('counter-beyond-limit'),
  replayed: drop('counter-replayed'),
  transportAuthentication: drop('transport-not-authentic'),
  notIp: drop('inner-packet-not-ip'),
  sourceNotAllowed: drop('inner-source-not-allowed'),
  // Packets to send
  noPeer: drop('no-peer-for-destination'),
  noPath: drop('peer-without-path'),
  stagedOverflow: drop('staged-packet-displaced'),
  handshakeGaveUp: drop('staged-packet-without-session'),
  transmitOverflow: drop('transmit-queue-full'),
});
