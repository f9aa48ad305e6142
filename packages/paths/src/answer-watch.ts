import type { Instant } from '@warren/base';
import { delayed } from './times.js';

/** Sent so long ago over a server from which nothing was heard since: ask whether it lives. At least; for far ones by the round trip. */
const CHECK_AFTER_MS = 350;
/** The question had no answer for so long: other servers are used beside it, and a stream is opened. */
const SUSPECT_AFTER_MS = 350;
/** While there is traffic, a lost server is asked again after so long. */
const ASK_LOST_AGAIN_MS = 1_000;

/** Whether a server still answers: what was sent over it, when it was asked, and when its silence makes it suspect. */
export class AnswerWatch {
  /** It was asked, and has not answered in time. */
  suspect = false;
  /** When something was sent over this server, and nothing was heard from it since. */
  #unansweredSince: Instant | undefined;
  #checkedAt: Instant | undefined;
  #lastSentAt: Instant | undefined;
  #lastUsedAt: Instant | undefined;

  /** Whether something was sent over it since then. */
  usedSince(since: number): boolean {
    return this.#lastUsedAt !== undefined && this.#lastUsedAt >= since;
  }

  /** A datagram goes out over the server. Cheap. */
  noteSent(now: Instant): void {
    this.#lastSentAt = this.#lastUsedAt = now;
    this.#unansweredSince ??= now;
  }

  /** It is asked now, whatever was sent; `registered`: an answer is due. */
  asked(registered: boolean, now: Instant): void {
    if (registered) this.#unansweredSince ??= now;
    this.#checkedAt ??= now;
  }

  /** Something came that only this server can have sent, or nothing is expected any more. @returns whether it was suspect. */
  settle(): boolean {
    const wasSuspect = this.suspect;
    this.#unansweredSince = this.#checkedAt = undefined;
    this.suspect = false;
    return wasSuspect;
  }

  /** What the silence of a server at which we are registered calls for now: to ask it, or to hold it for suspect. */
  step(rttMs: number | undefined, now: Instant): 'ask' | 'suspect' | undefined {
    if (this.#unansweredSince === undefined) return undefined;
    if (this.#checkedAt === undefined) {
      if (now < this.#checkAt(this.#unansweredSince, rttMs)) return undefined;
      this.#checkedAt = now;
      return 'ask';
    }
    if (this.suspect || now < this.#suspectAt(this.#checkedAt, rttMs)) return undefined;
    this.suspect = true;
    return 'suspect';
  }

  /** Whether a server at which we are not registered is to be asked once more: only as long as there is traffic. */
  takeAskAgain(now: Instant): boolean {
    const sentAt = this.#lastSentAt;
    if (sentAt === undefined || now < this.#askAgainAt(sentAt)) return false;
    if (now - sentAt > ASK_LOST_AGAIN_MS) {
      this.#lastSentAt = undefined;
      return false;
    }
    this.#checkedAt = now;
    return true;
  }

  deadline(registered: boolean, rttMs: number | undefined): Instant | undefined {
    if (!registered) return this.#lastSentAt === undefined ? undefined : this.#askAgainAt(this.#lastSentAt);
    if (this.#unansweredSince === undefined) return undefined;
    if (this.#checkedAt === undefined) return this.#checkAt(this.#unansweredSince, rttMs);
    return this.suspect ? undefined : this.#suspectAt(this.#checkedAt, rttMs);
  }

  #checkAt = (since: Instant, rttMs = 0): Instant => delayed(since, Math.max(CHECK_AFTER_MS, 1.5 * rttMs + 50));
  #suspectAt = (since: Instant, rttMs = 0): Instant => delayed(since, Math.max(SUSPECT_AFTER_MS, 1.5 * rttMs + 50));
  #askAgainAt = (sentAt: Instant): Instant => delayed(this.#checkedAt ?? sentAt, ASK_LOST_AGAIN_MS);
}
