import { type Drop, type Instant, invariant, isDrop } from '@warren/base';
import { TAG_LENGTH } from '@warren/crypto';
import { PADDING_MULTIPLE, REKEY_AFTER_MESSAGES, REKEY_AFTER_TIME, REKEY_TIMEOUT } from './constants.js';
import type { PathId, Sealed } from './device-api.js';
import { type DeviceState, hasPassed } from './device-state.js';
import { DROPS } from './drops.js';
import { TRANSPORT_HEADER_LENGTH, writeTransportHeader } from './handshake/messages.js';
import { createInitiation } from './handshake/noise.js';
import { readInnerHeader } from './inner-packet.js';
import type { Peer } from './peer.js';
import { authenticatedPacketSent, dataSent, handshakeInitiated, isRunning, jitter, start } from './timers.js';
import type { Keypair } from './transport/keypair.js';

const EMPTY = new Uint8Array(0);
const EPHEMERAL_LENGTH = 32;

/** Seals one IP packet for the peer that its destination belongs to, or stages it and asks for a session. */
export function sealPacket(
  device: DeviceState,
  packet: Uint8Array,
  out: Uint8Array,
  result: Sealed,
  now: Instant,
): Sealed | Drop {
  const header = readInnerHeader(packet);
  if (!header) return DROPS.notIp;
  const peer = device.allowedIps.lookup(packet, header.destinationOffset, header.addressLength);
  if (!peer) return DROPS.noPeer;
  if (peer.path === undefined && peer.roams) return DROPS.noPath;
  const keypair = sealingKeypair(peer, now);
  if (keypair && peer.path !== undefined) {
    result.path = peer.path;
    result.length = sealTransport(device, peer, keypair, packet, out, now);
  } else {
    stage(device, peer, packet.slice(), now);
    result.length = 0;
  }
  return result;
}

/** Keeps a packet, which is then ours, until there is a session, and asks for one. */
export function stage(device: DeviceState, peer: Peer, packet: Uint8Array, now: Instant): void {
  if (peer.staged.pushDisplacing(packet)) device.count(DROPS.stagedOverflow);
  initiate(device, peer, now);
}

/** An empty transport message, or a handshake if there is no session. */
export function sendKeepalive(device: DeviceState, peer: Peer, now: Instant): void {
  const keypair = sealingKeypair(peer, now);
  if (keypair && peer.path !== undefined) sendTransport(device, peer, keypair, peer.path, EMPTY, now);
  else initiate(device, peer, now);
}

/** Sends what waited for the session that now exists. @returns whether anything did. */
export function sendStaged(device: DeviceState, peer: Peer, now: Instant): boolean {
  let sent = false;
  for (;;) {
    const keypair = sealingKeypair(peer, now);
    const packet = keypair && peer.path !== undefined ? peer.staged.shift() : undefined;
    if (!keypair || !packet || peer.path === undefined) return sent;
    sendTransport(device, peer, keypair, peer.path, packet, now);
    sent = true;
  }
}

/**
 * Starts a handshake unless one of our handshake messages is younger than REKEY_TIMEOUT. Whatever asks for one, except
 * its own repetition, lets REKEY_ATTEMPT_TIME begin anew. WireGuard paper §6.1, §6.4.
 */
export function initiate(device: DeviceState, peer: Peer, now: Instant, isRetry = false): void {
  if (!isRetry) peer.attemptingSince = now;
  if (peer.path === undefined) {
    if (!peer.roams) wantPath(device, peer, now);
    return;
  }
  if (!hasPassed(peer.lastSentHandshake, REKEY_TIMEOUT, now)) {
    // A response of ours was in between. Without this the repetition is lost, and what is staged waits for ever.
    if (isRetry) start(device, peer, 'retransmitHandshake', peer.lastSentHandshake + REKEY_TIMEOUT + jitter(device));
    return;
  }
  peer.attempts = isRetry ? peer.attempts + 1 : 0;
  const fault = sendInitiation(device, peer, peer.path, now);
  if (fault) device.count(fault);
}

/** The initiation under way was made with keys that nobody accepts any more: another one, at once, if it is still wanted. */
export function initiateAnew(device: DeviceState, peer: Peer, now: Instant): void {
  device.forgetPending(peer);
  if (!isRunning(peer.timers, 'retransmitHandshake')) return;
  peer.lastSentHandshake = Number.NEGATIVE_INFINITY;
  peer.attempts = -1;
  initiate(device, peer, now, true);
}

/** Asks for a path as often as a handshake would be tried, and gives up as that does. */
function wantPath(device: DeviceState, peer: Peer, now: Instant): void {
  if (isRunning(peer.timers, 'retransmitHandshake')) return;
  device.emit({ type: 'path-wanted', peer: peer.publicKey });
  start(device, peer, 'retransmitHandshake', now + REKEY_TIMEOUT + jitter(device));
}

/** After whoever decides about the peer's path has moved it, or says that it leads somewhere again. */
export function tryAgain(device: DeviceState, peer: Peer, now: Instant): void {
  if (sendStaged(device, peer, now)) return;
  // The other end takes it once at most, by whichever path it comes first. One that is not repeated any more is of no use: there
  // is a session that the other end began.
  const wanted = isRunning(peer.timers, 'retransmitHandshake');
  if (wanted && peer.pending && peer.path !== undefined) {
    peer.txBytes += peer.pending.datagram.length;
    device.transmit(peer, peer.path, peer.pending.datagram);
  } else if (wanted || peer.staged.size > 0) initiate(device, peer, now);
}

function sendInitiation(device: DeviceState, peer: Peer, path: PathId, now: Instant): Drop | undefined {
  device.forgetPending(peer);
  const localIndex = device.indices.allocate({ peer, keypair: undefined });
  if (localIndex === undefined) return DROPS.indexTableFull;
  const { crypto, random } = device.options;
  const ephemeralPrivate = random(EPHEMERAL_LENGTH);
  const timestamp = peer.timestamps.next(device.latestWallClock());
  const pair = peer.pairFor(peer.attempts);
  const created = createInitiation(crypto, pair.local, pair, { ephemeralPrivate, timestamp, localIndex });
  if (isDrop(created)) {
    device.indices.release(localIndex);
    return created;
  }
  peer.pending = { ...created.pending, pair, sentAt: now };
  peer.lastSentHandshake = now;
  pair.remote.cookies.addMacs(created.datagram, now);
  authenticatedPacketSent(device, peer, now);
  peer.txBytes += created.datagram.length;
  device.transmit(peer, path, created.datagram);
  handshakeInitiated(device, peer, now);
  return undefined;
}

function sendTransport(
  device: DeviceState,
  peer: Peer,
  keypair: Keypair,
  path: PathId,
  packet: Uint8Array,
  now: Instant,
): void {
  const datagram = new Uint8Array(
    TRANSPORT_HEADER_LENGTH + paddedLength(packet.length, device.options.mtu) + TAG_LENGTH,
  );
  sealTransport(device, peer, keypair, packet, datagram, now);
  device.transmit(peer, path, datagram);
}

/** Writes header, sealed and padded packet, and tag to the start of `out`; gives the length. WireGuard paper §5.4.6. */
function sealTransport(
  device: DeviceState,
  peer: Peer,
  keypair: Keypair,
  packet: Uint8Array,
  out: Uint8Array,
  now: Instant,
): number {
  const end = TRANSPORT_HEADER_LENGTH + paddedLength(packet.length, device.options.mtu);
  const length = end + TAG_LENGTH;
  invariant(out.length >= length, 'sealPacket: out has no room for padding, header and tag');
  const counter = keypair.takeCounter();
  writeTransportHeader(out, keypair.remoteIndex, counter);
  out.set(packet, TRANSPORT_HEADER_LENGTH);
  out.fill(0, TRANSPORT_HEADER_LENGTH + packet.length, end);
  const plaintext = out.subarray(TRANSPORT_HEADER_LENGTH, end);
  device.options.crypto.seal(keypair.sendKey, counter, plaintext, EMPTY, out.subarray(TRANSPORT_HEADER_LENGTH, length));
  peer.txBytes += length;
  authenticatedPacketSent(device, peer, now);
  if (packet.length > 0) dataSent(device, peer, now);
  rekeyAfterSending(device, peer, keypair, now);
  return length;
}

/** §6.2: after so many messages either side renews the session; after so much time the one that initiated it. */
export function rekeyAfterSending(device: DeviceState, peer: Peer, keypair: Keypair, now: Instant): void {
  const old = keypair.role === 'initiator' && hasPassed(keypair.createdAt, REKEY_AFTER_TIME, now);
  if (old || keypair.sendCounter > REKEY_AFTER_MESSAGES) initiate(device, peer, now);
}

export const sealingKeypair = (peer: Peer, now: Instant): Keypair | undefined =>
  peer.keypairs.current?.canSeal(now) ? peer.keypairs.current : undefined;

/** To a multiple of 16, but not beyond the MTU, where a full packet would no longer fit the outer one. */
export function paddedLength(length: number, mtu: number): number {
  const whole = Math.ceil(length / PADDING_MULTIPLE) * PADDING_MULTIPLE;
  return whole > mtu ? Math.max(length, mtu) : whole;
}
