import type { Instant } from '@warren/base';
import { delayed, soonest } from './times.js';

/** A configured endpoint is used unproven for so long. */
const TRIAL_MS = 1_000;
const PING_EVERY_MS = 250;

/** The endpoints that an operator configured are believed at first, and asked as soon as they are used. */
export class ConfiguredTrial {
  #since: Instant | undefined;
  #pingedAt: Instant | undefined;
  /** They did not answer, and are not used until one does. */
  failed = false;

  /** Something was sent to one that is not proven. @returns whether the trial begins with it. */
  noteSent(now: Instant): boolean {
    if (this.failed || this.#since !== undefined) return false;
    this.#since = now;
    return true;
  }

  /** They are believed again: the network, or they themselves, are others. */
  reset(): void {
    this.failed = false;
    this.stop();
  }

  /** One answered, or there is another path. */
  stop(): void {
    this.#since = this.#pingedAt = undefined;
  }

  fail(): void {
    this.failed = true;
    this.stop();
  }

  step(now: Instant): 'ping' | 'failed' | undefined {
    if (this.#since === undefined) return undefined;
    if (now >= delayed(this.#since, TRIAL_MS)) {
      this.fail();
      return 'failed';
    }
    if (now < this.#pingAt()) return undefined;
    this.#pingedAt = now;
    return 'ping';
  }

  deadline(): Instant | undefined {
    return this.#since === undefined ? undefined : soonest(this.#pingAt(), delayed(this.#since, TRIAL_MS));
  }

  #pingAt = (): Instant => (this.#pingedAt === undefined ? this.#since! : delayed(this.#pingedAt, PING_EVERY_MS));
}
