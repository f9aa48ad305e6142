import { WarrenError } from '@warren/base';
import sodium from 'libsodium-wrappers';

/** Bytes of a box's nonce. */
export const BOX_NONCE_LENGTH = 24;
/** Bytes that a box adds. */
export const BOX_TAG_LENGTH = 16;

/** Await it once before any other function of this module: libsodium is WebAssembly, and compiles first. */
export const boxesReady: Promise<void> = sodium.ready;

/** The X25519 public key of a private one, new. @throws WarrenError `boxes-not-ready`. */
export function boxPublicKey(privateKey: Uint8Array): Uint8Array {
  requireReady();
  return sodium.crypto_scalarmult_base(privateKey);
}

/**
 * The key that the owners of two X25519 key pairs share, 32 bytes, new; compute it once a peer and keep it. Only the
 * two of them can make or open boxes with it, so that a box that opens comes from the other one
 * (`crypto_box_beforenm`).
 * @returns undefined for a public key of low order or of another length than 32.
 * @throws WarrenError `boxes-not-ready`.
 */
export function precomputeBoxKey(theirPublicKey: Uint8Array, ourPrivateKey: Uint8Array): Uint8Array | undefined {
  requireReady();
  if (theirPublicKey.length !== sodium.crypto_box_PUBLICKEYBYTES) return undefined;
  try {
    return sodium.crypto_box_beforenm(theirPublicKey, ourPrivateKey);
  } catch {
    return undefined; // libsodium's way to refuse a key that would make the secret known to everybody
  }
}

/** `plaintext.length + 16` bytes, new. `nonce` (24 bytes) never twice with the same key: take it at random. */
export function sealBox(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array): Uint8Array {
  requireReady();
  return sodium.crypto_box_easy_afternm(plaintext, nonce, key);
}

/** @returns undefined when `sealed` was not made with this key and nonce, or was changed. */
export function openBox(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
  requireReady();
  if (nonce.length !== BOX_NONCE_LENGTH || sealed.length < BOX_TAG_LENGTH) return undefined;
  try {
    return sodium.crypto_box_open_easy_afternm(sealed, nonce, key);
  } catch {
    return undefined; // libsodium's way to say that the tag does not verify
  }
}

/** Before it is compiled, the functions are simply absent. */
function requireReady(): void {
  if (typeof sodium.crypto_box_beforenm === 'function') return;
  throw new WarrenError('boxes-not-ready', 'libsodium is not compiled yet; wait for boxesReady first');
}
