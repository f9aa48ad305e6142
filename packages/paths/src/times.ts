import type { Instant } from '@warren/base';

/** The instant `ms` milliseconds after `at`. */
export const delayed = (at: Instant, ms: number): Instant => (at + ms) as Instant;

/** The earliest of those that are there. */
export function soonest(a: Instant | undefined, b: Instant | undefined): Instant | undefined {
  if (a === undefined) return b;
  return b === undefined || a <= b ? a : b;
}
