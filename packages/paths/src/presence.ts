import type { Instant } from '@warren/base';

/** A peer that was heard in this time is taken to be there. */
const HEARD_FOR_MS = 180_000;
/** One that was not heard for so long may be asked, and not more often. */
const ASK_AFTER_MS = 10_000;

/** Whether a peer is there: by when it was heard last, and when it was asked. */
export class Presence {
  #heardAt: Instant | undefined;
  #askedAt: Instant | undefined;

  heard(now: Instant): void {
    this.#heardAt = now;
  }

  get wasAsked(): boolean {
    return this.#askedAt !== undefined;
  }

  isThere = (now: Instant): boolean => isWithin(this.#heardAt, HEARD_FOR_MS, now);

  /** @param silentMs if said: only one that was heard before, but not for so long. @returns whether to ask it now. */
  takeQuestion(now: Instant, silentMs?: number): boolean {
    if (silentMs !== undefined && this.#heardAt === undefined) return false;
    const after = silentMs ?? ASK_AFTER_MS;
    if (isWithin(this.#heardAt, after, now) || isWithin(this.#askedAt, after, now)) return false;
    this.#askedAt = now;
    return true;
  }
}

const isWithin = (at: Instant | undefined, ms: number, now: Instant): boolean => at !== undefined && now - at < ms;
