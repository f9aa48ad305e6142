import { KEY_LENGTH, type PublicKey, publicKeyFromBytes, SecretKey } from '@warren/base';

/** A WireGuard key pair of a device; the private part is in this page's memory and nowhere else. */
export interface KeyPair {
  readonly privateKey: SecretKey;
  readonly publicKey: PublicKey;
}

type Sodium = typeof import('libsodium-wrappers')['default'];

/** Loaded when a key is about to be made: nobody else needs it. */
export async function loadSodium(): Promise<Sodium> {
  const { default: sodium } = await import('libsodium-wrappers');
  await sodium.ready;
  return sodium;
}

/** A random pair, as `wg genkey` makes it. */
export async function createKeyPair(): Promise<KeyPair> {
  const sodium = await loadSodium();
  const bytes = sodium.randombytes_buf(KEY_LENGTH);
  try {
    return keyPairOf(sodium, bytes);
  } finally {
    sodium.memzero(bytes);
  }
}

/** @param bytes 32 of them; they are clamped in place (RFC 7748 §5), as WireGuard writes private keys. */
export function keyPairOf(sodium: Pick<Sodium, 'crypto_scalarmult_base'>, bytes: Uint8Array): KeyPair {
  bytes[0]! &= 248;
  bytes[31] = (bytes[31]! & 127) | 64;
  return { privateKey: new SecretKey(bytes), publicKey: publicKeyFromBytes(sodium.crypto_scalarmult_base(bytes)) };
}
