import { type Drop, type Instant, isDrop, publicKeyFromBytes } from '@warren/base';
import { type MemoryAead, TAG_LENGTH } from '@warren/crypto';
import {
  KEEPALIVE_TIMEOUT,
  MIN_INITIATION_INTERVAL,
  REJECT_AFTER_MESSAGES,
  REJECT_AFTER_TIME,
  REKEY_TIMEOUT,
} from './constants.js';
import type { Opened, PathId } from './device-api.js';
import { type DeviceState, hasPassed, type IndexEntry } from './device-state.js';
import { DROPS } from './drops.js';
import {
  decodeCookieReply,
  decodeInitiation,
  decodeResponse,
  MESSAGE_TYPE,
  messageType,
  readCounter,
  readUint32,
  TRANSPORT_HEADER_LENGTH,
  TRANSPORT_MIN_LENGTH,
} from './handshake/messages.js';
import { type ConsumedInitiation, consumeInitiation, consumeResponse, createResponse } from './handshake/noise.js';
import { isLater } from './handshake/tai64n.js';
import { innerLength, readInnerHeader } from './inner-packet.js';
import type { Peer } from './peer.js';
import { initiate, sendKeepalive, sendStaged } from './send.js';
import type { LocalStatic, StaticPair } from './static-keys.js';
import {
  authenticatedPacketReceived,
  authenticatedPacketSent,
  dataReceived,
  handshakeCompleted,
  sessionDerived,
} from './timers.js';
import { Keypair } from './transport/keypair.js';

const EMPTY = new Uint8Array(0);
const EPHEMERAL_LENGTH = 32;
/** Age at which the initiator renews a session that it only receives on, in time before it ends. §6.2. */
const REKEY_AFTER_TIME_RECEIVING = REJECT_AFTER_TIME - KEEPALIVE_TIMEOUT - REKEY_TIMEOUT;

/** Takes one datagram by its type. WireGuard paper §5.4. */
export function openDatagram(
  device: DeviceState,
  datagram: Uint8Array,
  from: PathId,
  out: Uint8Array,
  result: Opened,
  now: Instant,
): Opened | Drop {
  switch (messageType(datagram)) {
    case MESSAGE_TYPE.transport:
      return openTransport(device, datagram, from, out, result, now);
    case MESSAGE_TYPE.initiation:
      return consumed(receiveInitiation(device, datagram, from, now), result);
    case MESSAGE_TYPE.response:
      return consumed(receiveResponse(device, datagram, from, now), result);
    case MESSAGE_TYPE.cookieReply:
      return consumed(receiveCookieReply(device, datagram, now), result);
    default:
      return DROPS.unknownType;
  }
}

function consumed(peer: Peer | Drop, result: Opened): Opened | Drop {
  if (isDrop(peer)) return peer;
  result.length = 0;
  result.peer = peer.publicKey;
  return result;
}

function receiveInitiation(device: DeviceState, datagram: Uint8Array, from: PathId, now: Instant): Peer | Drop {
  const message = decodeInitiation(datagram);
  if (isDrop(message)) return message;
  const local = checkMacs(device, datagram, from, now);
  if (isDrop(local)) return local;
  const found = consumeInitiation(device.options.crypto, local, message, (staticKey) => {
    const remote = device.remotes.get(publicKeyFromBytes(staticKey));
    return remote?.peer.pairOf(local, remote);
  });
  if (isDrop(found)) return found;
  const { peer } = found.peer;
  if (!isLater(found.timestamp, peer.lastTimestamp)) return DROPS.timestampReplayed;
  if (!hasPassed(peer.lastInitiationConsumed, MIN_INITIATION_INTERVAL, now)) return DROPS.initiationFlood;
  peer.lastTimestamp = found.timestamp;
  peer.lastInitiationConsumed = now;
  peer.noteAddressed(local, device);
  peer.rxBytes += datagram.length;
  device.moveTo(peer, from);
  authenticatedPacketReceived(device, peer, now);
  return respond(device, found, from, now) ?? peer;
}

function respond(
  device: DeviceState,
  found: ConsumedInitiation<StaticPair<Peer>>,
  path: PathId,
  now: Instant,
): Drop | undefined {
  const { peer, remote } = found.peer;
  const localIndex = device.indices.allocate({ peer, keypair: undefined });
  if (localIndex === undefined) return DROPS.indexTableFull;
  const { crypto, random } = device.options;
  const created = createResponse(crypto, found, { ephemeralPrivate: random(EPHEMERAL_LENGTH), localIndex });
  if (isDrop(created)) {
    device.indices.release(localIndex);
    return created;
  }
  const { fromInitiator, fromResponder } = created.keys;
  const keypair = new Keypair('responder', localIndex, found.senderIndex, fromResponder, fromInitiator, now);
  device.indices.replace(localIndex, { peer, keypair });
  peer.keypairs.addResponded(keypair);
  peer.lastSentHandshake = now;
  remote.cookies.addMacs(created.datagram, now);
  sessionDerived(device, peer, now);
  authenticatedPacketSent(device, peer, now);
  peer.txBytes += created.datagram.length;
  device.transmit(peer, path, created.datagram);
  return undefined;
}

function receiveResponse(device: DeviceState, datagram: Uint8Array, from: PathId, now: Instant): Peer | Drop {
  const message = decodeResponse(datagram);
  if (isDrop(message)) return message;
  const local = checkMacs(device, datagram, from, now);
  if (isDrop(local)) return local;
  const peer = device.indices.get(message.receiverIndex)?.peer;
  const pending = peer?.pending;
  if (!peer || pending?.localIndex !== message.receiverIndex) return DROPS.unknownIndex;
  const { localIndex, pair } = pending;
  const keys = consumeResponse(device.options.crypto, pair.local, peer.presharedKey, pending, message);
  if (isDrop(keys)) return keys;
  peer.pending = undefined;
  peer.handshakeRtt = now - pending.sentAt;
  peer.rxBytes += datagram.length;
  device.moveTo(peer, from);
  const { fromInitiator, fromResponder } = keys;
  const keypair = new Keypair('initiator', localIndex, message.senderIndex, fromInitiator, fromResponder, now);
  device.indices.replace(localIndex, { peer, keypair });
  peer.keypairs.addInitiated(keypair);
  authenticatedPacketReceived(device, peer, now);
  sessionDerived(device, peer, now);
  handshakeCompleted(device, peer, 'initiator');
  // The responder may not send before it has seen a packet under the new session.
  if (!sendStaged(device, peer, now)) sendKeepalive(device, peer, now);
  return peer;
}

/** Neither authenticates a path nor counts as life: a reply moves no endpoint and no timer. WireGuard paper §5.4.7. */
function receiveCookieReply(device: DeviceState, datagram: Uint8Array, now: Instant): Peer | Drop {
  const message = decodeCookieReply(datagram);
  if (isDrop(message)) return message;
  const peer = device.indices.get(message.receiverIndex)?.peer;
  if (!peer) return DROPS.unknownIndex;
  let fault: Drop | undefined;
  for (const { cookies } of peer.remotes) {
    fault = cookies.consumeReply(message, now);
    if (!fault) break;
  }
  if (fault) return fault;
  // The repetition has the cookie of this pair of keys, and goes by it again.
  if (peer.pending) peer.attempts = Math.max(peer.attempts - 1, -1);
  peer.rxBytes += datagram.length;
  return peer;
}

/** What is asked before any Diffie-Hellman is spent on a handshake message. WireGuard paper §5.3. @returns whom it is for. */
function checkMacs(device: DeviceState, datagram: Uint8Array, from: PathId, now: Instant): LocalStatic | Drop {
  const local = device.addressee(datagram);
  if (!local) return DROPS.mac1;
  if (!device.load.note(now)) return local;
  const source = device.options.pathBytes(from);
  if (!local.cookies.checkMac2(datagram, source, now)) {
    device.transmit(undefined, from, local.cookies.createReply(datagram, source, now));
    return DROPS.cookieRequired;
  }
  return device.limiter.allow(source, now) ? local : DROPS.rateLimited;
}

function openTransport(
  device: DeviceState,
  datagram: Uint8Array,
  from: PathId,
  out: Uint8Array,
  result: Opened,
  now: Instant,
): Opened | Drop {
  if (datagram.length < TRANSPORT_MIN_LENGTH) return DROPS.wrongLength;
  if (out.length < datagram.length) return DROPS.tooLarge;
  const entry = device.indices.get(readUint32(datagram, 4));
  const keypair = entry?.keypair;
  if (!entry || !keypair) return DROPS.unknownIndex;
  if (keypair.isExpired(now)) return DROPS.keypairExpired;
  const counter = readCounter(datagram);
  if (counter >= REJECT_AFTER_MESSAGES) return DROPS.counterTooLarge;
  // Replays are found before the tag costs anything; the window itself moves only after authentication.
  if (!keypair.window.isNew(counter)) return DROPS.replayed;
  if (!openPayload(device, keypair, counter, datagram, out)) return DROPS.transportAuthentication;
  keypair.window.accept(counter);
  return received(device, entry, keypair, datagram.length, from, out, 0, result, now);
}

/** Takes one datagram where it lies. What is no transport message costs a view of it, and goes the ordinary way. */
export function openInMemory(
  device: DeviceState,
  aead: MemoryAead,
  at: number,
  length: number,
  from: PathId,
  result: Opened,
  now: Instant,
): Opened | Drop {
  const { memory } = aead;
  if (length < TRANSPORT_MIN_LENGTH || readUint32(memory, at) !== MESSAGE_TYPE.transport) {
    const datagram = memory.subarray(at, at + length);
    return openDatagram(device, datagram, from, datagram, result, now);
  }
  const entry = device.indices.get(readUint32(memory, at + 4));
  const keypair = entry?.keypair;
  if (!entry || !keypair) return DROPS.unknownIndex;
  if (keypair.isExpired(now)) return DROPS.keypairExpired;
  const counter = readCounter(memory, at);
  if (counter >= REJECT_AFTER_MESSAGES) return DROPS.counterTooLarge;
  if (!keypair.window.isNew(counter)) return DROPS.replayed;
  const payload = at + TRANSPORT_HEADER_LENGTH;
  if (!aead.open(keypair.receiveKey, counter, payload, length - TRANSPORT_HEADER_LENGTH, payload)) {
    return DROPS.transportAuthentication;
  }
  keypair.window.accept(counter);
  return received(device, entry, keypair, length, from, memory, payload, result, now);
}

/** Opens the payload to the start of `out`. */
function openPayload(
  device: DeviceState,
  keypair: Keypair,
  counter: number,
  datagram: Uint8Array,
  out: Uint8Array,
): boolean {
  const { crypto } = device.options;
  const sealed = datagram.subarray(TRANSPORT_HEADER_LENGTH);
  if (!overlap(datagram, out)) return crypto.open(keypair.receiveKey, counter, sealed, EMPTY, out);
  // A provider may open in place, but not into memory that begins a little before its input.
  if (!crypto.open(keypair.receiveKey, counter, sealed, EMPTY, sealed)) return false;
  out.set(sealed.subarray(0, sealed.length - TAG_LENGTH));
  return true;
}

/** Everything that an authenticated transport message changes, and then whether its content, at `at` of `out`, may be delivered. */
function received(
  device: DeviceState,
  entry: IndexEntry,
  keypair: Keypair,
  datagramLength: number,
  from: PathId,
  out: Uint8Array,
  at: number,
  result: Opened,
  now: Instant,
): Opened | Drop {
  const { peer } = entry;
  const length = datagramLength - TRANSPORT_MIN_LENGTH;
  peer.rxBytes += datagramLength;
  device.moveTo(peer, from);
  authenticatedPacketReceived(device, peer, now);
  if (peer.keypairs.confirm(keypair)) {
    noteConfirmed(peer, keypair, now);
    handshakeCompleted(device, peer, 'responder');
    sendStaged(device, peer, now);
  }
  rekeyAfterReceiving(device, peer, now);
  result.peer = peer.publicKey;
  result.length = 0;
  if (length === 0) return result;
  dataReceived(device, peer, now);
  return deliver(device, peer, out, at, length, result);
}

/** An initiator sends something as soon as it has our response; what comes later says that this was lost. */
function noteConfirmed(peer: Peer, { createdAt }: Keypair, now: Instant): void {
  if (now - createdAt < REKEY_TIMEOUT) peer.handshakeRtt = now - createdAt;
}

function deliver(
  device: DeviceState,
  peer: Peer,
  out: Uint8Array,
  at: number,
  available: number,
  result: Opened,
): Opened | Drop {
  const header = readInnerHeader(out, at, available);
  const length = header && innerLength(out, header, at, available);
  if (!header || length === undefined) return DROPS.notIp;
  const owner = device.allowedIps.lookup(out, at + header.sourceOffset, header.addressLength);
  if (owner !== peer) return DROPS.sourceNotAllowed;
  result.length = length;
  return result;
}

/** §6.2: an initiator that only receives renews the session shortly before it would end, once. */
function rekeyAfterReceiving(device: DeviceState, peer: Peer, now: Instant): void {
  const { current } = peer.keypairs;
  if (peer.sentLastMinuteHandshake || current?.role !== 'initiator') return;
  if (!hasPassed(current.createdAt, REKEY_AFTER_TIME_RECEIVING, now)) return;
  peer.sentLastMinuteHandshake = true;
  initiate(device, peer, now);
}

function overlap(a: Uint8Array, b: Uint8Array): boolean {
  return (
    a.buffer === b.buffer && a.byteOffset < b.byteOffset + b.byteLength && b.byteOffset < a.byteOffset + a.byteLength
  );
}
