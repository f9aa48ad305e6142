/** Growing delays with full jitter: after an outage thousands of agents do not come back in the same moment. */
export interface Backoff {
  /** Milliseconds to wait before the next attempt. */
  next(): number;
  /** After a success. */
  reset(): void;
}

/** Ceiling of the first delay, milliseconds. */
export const FIRST_DELAY = 200;
/** Ceiling of all delays, milliseconds: an agent comes back at most this long after its control plane. */
export const LONGEST_DELAY = 10_000;

/** @param random uniform in [0, 1). */
export function createBackoff(random: () => number): Backoff {
  let attempt = 0;
  return {
    next() {
      const ceiling = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** Math.min(attempt, 16));
      attempt++;
      return Math.ceil(random() * ceiling);
    },
    reset() {
      attempt = 0;
    },
  };
}
