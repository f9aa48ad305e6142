import { REPLAY_WINDOW_BITS } from '../constants.js';

const WORD_BITS = 32;
/** One word more than the window, so that moving clears whole words (RFC 6479). */
const WORDS = REPLAY_WINDOW_BITS / WORD_BITS + 1;

/**
 * Counters already delivered, by the bitmap of RFC 6479: 8192 counters back from the greatest. `isNew` looks,
 * `accept` marks: only what was authenticated in between may be accepted, or forged counters would move the window.
 */
export class ReplayWindow {
  readonly #words = new Uint32Array(WORDS);
  #greatest = -1;

  /** Whether `counter` (an integer from 0 to 2^53 - 1) is neither delivered nor too old to tell. */
  isNew(counter: number): boolean {
    if (counter > this.#greatest) return true;
    if (this.#greatest - counter >= REPLAY_WINDOW_BITS) return false;
    return (this.#words[wordIndex(counter)]! & bitMask(counter)) === 0;
  }

  /** Marks `counter` as delivered. @returns false when it was not new. */
  accept(counter: number): boolean {
    if (!this.isNew(counter)) return false;
    if (counter > this.#greatest) this.#moveTo(counter);
    this.#words[wordIndex(counter)]! |= bitMask(counter);
    return true;
  }

  #moveTo(counter: number): void {
    const from = Math.floor(this.#greatest / WORD_BITS);
    const to = Math.floor(counter / WORD_BITS);
    const steps = Math.min(to - from, WORDS);
    for (let step = 1; step <= steps; step++) this.#words[(from + step) % WORDS] = 0;
    this.#greatest = counter;
  }
}

// Counters exceed 32 bits: divide, do not shift.
const wordIndex = (counter: number): number => Math.floor(counter / WORD_BITS) % WORDS;
const bitMask = (counter: number): number => 1 << (counter % WORD_BITS);
