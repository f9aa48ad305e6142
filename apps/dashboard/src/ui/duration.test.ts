import { expect, it } from 'vitest';
import { durationText, parseDurationText } from './duration.js';

it('reads durations as the control plane does', () => {
  expect(parseDurationText('90s')).toBe(90_000);
  expect(parseDurationText('1h30m')).toBe(5_400_000);
  expect(parseDurationText('2w')).toBe(14 * 86_400_000);
  for (const text of ['', '7', 'd', '1.5h', '7 d', '0s', '-1h', '1y'])
    expect(parseDurationText(text), text).toBeUndefined();
});

it('writes a duration so that it is read as the same', () => {
  for (const milliseconds of [1_000, 90_000, 5_400_000, 86_400_000, 7 * 86_400_000, 90_061_000])
    expect(parseDurationText(durationText(milliseconds))).toBe(milliseconds);
  expect(durationText(7 * 86_400_000)).toBe('7d');
  expect([durationText(null), durationText(0)]).toEqual(['', '']);
});
