import { equalBytes, KEY_LENGTH, type SecretKey, WarrenError } from '@warren/base';
import type { CryptoProvider } from '@warren/crypto';
import { ascii, longField } from './fields.js';

/** What the proof binds: another challenge, token, identity or record needs another proof. */
export interface PossessionTranscript {
  /** As the control plane gave it. */
  readonly challenge: Uint8Array;
  /** Ed25519 public key of the identity that joins, 32 bytes. */
  readonly identityKey: Uint8Array;
  /** `encodeNodeRecord`, verbatim as it is sent. */
  readonly record: Uint8Array;
  readonly tokenId: string;
}

/** Bytes of a proof. */
export const POSSESSION_PROOF_LENGTH = 32;

const DOMAIN = ascii('warren key possession v1\n');
const FIRST_BLOCK = Uint8Array.of(1);

/**
 * Proves to the holder of `challengeKey` (X25519, 32 bytes) that we hold the private key of the WireGuard key that
 * joins. An X25519 key cannot sign, but only its two holders can make this MAC: HMAC-BLAKE2s over the transcript,
 * each part with its length, under HKDF (RFC 5869) of X25519(ours, theirs).
 *
 * @returns 32 bytes, new.
 * @throws WarrenError `challenge-bad` when `challengeKey` is no usable key.
 */
export function proveKeyPossession(
  crypto: CryptoProvider,
  wireguardPrivateKey: SecretKey,
  challengeKey: Uint8Array,
  transcript: PossessionTranscript,
): Uint8Array {
  const privateKey = wireguardPrivateKey.expose();
  const shared = sharedSecret(crypto, privateKey, challengeKey);
  if (!shared) {
    throw new WarrenError(
      'challenge-bad',
      'the control plane sent an unusable challenge key: update it, then try again',
    );
  }
  return possessionMac(crypto, shared, crypto.publicKey(privateKey), challengeKey, transcript);
}

/**
 * The control plane's side. `wireguardKey` (32 bytes) is the one in the record; everything but `challengePrivateKey`
 * comes from outside, and nothing throws.
 */
export function verifyKeyPossession(
  crypto: CryptoProvider,
  challengePrivateKey: SecretKey,
  wireguardKey: Uint8Array,
  transcript: PossessionTranscript,
  proof: Uint8Array,
): boolean {
  const privateKey = challengePrivateKey.expose();
  const shared = sharedSecret(crypto, privateKey, wireguardKey);
  if (!shared) return false;
  const expected = possessionMac(crypto, shared, wireguardKey, crypto.publicKey(privateKey), transcript);
  return equalBytes(expected, proof);
}

/** Undefined for a key of wrong length or low order, with which every private key gives zeros: that proves nothing. */
function sharedSecret(crypto: CryptoProvider, privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined {
  if (publicKey.length !== KEY_LENGTH) return undefined;
  const shared = crypto.dh(privateKey, publicKey);
  return equalBytes(shared, new Uint8Array(KEY_LENGTH)) ? undefined : shared;
}

function possessionMac(
  crypto: CryptoProvider,
  shared: Uint8Array,
  wireguardKey: Uint8Array,
  challengeKey: Uint8Array,
  transcript: PossessionTranscript,
): Uint8Array {
  const extracted = crypto.hmac(DOMAIN, shared);
  const key = crypto.hmac(extracted, DOMAIN, FIRST_BLOCK);
  // Code units, two bytes each: a token id from outside may hold any character.
  const tokenId = Uint8Array.from(
    { length: transcript.tokenId.length * 2 },
    (_, i) => transcript.tokenId.charCodeAt(i >> 1) >> (i & 1 ? 0 : 8),
  );
  const parts = [wireguardKey, challengeKey, transcript.challenge, transcript.identityKey, transcript.record, tokenId];
  return crypto.hmac(key, DOMAIN, ...parts.map(longField));
}
