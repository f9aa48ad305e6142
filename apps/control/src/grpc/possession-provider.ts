import { createPrivateKey, createPublicKey, diffieHellman, type KeyObject } from 'node:crypto';
import { concatBytes } from '@warren/base';
import { type CryptoProvider, nobleProvider } from '@warren/crypto';

/** What precedes the 32 key bytes in DER (RFC 8410 §7 and §4). */
const PKCS8_X25519 = Uint8Array.from(Buffer.from('302e020100300506032b656e04220420', 'hex'));
const SPKI_X25519 = Uint8Array.from(Buffer.from('302a300506032b656e032100', 'hex'));

/** By the array that holds the private key: the control plane has one for all of its life. */
const imported = new WeakMap<Uint8Array, { privateKey: KeyObject; publicKey: Uint8Array }>();

/**
 * The primitives for proofs of possession, with X25519 from OpenSSL: in JavaScript it was a tenth of all that a join
 * costs. Private keys are remembered by their array, whose content must not change.
 */
export const possessionProvider: CryptoProvider = {
  ...nobleProvider,
  name: 'possession',
  dh: (privateKey, publicKey) => {
    const der = Buffer.from(concatBytes(SPKI_X25519, publicKey));
    try {
      const peer = createPublicKey({ key: der, format: 'der', type: 'spki' });
      return Uint8Array.from(diffieHellman({ privateKey: importKey(privateKey).privateKey, publicKey: peer }));
    } catch {
      return new Uint8Array(32); // OpenSSL refuses public keys of low order; the caller checks for zeros
    }
  },
  publicKey: (privateKey) => Uint8Array.from(importKey(privateKey).publicKey),
};

function importKey(bytes: Uint8Array): { privateKey: KeyObject; publicKey: Uint8Array } {
  const known = imported.get(bytes);
  if (known) return known;
  const der = Buffer.from(concatBytes(PKCS8_X25519, bytes));
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  der.fill(0);
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  const made = { privateKey, publicKey: Uint8Array.from(spki.subarray(SPKI_X25519.length)) };
  imported.set(bytes, made);
  return made;
}
