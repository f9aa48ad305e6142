import type { Instant } from '@warren/base';
import { delayed, soonest } from './times.js';

/** A relay on which the peer has not been heard is asked so often, for as long as something was sent lately. */
const PING_EVERY_MS = 500;
const PING_FOR_MS = 10_000;
/** Sent so long ago, and nothing came from the peer: ask. */
const SILENCE_MS = 1_000;
/** So long ago, and another relay is used too. */
const DOUBT_MS = 1_700;

/** Whether the relay in use leads to the peer: by what came back since something was sent. */
export class RelayWatch {
  #sentAt: Instant | undefined;
  #unansweredSince: Instant | undefined;
  #pingedAt: Instant | undefined;

  /** @returns whether it is the first since something came. */
  noteSent(now: Instant): boolean {
    this.#sentAt = now;
    const first = this.#unansweredSince === undefined;
    this.#unansweredSince ??= now;
    return first;
  }

  /** Something authenticated came from the peer. */
  heard(): void {
    this.#unansweredSince = undefined;
  }

  pinged(now: Instant): void {
    this.#pingedAt = now;
  }

  /** Whether the relay has to be shown anew; says so once for each silence. */
  takeDoubt(now: Instant): boolean {
    if (this.#unansweredSince === undefined || now < delayed(this.#unansweredSince, DOUBT_MS)) return false;
    this.#unansweredSince = now;
    return true;
  }

  isPingDue(now: Instant, proven: boolean): boolean {
    const at = this.#pingAt(now, proven);
    return at !== undefined && now >= at;
  }

  /** @param asks whether pings are sent at all: a peer that no server knows is not asked. */
  deadline(now: Instant, proven: boolean, asks: boolean): Instant | undefined {
    const doubt = this.#unansweredSince === undefined ? undefined : delayed(this.#unansweredSince, DOUBT_MS);
    return soonest(doubt, asks ? this.#pingAt(now, proven) : undefined);
  }

  #pingAt(now: Instant, proven: boolean): Instant | undefined {
    if (this.#sentAt === undefined || now - this.#sentAt > PING_FOR_MS) return undefined;
    const pinged = this.#pingedAt;
    if (!proven) return pinged === undefined ? now : delayed(pinged, PING_EVERY_MS);
    if (this.#unansweredSince === undefined) return undefined;
    const at = delayed(this.#unansweredSince, SILENCE_MS);
    return pinged === undefined || pinged < at ? at : undefined;
  }
}
