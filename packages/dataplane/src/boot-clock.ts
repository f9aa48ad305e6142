/** How long a measured difference counts, milliseconds: a system call for every packet would cost more than it gives. */
const MEASURE_EVERY = 100;
/** Differences below are the time between two readings, not a suspended host. */
const LEAST_SLEEP = 50;

/**
 * Monotonic milliseconds that include the time that the host was suspended. Node's own clock stands still meanwhile, and a session
 * would outlive REJECT_AFTER_TIME by a night (WireGuard paper §6.2; Linux uses CLOCK_BOOTTIME too).
 */
export class BootClock {
  readonly #origin: number;
  #slept = 0;
  #measureAt = 0;

  /** @param monotonic stands still in suspension. @param bootTime does not; both in milliseconds. */
  constructor(
    private readonly monotonic: () => number,
    private readonly bootTime: () => number,
  ) {
    this.#origin = bootTime() - monotonic();
  }

  /** Never goes back. At most `MEASURE_EVERY` after the host woke up it knows that it slept. */
  now(): number {
    const at = this.monotonic();
    if (at < this.#measureAt) return at + this.#slept;
    this.#measureAt = at + MEASURE_EVERY;
    const slept = this.bootTime() - at - this.#origin;
    if (slept - this.#slept > LEAST_SLEEP) this.#slept = slept;
    return at + this.#slept;
  }
}
