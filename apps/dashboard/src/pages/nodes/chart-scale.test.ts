import { describe, expect, it } from 'vitest';
import { chartScale, nearestIndex, type Point } from './chart-scale.js';

const at = Date.UTC(2026, 10, 22, 12, 3);
const half: Point[] = Array.from({ length: 31 }, (_, i) => [at + i * 60_000, i * 1_000, 5]);

describe('the axes of a chart', () => {
  it('hold the highest value, in round steps of bits', () => {
    const { most, rateTicks } = chartScale(half, 6);
    expect(most).toBeGreaterThanOrEqual(30_000);
    expect(rateTicks).toEqual([0, 12_500, 25_000, 37_500]);
  });

  it('mark round times within what is shown', () => {
    const { timeTicks, from, to } = chartScale(half, 6);
    expect(timeTicks.map((tick) => new Date(tick).getUTCMinutes())).toEqual([5, 10, 15, 20, 25, 30]);
    expect(timeTicks.every((tick) => tick >= from && tick <= to)).toBe(true);
  });

  it('have fewer marks where there is less room', () => {
    expect(chartScale(half, 2).timeTicks.map((tick) => new Date(tick).getUTCMinutes())).toEqual([15, 30]);
  });

  it('exist also where nothing flows', () => {
    const { most, from, to } = chartScale(
      [
        [at, 0, 0],
        [at, 0, 0],
      ],
      6,
    );
    expect(most).toBeGreaterThan(0);
    expect(to).toBeGreaterThan(from);
  });
});

describe('the nearest point', () => {
  it.each([
    [at - 5, 0],
    [at + 29_000, 0],
    [at + 31_000, 1],
    [at + 99 * 60_000, 30],
  ])('to %d is the one nearest in time', (time, index) => expect(nearestIndex(half, time)).toBe(index));
});
