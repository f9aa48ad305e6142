/** How often something may happen: `atOnce` in a burst, `perSecond` for long. */
export interface Rate {
  readonly atOnce: number;
  readonly perSecond: number;
}

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

  /** Takes one back that was counted. */
  giveBack(caller: string): void {
    const paidAt = this.#paidAt.get(caller);
    if (paidAt !== undefined) this.#paidAt.set(caller, paidAt - this.#interval);
  }

  /** Milliseconds until this caller may do one more; nothing is counted. */
  wait(caller: string, now: number): number {
    const paidAt = Math.max(now, this.#paidAt.get(caller) ?? now);
    return Math.max(0, paidAt + this.#interval - now - this.#allowance);
  }
}
