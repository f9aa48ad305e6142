import { after, type Instant, invariant, millis } from '@warren/base';
import { INITIAL_RTO, LAST_WAIT_FACTOR, MAX_REQUESTS } from './constants.js';

/** How often and how long is asked (RFC 8489 §6.2.1); absent: as there. */
export interface RetransmitOptions {
  /** Milliseconds until the first repetition; doubled with each. */
  readonly rto?: number;
  /** Requests in all, `Rc`. */
  readonly requests?: number;
  /** After the last request that many times `rto` is waited, `Rm`. */
  readonly lastWait?: number;
}

/**
 * When a request is sent over UDP, and when nothing more is hoped for (RFC 8489 §6.2.1): with the values from there at
 * 0, 500, 1500, 3500, 7500, 15500 and 31500 ms, failed at 39500 ms. Whoever owns it matches answers by transaction id.
 */
export class Transaction {
  /** Requests that went out. */
  sent = 0;
  /** When the last one went out. */
  lastSent: Instant;
  /** When `poll` has something new to say; undefined once it has failed. */
  deadline: Instant | undefined;
  private readonly rto: number;
  private readonly requests: number;
  private readonly lastWait: number;

  constructor(
    readonly id: Uint8Array,
    now: Instant,
    options: RetransmitOptions = {},
  ) {
    this.rto = options.rto ?? INITIAL_RTO;
    this.requests = options.requests ?? MAX_REQUESTS;
    this.lastWait = options.lastWait ?? LAST_WAIT_FACTOR;
    invariant(this.rto > 0 && this.requests > 0 && this.lastWait > 0, 'a transaction waits and sends');
    this.deadline = now;
    this.lastSent = now;
  }

  /** What is to be done now; `send` is said once for each request. */
  poll(now: Instant): 'send' | 'wait' | 'failed' {
    if (this.deadline === undefined) return 'failed';
    if (now < this.deadline) return 'wait';
    if (this.sent === this.requests) {
      this.deadline = undefined;
      return 'failed';
    }
    this.sent++;
    this.lastSent = now;
    const wait = this.sent === this.requests ? this.rto * this.lastWait : this.rto * 2 ** (this.sent - 1);
    this.deadline = after(now, millis(wait));
    return 'send';
  }
}
