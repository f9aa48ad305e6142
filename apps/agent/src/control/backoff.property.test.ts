import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createBackoff, FIRST_DELAY, LONGEST_DELAY } from './backoff.js';

it('delays are random below a ceiling that doubles up to the longest', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { maxLength: 60 }), (draws) => {
      const random = draws[Symbol.iterator]();
      const backoff = createBackoff(() => random.next().value as number);
      draws.forEach((draw, attempt) => {
        const ceiling = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** attempt);
        expect(backoff.next()).toBe(Math.ceil(draw * ceiling));
      });
    }),
  );
});

it('delays begin anew after a success', () => {
  const backoff = createBackoff(() => 0.999);
  for (let i = 0; i < 20; i++) backoff.next();
  expect(backoff.next()).toBeGreaterThan(FIRST_DELAY);
  backoff.reset();
  expect(backoff.next()).toBeLessThanOrEqual(FIRST_DELAY);
});
