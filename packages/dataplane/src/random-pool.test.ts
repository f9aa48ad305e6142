import { toHex } from '@warren/base';
import { describe, expect, it } from 'vitest';
import { createRandomPool } from './random-pool.js';

describe('pool of random bytes', () => {
  it('gives as many as asked for, never the same ones twice, over many fillings', () => {
    const random = createRandomPool();
    const seen = new Set<string>();
    for (let i = 0; i < 2000; i++) {
      const bytes = random(i % 3 === 0 ? 32 : 16 + (i % 100));
      expect(bytes).toHaveLength(i % 3 === 0 ? 32 : 16 + (i % 100));
      expect(bytes.some((byte) => byte !== 0)).toBe(true);
      seen.add(toHex(bytes.subarray(0, 16)));
    }
    expect(seen.size).toBe(2000);
    expect(random(0)).toHaveLength(0);
  });

  it('gives arrays of the caller’s own', () => {
    const random = createRandomPool();
    const first = random(32);
    const copy = first.slice();
    random(32).fill(0);
    expect(first).toEqual(copy);
    expect(first.buffer.byteLength).toBe(32);
  });
});
