import type { Rate } from '../rate-limiter.js';

/** What REST allows, per process. Whoever comes over the local socket is not counted. */
export interface RestRates {
  /** Per API key, whatever it asks. */
  readonly requests: Rate;
  /** Secrets that are none, per client address: an address beyond it is not looked up any more. */
  readonly failures: Rate;
}

/** A key does what a busy script does; 256-bit secrets cannot be guessed, but each try costs a query. */
export const REST_RATES: RestRates = {
  requests: { atOnce: 1_000, perSecond: 200 },
  failures: { atOnce: 300, perSecond: 5 },
};
