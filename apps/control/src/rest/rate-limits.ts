/** How often something may happen: `atOnce` in a burst, `perSecond` for long. */
export interface Rate {
  readonly atOnce: number;
  readonly perSecond: number;
}

/** What REST allows, per process. Whoever comes over the local socket is not counted. */
export interface RestRates {
  /** Per API key, whatever it asks. */
  readonly requests: Rate;
  /** Secrets that are none, per client address: an address beyond it is not looked up any more. */
  readonly failures: Rate;
}

/** A key does what a busy script does; 256-bit secrets cannot be guessed, but each try costs a query. */
export const REST_RATES: RestRates = {
  requests: { atOnce: 1_000, perSecond: 200 },
  failures: { atOnce: 300, perSecond: 5 },
};

/** Callers that are remembered; beyond it the one that was silent the longest is forgotten. */
const MAX_CALLERS = 10_000;

/**
 * Counts callers by the generic cell rate algorithm (ITU-T I.371): all that is kept of one is when it will have paid
 * for everything it did. Times are milliseconds of a monotonic clock.
 */
export class RateLimiter {
  readonly #paidAt = new Map<string, number>();
  readonly #interval: number;
  readonly #allowance: number;

  constructor({ atOnce, perSecond }: Rate) {
    this.#interval = 1_000 / perSecond;
    this.#allowance = this.#interval * atOnce;
  }

  /** Counts one. @returns 0, or the milliseconds to wait, and then nothing was counted. */
  take(caller: string, now: number): number {
    const wait = this.wait(caller, now);
    if (wait > 0) return wait;
    const paidAt = Math.max(now, this.#paidAt.get(caller) ?? now) + this.#interval;
    this.#paidAt.delete(caller);
    if (this.#paidAt.size >= MAX_CALLERS) this.#paidAt.delete(this.#paidAt.keys().next().value!);
    this.#paidAt.set(caller, paidAt);
    return 0;
  }

  /** Milliseconds until this caller may do one more; nothing is counted. */
  wait(caller: string, now: number): number {
    const paidAt = Math.max(now, this.#paidAt.get(caller) ?? now);
    return Math.max(0, paidAt + this.#interval - now - this.#allowance);
  }
}
