import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { digestBytes, entryHash, isDigest, moveDigest } from './digest.js';

/** The definition, computed anew: sum modulo 2^256 of SHA-256 over each entry. */
function naive(entries: readonly Uint8Array[]): Buffer {
  const sum = entries.reduce(
    (total, bytes) => total + BigInt(`0x${createHash('sha256').update(bytes).digest('hex')}`),
    0n,
  );
  return Buffer.from((sum % 2n ** 256n).toString(16).padStart(64, '0'), 'hex');
}

it('kept step by step, the digest is that of the entries that are there, whatever came and went', () => {
  const step = fc.record({ id: fc.integer({ min: 0, max: 5 }), bytes: fc.option(fc.uint8Array({ maxLength: 8 })) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const entries = new Map<number, Uint8Array>();
      let digest = 0n;
      for (const { id, bytes } of steps) {
        const before = entries.get(id);
        digest = moveDigest(digest, before ? entryHash(before) : 0n, bytes ? entryHash(bytes) : 0n);
        if (bytes) entries.set(id, bytes);
        else entries.delete(id);
      }
      expect(Buffer.from(digestBytes(digest))).toEqual(naive([...entries.values()]));
      expect(isDigest(digest, naive([...entries.values()]))).toBe(true);
      expect(isDigest(digest, new Uint8Array(0))).toBe(false);
    }),
  );
});
