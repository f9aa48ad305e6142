import type { Instant } from '@warren/base';
import { delayed } from './times.js';

/** When probes go to all candidates, milliseconds after the moment that both sides agreed on. */
const ROUNDS_AT = [0, 100, 200, 400, 800, 1_500, 2_500, 4_000];
/** Where the NATs are known not to let a punch through: what is known may be wrong, but it is not worth more. */
const UNLIKELY_ROUNDS = 3;

/** The rounds of probes that follow an exchange of candidates. */
export class PunchRounds {
  #startAt: Instant | undefined;
  #round = 0;
  #rounds = 0;

  /** Begins at `at`, anew when rounds are under way. */
  start(at: Instant, likely: boolean): void {
    this.#startAt = at;
    this.#round = 0;
    this.#rounds = likely ? ROUNDS_AT.length : UNLIKELY_ROUNDS;
  }

  stop(): void {
    this.#startAt = undefined;
  }

  get running(): boolean {
    return this.#startAt !== undefined;
  }

  /** Whether a round is due; counts it as done, and those that were missed with it. */
  take(now: Instant): boolean {
    const at = this.deadline();
    if (at === undefined || now < at) return false;
    for (let next = this.deadline(); next !== undefined && next <= now; next = this.deadline()) {
      this.#round++;
      if (this.#round >= this.#rounds) this.#startAt = undefined;
    }
    return true;
  }

  deadline(): Instant | undefined {
    return this.#startAt === undefined ? undefined : delayed(this.#startAt, ROUNDS_AT[this.#round]!);
  }
}
