/** Unix milliseconds, bytes a second received, and sent. */
export type Point = readonly [at: number, rx: number, tx: number];

interface ChartScale {
  readonly from: number;
  readonly to: number;
  /** Bytes a second at the upper edge; more than nothing. */
  readonly most: number;
  readonly rateTicks: readonly number[];
  readonly timeTicks: readonly number[];
}

/** Minutes between two marks on the axis of time. */
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 240, 720, 1_440] as const;
const MINUTE = 60_000;

/** What the axes of a chart show. @param points oldest first, two at least. @param mostTimes marks that have room on the axis of time. */
export function chartScale(points: readonly Point[], mostTimes: number): ChartScale {
  const from = points[0]![0];
  const to = Math.max(points.at(-1)![0], from + 1);
  const highest = points.reduce((high, [, rx, tx]) => Math.max(high, rx, tx), 0);
  const step = niceStep(highest / 4);
  const count = Math.max(Math.ceil(highest / step), 1);
  const rateTicks = Array.from({ length: count + 1 }, (_, index) => index * step);
  const gap = (STEPS.find((minutes) => (to - from) / (minutes * MINUTE) <= Math.max(mostTimes, 1)) ?? 1_440) * MINUTE;
  const timeTicks: number[] = [];
  for (let at = Math.ceil(from / gap) * gap; at <= to; at += gap) timeTicks.push(at);
  return { from, to, most: count * step, rateTicks, timeTicks };
}

/** 1, 2 or 5 times a power of ten in bits a second, and not less than `bytes`; in bytes. */
function niceStep(bytes: number): number {
  const bits = Math.max(bytes * 8, 250);
  const power = 10 ** Math.floor(Math.log10(bits));
  return (power * ([1, 2, 5].find((factor) => factor * power >= bits) ?? 10)) / 8;
}

/** Index of the point nearest in time. */
export function nearestIndex(points: readonly Point[], at: number): number {
  let low = 0;
  let high = points.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (points[middle]![0] <= at) low = middle;
    else high = middle;
  }
  return Math.abs(points[low]![0] - at) <= Math.abs(points[high]![0] - at) ? low : high;
}
