import { invariant } from '@warren/base';
import { isCounter, type MemoryAead, TAG_LENGTH } from '@warren/crypto';
import type { PacketMemory } from '@warren/udp';
import { type Bind, INT, SIZE, VOID } from './library.js';

const KEY = 32;
const NONCE = 12;

type Aead = (
  out: number,
  outLength: number,
  first: number,
  second: number,
  third: number,
  fourth: number,
  fifth: number,
  nonce: number,
  key: number,
) => number;

/** ChaCha20-Poly1305 by the libsodium of the host. @throws Error when the library has no such symbols. */
export function openSodium(bind: Bind, memory: PacketMemory): MemoryAead {
  const initialised = bind<() => number>('sodium_init', INT, [])();
  invariant(initialised >= 0, 'libsodium does not initialise');
  const parameters = Array.from({ length: 9 }, () => SIZE);
  // c, clen, m, mlen, ad, adlen, nsec, npub, k
  const encrypt = bind<Aead>('crypto_aead_chacha20poly1305_ietf_encrypt', INT, parameters);
  // m, mlen, nsec, c, clen, ad, adlen, npub, k
  const decrypt = bind<Aead>('crypto_aead_chacha20poly1305_ietf_decrypt', INT, parameters);
  const wipe = bind<(address: number, length: number) => void>('sodium_memzero', VOID, [SIZE, SIZE]);
  const { bytes, view, base } = memory;
  const keyAt = memory.allocate(KEY);
  const nonceAt = memory.allocate(NONCE);
  const begin = (key: Uint8Array, counter: number): void => {
    bytes.set(key, keyAt);
    view.setUint32(nonceAt + 4, counter >>> 0, true);
    view.setUint32(nonceAt + 8, (counter / 0x1_0000_0000) >>> 0, true);
  };
  return {
    name: 'libsodium',
    memory: bytes,
    seal(key, counter, from, length, to): void {
      invariant(isCounter(counter), 'a counter is an integer from 0 to 2^53 - 1');
      begin(key, counter);
      const failed = encrypt(base + to, 0, base + from, length, 0, 0, 0, base + nonceAt, base + keyAt);
      invariant(failed === 0, 'libsodium failed to seal');
    },
    open(key, counter, from, length, to): boolean {
      if (length < TAG_LENGTH || !isCounter(counter)) return false;
      begin(key, counter);
      return decrypt(base + to, 0, 0, base + from, length, 0, 0, base + nonceAt, base + keyAt) === 0;
    },
    forget: () => wipe(base + keyAt, KEY),
  };
}
