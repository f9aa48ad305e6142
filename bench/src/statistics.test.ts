import { expect, it } from 'vitest';
import { median, summarize } from './statistics.js';

it('takes the middle of an odd number of values, and the mean of the middle two of an even number', () => {
  expect(median([3, 1, 10])).toBe(3);
  expect(median([4, 1, 10, 2])).toBe(3);
  expect(median([])).toBeNaN();
});

it('does not change the values that it is given', () => {
  const values = [3, 1, 2];
  expect(summarize(values)).toEqual({ median: 2, min: 1, max: 3 });
  expect(values).toEqual([3, 1, 2]);
});
