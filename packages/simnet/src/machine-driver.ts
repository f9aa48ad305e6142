import type { Instant } from '@warren/base';
import type { ScheduledEvent } from './event-queue.js';
import type { Internet } from './internet.js';

/** The part of a pure machine that has to do with time. */
export interface TimedMachine {
  handleTimeout(now: Instant): void;
  pollTimeout(): { readonly at: Instant } | Instant | undefined;
}

/** More timeouts than this at one instant mean that a machine asks for a time that it never lets pass. */
const MAX_TIMEOUTS_AT_ONCE = 1000;

/**
 * Gives a machine its timeouts on the simulated clock. `drain` hands on what the machine wants sent and told; it is called
 * after each timeout, and by `touch` after whatever else was done to the machine.
 * @throws Error when the machine does not let time pass.
 */
export class MachineDriver {
  private armed: ScheduledEvent | undefined;
  private stopped = false;
  private lastAt = -1;
  private timeoutsAtOnce = 0;

  constructor(
    private readonly internet: Internet,
    private readonly machine: TimedMachine,
    private readonly drain: () => void,
  ) {}

  /** Something was called: drains, and arms the timer anew. */
  touch(): void {
    if (this.stopped) return;
    this.drain();
    const wanted = this.machine.pollTimeout();
    const asked = typeof wanted === 'object' ? wanted.at : wanted;
    // As an event loop's timers: by whole milliseconds, never early. A sum that is off by a rounding error is past then, too.
    const at = asked === undefined ? undefined : Math.ceil(asked);
    if (this.armed && !this.armed.cancelled && this.armed.at === at) return;
    if (this.armed) this.armed.cancelled = true;
    this.armed = at === undefined ? undefined : this.internet.at(at, () => this.expire());
  }

  /** No more timeouts. */
  stop(): void {
    this.stopped = true;
    if (this.armed) this.armed.cancelled = true;
  }

  private expire(): void {
    this.armed = undefined;
    const { now } = this.internet;
    this.timeoutsAtOnce = now === this.lastAt ? this.timeoutsAtOnce + 1 : 1;
    this.lastAt = now;
    if (this.timeoutsAtOnce > MAX_TIMEOUTS_AT_ONCE) throw new Error(`a machine asks for ${now} again and again`);
    this.machine.handleTimeout(now);
    this.touch();
  }
}
