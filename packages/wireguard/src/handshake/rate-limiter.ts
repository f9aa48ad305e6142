import type { Instant } from '@warren/base';
import {
  HANDSHAKE_BURST_PER_SOURCE,
  HANDSHAKES_PER_SECOND_AND_SOURCE,
  MAX_HANDSHAKES_PER_SECOND,
  MAX_RATE_LIMITED_SOURCES,
  UNDER_LOAD_AFTER_TIME,
} from '../constants.js';

/** Tokens are milliseconds: a handshake costs this many, and they come back with time. */
const COST = 1000 / HANDSHAKES_PER_SECOND_AND_SOURCE;
const FULL = COST * HANDSHAKE_BURST_PER_SOURCE;
/** Entries unseen for this long are full again, and forgotten. */
const FORGET_AFTER = 1000;

/**
 * A token bucket for each source address (IPv6: each /64), asked only under load and only for senders whose address a
 * cookie has proven. Bounded: the source unseen for longest is forgotten first. WireGuard paper §5.3; sizes as
 * wireguard-go.
 */
export class RateLimiter {
  /** In order of last use. */
  readonly #buckets = new Map<string, { tokens: number; last: number }>();

  get size(): number {
    return this.#buckets.size;
  }

  /** Whether `source` (address, then two bytes of port) may have a handshake now. */
  allow(source: Uint8Array, now: Instant): boolean {
    const key = addressKey(source);
    const known = this.#buckets.get(key);
    const tokens = known ? Math.min(FULL, known.tokens + (now - known.last)) : FULL;
    const allowed = tokens >= COST;
    this.#buckets.delete(key);
    this.#evict(now);
    this.#buckets.set(key, { tokens: allowed ? tokens - COST : tokens, last: now });
    return allowed;
  }

  #evict(now: Instant): void {
    for (const [key, bucket] of this.#buckets) {
      if (this.#buckets.size < MAX_RATE_LIMITED_SOURCES && now - bucket.last < FORGET_AFTER) return;
      this.#buckets.delete(key);
    }
  }
}

/** Finds out whether more handshakes arrive than should be worked off without cookies. */
export class LoadMeter {
  #windowStart = Number.NEGATIVE_INFINITY;
  #count = 0;
  #until = Number.NEGATIVE_INFINITY;
  /** What the shell says, on top of what the rate says. */
  forced = false;

  constructor(private readonly perSecond = MAX_HANDSHAKES_PER_SECOND) {}

  /** Counts one handshake message and tells whether the device is under load. */
  note(now: Instant): boolean {
    if (now - this.#windowStart >= 1000) {
      this.#windowStart = now;
      this.#count = 0;
    }
    this.#count += 1;
    if (this.#count > this.perSecond) this.#until = now + UNDER_LOAD_AFTER_TIME;
    return this.forced || now < this.#until;
  }
}

/** The address without its port; of an IPv6 address the first 64 bits, since one host has all of them. */
function addressKey(source: Uint8Array): string {
  const address = source.length === 18 ? source.subarray(0, 8) : source.length === 6 ? source.subarray(0, 4) : source;
  return String.fromCharCode(...address);
}
