import type { Instant } from '@warren/base';
import type { ServerId } from './path-manager-api.js';
import { delayed, soonest } from './times.js';

/** Pauses before candidates are sent again while the peer has not answered; the last one is doubled. */
const AGAIN_AFTER_MS = [250, 500, 1_000, 1_000, 1_000, 1_000, 1_000, 1_000, 2_000, 2_000, 2_000, 4_000];
const AGAIN_AT_MOST_MS = 30_000;
/** With candidates exchanged and no direct path found, though there should be one: something is in the way, and nobody says when it goes. */
const REPEAT = { afterMs: 7_000, growth: 1.25, atMostMs: 30_000 };
/** The same where the NATs are known not to let a punch through. */
const REPEAT_UNLIKELY = { afterMs: 60_000, growth: 2, atMostMs: 300_000 };
/** Candidates are not sent more often, whatever asks for it. */
const LEAST_INTERVAL_MS = 50;
const HURRY_INTERVAL_MS = 100;
/** Two questions at this distance are one, sent over two relays. */
const SAME_QUESTION_MS = 100;

/** When candidates go to one peer, and which of its own are the newest. */
export class CandidateExchange {
  #at: Instant | undefined;
  #tries = 0;
  #repeats = 0;
  #sentAt: Instant | undefined;
  #awaited = false;
  #answeredAt: Instant | undefined;
  #generation: number | undefined;
  #homes: string | undefined;
  /** There is news that no question has told yet. */
  #begun = false;

  /** From the start: something changed, or traffic begins. */
  begin(now: Instant): void {
    this.#tries = this.#repeats = 0;
    this.#at = this.#notBefore(now, LEAST_INTERVAL_MS);
    this.#begun = true;
  }

  /** Sooner than planned: there is a chance now that was not there before. */
  hurry(now: Instant): void {
    this.#at = soonest(this.#at, this.#notBefore(now, HURRY_INTERVAL_MS));
  }

  stop(): void {
    this.#at = undefined;
    this.#begun = false;
  }

  isDue = (now: Instant): boolean => this.#at !== undefined && now >= this.#at;
  deadline = (): Instant | undefined => this.#at;

  /** Whether so much was asked in vain that the peer seems to be away. */
  get inVain(): boolean {
    return this.#awaited && this.#tries > 3;
  }

  /** Whether the peer was told other homes of ours than these, where it would look for us in vain. */
  hasOtherHomes = (homes: readonly ServerId[]): boolean => this.#homes !== undefined && homes.join() !== this.#homes;

  told(homes: readonly ServerId[]): void {
    this.#homes = homes.join();
  }

  sent(now: Instant): void {
    const pause =
      AGAIN_AFTER_MS[this.#tries] ?? AGAIN_AFTER_MS.at(-1)! * 2 ** (this.#tries - AGAIN_AFTER_MS.length + 1);
    this.#tries = Math.min(this.#tries + 1, 32);
    this.#sentAt = now;
    this.#awaited = true;
    this.#begun = false;
    this.#at = delayed(now, Math.min(pause, AGAIN_AT_MOST_MS));
  }

  /** The peer's candidates came. @returns how long ago ours were sent, if they were a question that is answered by it. */
  answered(now: Instant, likely: boolean, direct: boolean): number | undefined {
    const roundTrip = this.#awaited && this.#sentAt !== undefined ? now - this.#sentAt : undefined;
    this.#awaited = false;
    this.#tries = 0;
    if (this.#begun) return roundTrip; // it answers what was told before
    const { afterMs, growth, atMostMs } = likely ? REPEAT : REPEAT_UNLIKELY;
    const pause = afterMs * growth ** Math.min(this.#repeats++, 8);
    this.#at = direct ? undefined : delayed(now, Math.min(pause, atMostMs));
    return roundTrip;
  }

  /** Whether the peer's question deserves an answer of its own. */
  takeQuestion(now: Instant): boolean {
    if (this.#answeredAt !== undefined && now - this.#answeredAt < SAME_QUESTION_MS) return false;
    this.#answeredAt = now;
    return true;
  }

  /** `moved`: the peer's addresses are others than those it named before; `old`: it has named newer ones. */
  takeGeneration(generation: number): 'first' | 'same' | 'moved' | 'old' {
    const known = this.#generation;
    if (known !== undefined && generation < known) return 'old';
    this.#generation = generation;
    if (known === undefined) return 'first';
    return generation === known ? 'same' : 'moved';
  }

  #notBefore(now: Instant, interval: number): Instant {
    const earliest = this.#sentAt === undefined ? now : delayed(this.#sentAt, interval);
    return earliest > now ? earliest : now;
  }
}
