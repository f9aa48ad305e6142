import { invariant } from '@warren/base';
import { type CryptoProvider, TAG_LENGTH } from './provider.js';

/**
 * WireGuard's packet cipher on one fixed memory: everything is an offset, so that a packet costs no object. ChaCha20-Poly1305
 * (RFC 8439) without associated data, the nonce as in `CryptoProvider.seal`.
 */
export interface MemoryAead {
  /** What `agent status` shows, e.g. `openssl-low`. */
  readonly name: string;
  /** The memory that offsets count in. It never moves. */
  readonly memory: Uint8Array;
  /**
   * Seals `length` bytes at `from`, writing `length + 16` at `to`, which is `from` itself or overlaps nothing of the input.
   * The counter is an integer from 0 to 2^53 − 1; `key` has 32 bytes and is copied. @throws InvariantError for other counters.
   */
  seal(key: Uint8Array, counter: number, from: number, length: number, to: number): void;
  /**
   * Opens `length` bytes (tag included) at `from` and writes `length - 16` at `to`, on the same condition.
   * @returns false, with what is at `to` unspecified, when the tag does not verify or there cannot be one.
   */
  open(key: Uint8Array, counter: number, from: number, length: number, to: number): boolean;
  /** Overwrites what is left in its memory of the keys that it was given. Called when a key is retired. */
  forget(): void;
}

const NO_DATA = new Uint8Array(0);

/** Any provider as a `MemoryAead` on `memory`, at the cost of two small objects a packet: the fallback, and the tests' reference. */
export function memoryAeadOf(provider: CryptoProvider, memory: Uint8Array): MemoryAead {
  return {
    name: provider.name,
    memory,
    seal(key, counter, from, length, to): void {
      invariant(isCounter(counter), 'a counter is an integer from 0 to 2^53 - 1');
      const out = memory.subarray(to, to + length + TAG_LENGTH);
      provider.seal(key, counter, memory.subarray(from, from + length), NO_DATA, out);
    },
    open(key, counter, from, length, to): boolean {
      if (length < TAG_LENGTH || !isCounter(counter)) return false;
      const out = memory.subarray(to, to + length - TAG_LENGTH);
      return provider.open(key, counter, memory.subarray(from, from + length), NO_DATA, out);
    },
    forget: () => undefined, // a provider keeps no key
  };
}

/** What a counter may be: beyond 2^53 − 1 a number no longer counts by ones. */
export const isCounter = (counter: number): boolean => Number.isSafeInteger(counter) && counter >= 0;
