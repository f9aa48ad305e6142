/**
 * Follows the wall clock that initiations are labelled with, and never goes back: a worker that takes over from another must
 * not label older than that has, even if the clock was set back meanwhile, or peers would refuse it (WireGuard paper §5.1).
 */
export class LabelClock {
  #wall = 0;
  #since = 0;

  /** @param wallClock Unix milliseconds. @param monotonic milliseconds that no one sets. */
  constructor(
    private readonly wallClock: () => number = Date.now,
    private readonly monotonic: () => number = () => performance.now(),
  ) {}

  /** The other thread may have labelled by the wall clock as it is now. */
  note(): void {
    const wall = Math.max(this.wallClock(), this.atLeast());
    this.#since = this.monotonic();
    this.#wall = wall;
  }

  /** Unix milliseconds, not before anything noted plus the time since. */
  atLeast(): number {
    return this.#wall === 0 ? 0 : this.#wall + Math.ceil(this.monotonic() - this.#since);
  }
}
