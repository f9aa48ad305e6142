import { toHex } from '@warren/base';
import { describe, expect, it } from 'vitest';
import type { MemoryAead } from './memory-aead.js';
import { nobleProvider } from './noble-provider.js';

const EMPTY = new Uint8Array(0);
const LENGTHS = [
  0, 1, 15, 16, 17, 31, 32, 63, 64, 65, 127, 128, 129, 191, 192, 193, 207, 208, 209, 255, 256, 257, 511, 512, 513, 1420,
  1424, 9000,
];
const text = (length: number, from = 3): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 7 + from) & 0xff);
/** No part of any text above. */
const key = nobleProvider.hash(text(3));

/** What every `MemoryAead` must do, compared with `@noble`. `offset`: 32 KiB of its memory that are free, aligned to 16. */
export function memoryAeadSuite(
  name: string,
  make: () => { readonly aead: MemoryAead; readonly offset: number },
): void {
  describe(`packet cipher ${name}`, () => {
    const reference = (counter: number, plaintext: Uint8Array, withKey = key): Uint8Array => {
      const sealed = new Uint8Array(plaintext.length + 16);
      nobleProvider.seal(withKey, counter, plaintext, EMPTY, sealed);
      return sealed;
    };

    it.each([0, 1, 2, 4, 5, 8, 13])(
      'seals and opens every length in place and elsewhere, %d bytes off alignment',
      (shift) => {
        const { aead, offset } = make();
        const { memory } = aead;
        for (const length of LENGTHS) {
          const plaintext = text(length, length);
          for (const to of [offset + shift, offset + 16_384 + 16 - shift]) {
            const from = offset + shift;
            memory.fill(0xaa, offset, offset + 32_768);
            memory.set(plaintext, from);
            aead.seal(key, length, from, length, to);
            const sealed = memory.slice(to, to + length + 16);
            expect(toHex(sealed)).toBe(toHex(reference(length, plaintext)));
            expect(memory[to + length + 16]).toBe(0xaa);
            expect(aead.open(key, length, to, length + 16, from)).toBe(true);
            expect(toHex(memory.subarray(from, from + length))).toBe(toHex(plaintext));
          }
        }
      },
    );

    it('uses all of the counter, and refuses one that is no integer from 0 to 2^53 - 1', () => {
      const { aead, offset } = make();
      for (const counter of [0, 1, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 12_345, Number.MAX_SAFE_INTEGER]) {
        aead.memory.set(text(40), offset);
        aead.seal(key, counter, offset, 40, offset);
        expect(toHex(aead.memory.subarray(offset, offset + 56))).toBe(toHex(reference(counter, text(40))));
      }
      for (const counter of [-1, 0.5, Number.MAX_SAFE_INTEGER + 1, Number.NaN, Number.POSITIVE_INFINITY]) {
        expect(() => aead.seal(key, counter, offset, 40, offset)).toThrow(/counter/);
        expect(aead.open(key, counter, offset, 56, offset)).toBe(false);
      }
    });

    it('refuses every changed bit, another counter, key or length', () => {
      const { aead, offset } = make();
      const { memory } = aead;
      const sealed = reference(9, text(37));
      const opens = (bytes: Uint8Array, counter = 9, withKey = key): boolean => {
        memory.set(bytes, offset);
        return aead.open(withKey, counter, offset, bytes.length, offset + 1024);
      };
      for (let bit = 0; bit < sealed.length * 8; bit++) {
        const changed = sealed.slice();
        changed[bit >> 3]! ^= 1 << (bit & 7);
        expect(opens(changed)).toBe(false);
      }
      for (let length = 0; length < sealed.length; length++) expect(opens(sealed.subarray(0, length))).toBe(false);
      expect(opens(sealed, 10)).toBe(false);
      expect(opens(sealed, 9 + 2 ** 32)).toBe(false);
      expect(opens(sealed, 9, text(32, 1))).toBe(false);
      expect(opens(sealed)).toBe(true);
    });

    it('follows a change of keys from packet to packet, also when the array is the same', () => {
      const { aead, offset } = make();
      const changing = text(32, 1);
      for (const from of [1, 2, 1]) {
        changing.set(text(32, from));
        aead.memory.set(text(20), offset);
        aead.seal(changing, 5, offset, 20, offset);
        expect(toHex(aead.memory.subarray(offset, offset + 36))).toBe(toHex(reference(5, text(20), changing)));
      }
    });

    it('leaves no key in its memory after it was told to forget, and goes on working', () => {
      const { aead, offset } = make();
      aead.memory.set(text(20), offset);
      aead.seal(key, 5, offset, 20, offset);
      expect(aead.open(key, 5, offset, 36, offset)).toBe(true);
      aead.forget();
      expect(Buffer.from(aead.memory.buffer).indexOf(key)).toBe(-1);
      aead.seal(key, 5, offset, 20, offset);
      expect(toHex(aead.memory.subarray(offset, offset + 36))).toBe(toHex(reference(5, text(20))));
    });
  });
}
