import type { Instant } from '@warren/base';
import type { RemoteCandidate } from './remote-candidates.js';
import { delayed, soonest } from './times.js';

/** Sent so long ago on the path, and nothing came since: ask whether it works. At least; for far peers by the round trip. */
const PATIENCE_MS = 200;
const PATIENCE_ROUND_TRIPS = 1.5;
const PATIENCE_JITTER_MS = 50;
/** So long after trust has lapsed the path is given up. */
const GIVE_UP_AFTER_MS = 1_500;
/** Between two questions. */
const PING_EVERY_MS = 150;
const PING_EVERY_ALONE_MS = 1_000;

export type TrustStep = 'ping' | 'lapse' | 'give-up';

/** Whether the direct path in use can be believed: by what came back over it since something was sent. */
export class DirectTrust {
  #provenAt: Instant;
  #unansweredSince: Instant | undefined;
  #lapsedAt: Instant | undefined;
  #pingedAt: Instant | undefined;
  #suspended = false;

  constructor(
    readonly candidate: RemoteCandidate,
    readonly since: Instant,
  ) {
    this.#provenAt = since;
  }

  get lapsed(): boolean {
    return this.#lapsedAt !== undefined;
  }

  /** As far as is known: it was proven, and has not failed since. */
  get works(): boolean {
    return this.#lapsedAt === undefined || this.#suspended;
  }

  /** Something was sent, and nothing came since. */
  get waits(): boolean {
    return this.#unansweredSince !== undefined;
  }

  /** Something was sent on it. */
  noteSent(now: Instant): void {
    if (this.#suspended) {
      this.#suspended = false;
      this.#lapsedAt = undefined;
      this.lapse(now);
    }
    this.#unansweredSince ??= now;
  }

  /**
   * Nothing was sent for long, and nothing will be asked: NATs may forget the path meanwhile, so that what is sent next has to go
   * over the relay too. @returns whether that is news.
   */
  suspend(now: Instant): boolean {
    if (this.#lapsedAt !== undefined) return false;
    this.#lapsedAt = now;
    this.#unansweredSince = undefined;
    this.#suspended = true;
    return true;
  }

  /** Whether it was idle for so long (`staleAfterMs`) that it has to be doubted before it is used. */
  isStale = (now: Instant, afterMs: number): boolean => this.#lapsedAt === undefined && now - this.#provenAt >= afterMs;

  /** A question has gone without an answer for longer than one takes. */
  isUnanswered = (now: Instant): boolean =>
    this.#unansweredSince !== undefined && this.#pingedAt !== undefined && now >= this.#answerDueAt();

  /** Something authenticated came over it. @returns whether trust had lapsed. */
  prove(now: Instant): boolean {
    const { lapsed } = this;
    this.#provenAt = now;
    this.#unansweredSince = this.#lapsedAt = this.#pingedAt = undefined;
    this.#suspended = false;
    return lapsed;
  }

  /** Asks now, without waiting for something to be sent. */
  question(now: Instant): void {
    const askNow = delayed(now, -this.#patience());
    if (this.#unansweredSince === undefined || this.#unansweredSince > askNow) this.#unansweredSince = askNow;
  }

  /** Trust has lapsed without a question: the network changed. */
  lapse(now: Instant): void {
    this.question(now);
    this.#lapsedAt ??= now;
  }

  /** What is to be done now. `alone`: there is no relay, so that there is nothing to fall back to. */
  step(now: Instant, alone: boolean): TrustStep | undefined {
    if (this.#unansweredSince === undefined) return undefined;
    if (!alone && this.#lapsedAt !== undefined && now >= this.#giveUpAt()) return 'give-up';
    if (this.#lapsedAt === undefined && now >= this.#lapseAt()) {
      this.#lapsedAt = now;
      return 'lapse';
    }
    if (now < this.#pingAt(alone)) return undefined;
    this.#pingedAt = now;
    return 'ping';
  }

  deadline(alone: boolean): Instant | undefined {
    if (this.#unansweredSince === undefined) return undefined;
    const next = this.#lapsedAt === undefined ? this.#lapseAt() : alone ? undefined : this.#giveUpAt();
    return soonest(next, this.#pingAt(alone));
  }

  /** How long an answer may take: before we ask, and again until trust has lapsed and everything goes over the relay too. */
  #patience = (): number =>
    Math.max(PATIENCE_MS, PATIENCE_ROUND_TRIPS * (this.candidate.rttMs ?? 0) + PATIENCE_JITTER_MS);
  #verifyAt = (): Instant => delayed(this.#unansweredSince!, this.#patience());
  #answerDueAt = (): Instant => delayed(this.#verifyAt(), Math.max(PING_EVERY_MS, 1.2 * (this.candidate.rttMs ?? 0)));
  #lapseAt = (): Instant => delayed(this.#unansweredSince!, 2 * this.#patience());
  #giveUpAt = (): Instant => delayed(this.#lapsedAt!, GIVE_UP_AFTER_MS);
  #pingAt(alone: boolean): Instant {
    if (this.#pingedAt === undefined) return this.#verifyAt();
    return delayed(this.#pingedAt, alone && this.lapsed ? PING_EVERY_ALONE_MS : PING_EVERY_MS);
  }
}
