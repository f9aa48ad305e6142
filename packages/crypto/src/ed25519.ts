import { ed25519 } from '@noble/curves/ed25519.js';
import { KEY_LENGTH } from '@warren/base';

/** Bytes of every Ed25519 signature. */
export const SIGNATURE_LENGTH = 64;

/** The 32-byte public key of a 32-byte seed, new. @throws RangeError for another length. RFC 8032 §5.1.5. */
export function ed25519PublicKey(seed: Uint8Array): Uint8Array {
  return ed25519.getPublicKey(requireSeed(seed));
}

/**
 * The 64-byte signature of `message`, new; deterministic. @throws RangeError unless `seed` has 32 bytes. RFC 8032
 * §5.1.6.
 */
export function signEd25519(seed: Uint8Array, message: Uint8Array): Uint8Array {
  return ed25519.sign(message, requireSeed(seed));
}

/**
 * Whether `signature` is `publicKey`'s over `message`. Key and signature come from outside: whatever their length or
 * content, the answer is false, never an exception. RFC 8032 §5.1.7, strict: no non-canonical encoding is accepted
 * and no public key of low order, so that all implementations agree on what is valid.
 */
export function verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== KEY_LENGTH || signature.length !== SIGNATURE_LENGTH) return false;
  return ed25519.verify(signature, message, publicKey, { zip215: false });
}

function requireSeed(seed: Uint8Array): Uint8Array {
  if (seed.length !== KEY_LENGTH) throw new RangeError(`an Ed25519 seed has ${KEY_LENGTH} bytes, not ${seed.length}`);
  return seed;
}
