import { expect, it } from 'vitest';
import { median, quantile, summarize } from './statistics.js';

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

it('finds quantiles by nearest rank', () => {
  const values = Array.from({ length: 100 }, (_, i) => 100 - i);
  expect([quantile(values, 0.5), quantile(values, 0.99), quantile(values, 1), quantile([7], 0.01)]).toEqual([
    50, 99, 100, 7,
  ]);
  expect(quantile([], 0.5)).toBeNaN();
});
