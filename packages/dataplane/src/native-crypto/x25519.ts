import type { CryptoProvider } from '@warren/crypto';
import type { PacketMemory } from '@warren/udp';
import { type Bind, INT, SIZE, VOID } from './library.js';
import { x25519Problem } from './provider-answers.js';

const LENGTH = 32;

/**
 * X25519 by OpenSSL's `ossl_x25519`, a tenth of the time of `node:crypto`, which has to import each key as an object first. No
 * public interface, but the `node` binary exports it; the known answers decide whether it is used.
 * @returns undefined when it is missing or wrong.
 */
export function openX25519(bind: Bind, memory: PacketMemory): Pick<CryptoProvider, 'dh' | 'publicKey'> | undefined {
  let shared: (out: number, privateKey: number, publicKey: number) => number;
  let derive: (out: number, privateKey: number) => void;
  try {
    shared = bind('ossl_x25519', INT, [SIZE, SIZE, SIZE]);
    derive = bind('ossl_x25519_public_from_private', VOID, [SIZE, SIZE]);
  } catch {
    return undefined; // another build of node: `node:crypto` does it
  }
  const { bytes, base } = memory;
  const keyAt = memory.allocate(LENGTH);
  const pointAt = memory.allocate(LENGTH);
  const outAt = memory.allocate(LENGTH);
  /** The result, of which nothing stays in the packet memory, and nothing of the key. */
  const taken = (): Uint8Array => {
    const result = bytes.slice(outAt, outAt + LENGTH);
    bytes.fill(0, outAt, outAt + LENGTH);
    bytes.fill(0, keyAt, keyAt + LENGTH);
    return result;
  };
  const x25519: Pick<CryptoProvider, 'dh' | 'publicKey'> = {
    dh(privateKey, publicKey) {
      bytes.set(privateKey, keyAt);
      bytes.set(publicKey, pointAt);
      // For a public key of low order the result is zeros, as the caller expects.
      shared(base + outAt, base + keyAt, base + pointAt);
      return taken();
    },
    publicKey(privateKey) {
      bytes.set(privateKey, keyAt);
      derive(base + outAt, base + keyAt);
      return taken();
    },
  };
  return x25519Problem(x25519) === undefined ? x25519 : undefined;
}
