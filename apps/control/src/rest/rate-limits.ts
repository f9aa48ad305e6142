import { WarrenError } from '@warren/base';
import type { FastifyReply } from 'fastify';
import type { Rate } from '../rate-limiter.js';
import { SIGN_IN_RATES, type SignInRates } from '../sign-in/sign-ins.js';

/** What REST allows, per process. Whoever comes over the local socket is not counted. */
export interface RestRates {
  /** Per API key or user, whatever is asked. */
  readonly requests: Rate;
  /** Secrets that are none, per client address: an address beyond it is not looked up any more. */
  readonly failures: Rate;
  readonly signIns: SignInRates;
}

/** A key does what a busy script does; 256-bit secrets cannot be guessed, but each try costs a query. */
export const REST_RATES: RestRates = {
  requests: { atOnce: 1_000, perSecond: 200 },
  failures: { atOnce: 300, perSecond: 5 },
  signIns: SIGN_IN_RATES,
};

/** RFC 6585 §4, with `Retry-After` in whole seconds (RFC 9110 §10.2.3). @param wait milliseconds */
export function tooMany(reply: FastifyReply, wait: number, what: string): WarrenError {
  const seconds = Math.ceil(wait / 1_000);
  void reply.header('retry-after', seconds);
  return new WarrenError('too-many-requests', `${what}: try again in ${seconds} s`);
}
