import type { Instant } from '@warren/base';

/** Lets through so many a second on average, and so many at once. */
export class TokenBucket {
  #tokens: number;
  #filledAt: Instant | undefined;

  constructor(
    private readonly atOnce: number,
    private readonly perSecond: number,
  ) {
    this.#tokens = atOnce;
  }

  /** Whether one more may pass now; it is counted then. */
  take(now: Instant): boolean {
    const waited = this.#filledAt === undefined ? 0 : Math.max(0, now - this.#filledAt);
    this.#filledAt = now;
    this.#tokens = Math.min(this.atOnce, this.#tokens + (waited * this.perSecond) / 1_000);
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
