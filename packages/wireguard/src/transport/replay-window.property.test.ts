import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { REPLAY_WINDOW_BITS } from '../constants.js';
import { ReplayWindow } from './replay-window.js';

/** The rule, word by word: remember everything. */
class NaiveWindow {
  readonly #delivered = new Set<number>();
  #greatest = -1;

  isNew(counter: number): boolean {
    return !this.#delivered.has(counter) && this.#greatest - counter < REPLAY_WINDOW_BITS;
  }

  accept(counter: number): boolean {
    if (!this.isNew(counter)) return false;
    this.#delivered.add(counter);
    this.#greatest = Math.max(this.#greatest, counter);
    return true;
  }
}

/** Steps around the greatest counter so far, small, across words, across the window, and far beyond 32 bits. */
const step = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -70, max: 70 }) },
  { weight: 3, arbitrary: fc.integer({ min: -REPLAY_WINDOW_BITS - 70, max: REPLAY_WINDOW_BITS + 70 }) },
  { weight: 2, arbitrary: fc.constantFrom(...[-1, 0, 1].map((by) => by - REPLAY_WINDOW_BITS), REPLAY_WINDOW_BITS) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 2 ** 40 }) },
);
const start = fc.constantFrom(0, 1, 31, 8191, 8192, 2 ** 31 - 5, 2 ** 32 - 5, 2 ** 52);

describe('replay window', () => {
  it('says what remembering everything would say', () => {
    fc.assert(
      fc.property(start, fc.array(step, { minLength: 1, maxLength: 300 }), (origin, steps) => {
        const [window, naive] = [new ReplayWindow(), new NaiveWindow()];
        let greatest = origin;
        for (const by of steps) {
          const counter = Math.max(0, greatest + by);
          expect(window.isNew(counter)).toBe(naive.isNew(counter));
          expect(window.accept(counter)).toBe(naive.accept(counter));
          greatest = Math.max(greatest, counter);
        }
      }),
      { numRuns: 500, seed: 2 },
    );
  });

  it('delivers each of a shuffled window exactly once', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([...Array(500).keys()], { minLength: 500 }), (order) => {
        const window = new ReplayWindow();
        for (const counter of order) expect(window.accept(counter)).toBe(true);
        for (const counter of order) expect(window.accept(counter)).toBe(false);
      }),
      { numRuns: 50, seed: 3 },
    );
  });

  it('holds 8192 counters: the 8192nd back is new, the 8193rd is too old', () => {
    const window = new ReplayWindow();
    window.accept(100_000);
    expect(window.isNew(100_000 - REPLAY_WINDOW_BITS + 1)).toBe(true);
    expect(window.isNew(100_000 - REPLAY_WINDOW_BITS)).toBe(false);
  });

  it('is not changed by looking', () => {
    const window = new ReplayWindow();
    window.accept(5);
    for (const counter of [6, 1_000_000, 2 ** 50]) expect(window.isNew(counter)).toBe(true);
    expect(window.accept(4)).toBe(true);
  });
});
