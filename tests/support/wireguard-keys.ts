import { randomBytes } from 'node:crypto';
import { type PublicKey, publicKeyFromBytes, toBase64 } from '@warren/base';
import { nobleProvider } from '@warren/crypto';

/** A WireGuard key pair of a test, in base64. */
export interface KeyPair {
  readonly privateKey: string;
  readonly publicKey: PublicKey;
}

export function createKeyPair(): KeyPair {
  const privateKey = Uint8Array.from(randomBytes(32));
  return { privateKey: toBase64(privateKey), publicKey: publicKeyFromBytes(nobleProvider.publicKey(privateKey)) };
}

export const createPresharedKey = (): string => toBase64(Uint8Array.from(randomBytes(32)));
