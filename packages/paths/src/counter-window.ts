/** Messages that may overtake each other. */
const WINDOW_BITS = 1024;

/** Which counters of one sender were seen (RFC 6479's ring of bits): each passes once, and none older than the window. */
export class CounterWindow {
  readonly #bits = new Uint32Array(WINDOW_BITS / 32);
  #highest = -1;

  /** Whether the counter may still pass; call it before the message is authenticated. */
  accepts(counter: number): boolean {
    if (counter > this.#highest) return true;
    return counter > this.#highest - WINDOW_BITS && !this.#has(counter);
  }

  /** Takes a counter that `accepts` permitted; call it after the message was authenticated. */
  take(counter: number): void {
    if (counter > this.#highest) this.#advance(counter);
    const bit = counter % WINDOW_BITS;
    this.#bits[bit >>> 5]! |= 1 << (bit & 31);
  }

  #advance(to: number): void {
    if (to - this.#highest >= WINDOW_BITS) this.#bits.fill(0);
    else {
      for (let counter = this.#highest + 1; counter <= to; counter++) {
        const bit = counter % WINDOW_BITS;
        this.#bits[bit >>> 5]! &= ~(1 << (bit & 31));
      }
    }
    this.#highest = to;
  }

  #has(counter: number): boolean {
    const bit = counter % WINDOW_BITS;
    return (this.#bits[bit >>> 5]! & (1 << (bit & 31))) !== 0;
  }
}
