import { randomFillSync } from 'node:crypto';

const POOL = 4096;
/** Longer requests are rare, and filled on their own. */
const MAX_FROM_POOL = 64;

/** Fresh random bytes, a new array each time: drawn in bulk, since one call costs 1 µs and timers ask often; what was given is overwritten. */
export function createRandomPool(): (length: number) => Uint8Array {
  const pool = new Uint8Array(POOL);
  let next = POOL;
  return (length) => {
    if (length > MAX_FROM_POOL) return randomFillSync(new Uint8Array(length));
    if (next + length > POOL) {
      randomFillSync(pool);
      next = 0;
    }
    const bytes = pool.slice(next, next + length);
    pool.fill(0, next, next + length);
    next += length;
    return bytes;
  };
}
