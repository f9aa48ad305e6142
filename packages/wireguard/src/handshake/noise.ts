import { type Drop, isDrop } from '@warren/base';
import type { CryptoProvider } from '@warren/crypto';
import { DROPS } from '../drops.js';
import { encodeInitiation, encodeResponse, type Initiation, type Response } from './messages.js';
import { type SessionKeys, SymmetricState } from './symmetric-state.js';

/** A static key pair, 32 bytes each. */
export interface StaticKeys {
  readonly privateKey: Uint8Array;
  readonly publicKey: Uint8Array;
}

/** What the initiator keeps until the response comes. */
export interface PendingInitiation {
  readonly localIndex: number;
  readonly state: SymmetricState;
  readonly ephemeralPrivate: Uint8Array;
  /** As it is sent, macs included once they are added. */
  readonly datagram: Uint8Array;
}

/** What the responder keeps from a consumed initiation until it has made the response. */
export interface ConsumedInitiation<Peer> {
  readonly peer: Peer;
  readonly senderIndex: number;
  /** TAI64N, 12 bytes; the caller checks that it is new. */
  readonly timestamp: Uint8Array;
  readonly remoteEphemeral: Uint8Array;
  readonly state: SymmetricState;
}

/** Peer facts that a handshake needs. */
export interface RemoteKeys {
  readonly staticKey: Uint8Array;
  /** All zeros when there is none. */
  readonly presharedKey: Uint8Array;
  /** Diffie-Hellman of both static keys, kept because it never changes; all zeros if the peer's key is of low order. */
  staticStatic(): Uint8Array;
}

/**
 * First message, by the initiator: `e, es, s, ss`. The datagram's macs are zero.
 * @returns a drop when the peer's static key is of low order. WireGuard paper §5.4.2.
 */
export function createInitiation(
  crypto: CryptoProvider,
  local: StaticKeys,
  remote: RemoteKeys,
  fresh: { readonly ephemeralPrivate: Uint8Array; readonly timestamp: Uint8Array; readonly localIndex: number },
): { readonly datagram: Uint8Array; readonly pending: PendingInitiation } | Drop {
  const { ephemeralPrivate, localIndex } = fresh;
  const state = SymmetricState.start(crypto, remote.staticKey);
  const ephemeral = crypto.publicKey(ephemeralPrivate);
  mixEphemeral(state, ephemeral); // e
  if (!mixEphemeralShared(state, crypto.dh(ephemeralPrivate, remote.staticKey))) return DROPS.lowOrderKey; // es
  const sealedStatic = state.sealAndHash(local.publicKey); // s
  state.mixKey2(remote.staticStatic()); // ss
  const sealedTimestamp = state.sealAndHash(fresh.timestamp);
  const datagram = encodeInitiation({ senderIndex: localIndex, ephemeral, sealedStatic, sealedTimestamp });
  return { datagram, pending: { localIndex, state, ephemeralPrivate, datagram } };
}

/**
 * First message, at the responder. `find` gives the peer of a static key (32 bytes), or undefined for a stranger.
 * Nothing is remembered: the caller commits once it has checked the timestamp.
 */
export function consumeInitiation<Peer extends RemoteKeys>(
  crypto: CryptoProvider,
  local: StaticKeys,
  message: Initiation,
  find: (staticKey: Uint8Array) => Peer | undefined,
): ConsumedInitiation<Peer> | Drop {
  const state = SymmetricState.start(crypto, local.publicKey);
  const remoteEphemeral = message.ephemeral.slice();
  mixEphemeral(state, remoteEphemeral); // e
  if (!mixEphemeralShared(state, crypto.dh(local.privateKey, remoteEphemeral))) return DROPS.lowOrderKey; // es
  const staticKey = state.openAndHash(message.sealedStatic); // s
  if (!staticKey) return DROPS.handshakeAuthentication;
  const peer = find(staticKey);
  if (!peer) return DROPS.unknownPeer;
  if (!mixShared(state, peer.staticStatic())) return DROPS.lowOrderKey; // ss
  const timestamp = state.openAndHash(message.sealedTimestamp);
  if (!timestamp) return DROPS.handshakeAuthentication;
  return { peer, senderIndex: message.senderIndex, timestamp, remoteEphemeral, state };
}

/**
 * Second message, by the responder: `e, ee, se, psk`. The datagram's macs are zero. The initiation's state is used up.
 * @returns a drop when a Diffie-Hellman is all zeros. WireGuard paper §5.4.3.
 */
export function createResponse(
  crypto: CryptoProvider,
  consumed: ConsumedInitiation<RemoteKeys>,
  fresh: { readonly ephemeralPrivate: Uint8Array; readonly localIndex: number },
): { readonly datagram: Uint8Array; readonly keys: SessionKeys } | Drop {
  const { state, remoteEphemeral, peer } = consumed;
  const { ephemeralPrivate, localIndex } = fresh;
  const ephemeral = crypto.publicKey(ephemeralPrivate);
  mixEphemeral(state, ephemeral); // e
  const ee = crypto.dh(ephemeralPrivate, remoteEphemeral);
  const se = crypto.dh(ephemeralPrivate, peer.staticKey);
  const keys = finish(state, ee, se, peer.presharedKey, (hashed) => hashed.sealAndHash(EMPTY)); // ee, se, psk
  ephemeralPrivate.fill(0);
  if (isDrop(keys)) return keys;
  const { senderIndex: receiverIndex } = consumed;
  const datagram = encodeResponse({ senderIndex: localIndex, receiverIndex, ephemeral, sealedEmpty: keys.sealedEmpty });
  return { datagram, keys };
}

/**
 * Second message, at the initiator. Only on success is `pending` used up and erased: a forged response must not end
 * a handshake that is under way.
 */
export function consumeResponse(
  crypto: CryptoProvider,
  local: StaticKeys,
  presharedKey: Uint8Array,
  pending: PendingInitiation,
  message: Response,
): SessionKeys | Drop {
  const state = pending.state.clone();
  mixEphemeral(state, message.ephemeral); // e
  const ee = crypto.dh(pending.ephemeralPrivate, message.ephemeral);
  const se = crypto.dh(local.privateKey, message.ephemeral);
  const keys = finish(state, ee, se, presharedKey, (hashed) => hashed.openAndHash(message.sealedEmpty)); // ee, se, psk
  if (!isDrop(keys)) erasePending(pending);
  return keys;
}

/** Overwrites the secrets of an initiation that will not be answered any more. */
export function erasePending(pending: PendingInitiation): void {
  pending.state.erase();
  pending.ephemeralPrivate.fill(0);
}

const EMPTY = new Uint8Array(0);

function mixEphemeral(state: SymmetricState, ephemeral: Uint8Array): void {
  state.mixKey1(ephemeral);
  state.mixHash(ephemeral);
}

/** @returns false for a secret of all zeros, which a key of low order forces. RFC 7748 §6.1. */
function mixShared(state: SymmetricState, shared: Uint8Array): boolean {
  if (isZero(shared)) return false;
  state.mixKey2(shared);
  return true;
}

/** The same for a secret of this handshake only, which is overwritten. */
function mixEphemeralShared(state: SymmetricState, shared: Uint8Array): boolean {
  const mixed = mixShared(state, shared);
  shared.fill(0);
  return mixed;
}

function finish(
  state: SymmetricState,
  ee: Uint8Array,
  se: Uint8Array,
  presharedKey: Uint8Array,
  confirm: (state: SymmetricState) => Uint8Array | undefined,
): (SessionKeys & { readonly sealedEmpty: Uint8Array }) | Drop {
  if (isZero(ee) || isZero(se)) return DROPS.lowOrderKey;
  state.mixKey1(ee);
  state.mixKey1(se);
  state.mixPresharedKey(presharedKey);
  const sealedEmpty = confirm(state);
  const keys = sealedEmpty && { ...state.split(), sealedEmpty };
  state.erase();
  ee.fill(0);
  se.fill(0);
  return keys ?? DROPS.handshakeAuthentication;
}

function isZero(bytes: Uint8Array): boolean {
  let bits = 0;
  for (const byte of bytes) bits |= byte;
  return bits === 0;
}
