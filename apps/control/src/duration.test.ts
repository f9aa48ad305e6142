import { expect, it } from 'vitest';
import { parseDuration } from './duration.js';

it.each([
  ['90s', 90_000],
  ['30m', 1_800_000],
  ['1h', 3_600_000],
  ['1h30m', 5_400_000],
  ['7d', 604_800_000],
  ['2w', 1_209_600_000],
])('reads %s', (text, expected) => expect(parseDuration(text)).toBe(expected));

it.each(['', '1', 'h', '0s', '-1h', '1.5h', '1 h', '1y', '999999999w', '１h'])('refuses %j', (text) => {
  expect(parseDuration(text)).toBeUndefined();
});
