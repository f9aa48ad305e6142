/** Lets through so many a second on average, and so many at once. */
export class TokenBucket {
  #tokens: number;
  #filledAt: number | undefined;

  constructor(
    private readonly atOnce: number,
    private readonly perSecond: number,
  ) {
    this.#tokens = atOnce;
  }

  /** Whether `amount` may pass at `now`, monotonic milliseconds; it is counted then. */
  take(now: number, amount = 1): boolean {
    const waited = this.#filledAt === undefined ? 0 : Math.max(0, now - this.#filledAt);
    this.#filledAt = now;
    this.#tokens = Math.min(this.atOnce, this.#tokens + (waited * this.perSecond) / 1_000);
    if (this.#tokens < amount) return false;
    this.#tokens -= amount;
    return true;
  }
}
