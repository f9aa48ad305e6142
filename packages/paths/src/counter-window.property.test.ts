import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CounterWindow } from './counter-window.js';

const start = 1_700_000_000_000 * 1024;

describe('the counter window', () => {
  it('takes each counter once and none that is 1024 or more behind, as a set would tell', () => {
    const steps = fc.array(fc.oneof(fc.integer({ min: 0, max: 3_000 }), fc.integer({ min: 0, max: 40 })), {
      maxLength: 300,
    });
    fc.assert(
      fc.property(steps, (offsets) => {
        const window = new CounterWindow();
        const taken = new Set<number>();
        let highest = -1;
        for (const offset of offsets) {
          const counter = start + offset;
          const expected = !taken.has(counter) && counter > highest - 1024;
          expect(window.accepts(counter)).toBe(expected);
          if (!expected) continue;
          window.take(counter);
          taken.add(counter);
          highest = Math.max(highest, counter);
        }
      }),
    );
  });
});
