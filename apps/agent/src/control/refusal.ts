import { type ServiceError, status as Status } from '@grpc/grpc-js';
import { WarrenError } from '@warren/base';
import { RefusedError } from '../errors.js';

/** Codes with which a control plane says that it cannot answer now: coming back later is right. */
const TRANSIENT = new Set(['internal', 'draining', 'database-unavailable']);

/** How OpenSSL says that a chain does not end in our root, or is for another name. */
const FOREIGN =
  /self.signed certificate|local issuer certificate|verify the first certificate|signature failure|altnames/i;
const CLOCK = /certificate (has expired|is not yet valid)/i;

/** The stable code in the trailing metadata; undefined when the control plane did not say it. */
export function refusalCode(error: unknown): string | undefined {
  const metadata = (error as Partial<ServiceError> | undefined)?.metadata;
  const code = metadata?.get('warren-code')[0];
  return code === undefined ? undefined : String(code);
}

/** Whether the control plane heard the request and decided: then a reply cannot have been lost. */
export function isRefusal(error: unknown): boolean {
  const code = refusalCode(error);
  return code !== undefined && !TRANSIENT.has(code);
}

/** A failed call as one of our errors: a refusal (exit code 3), or not reached (exit code 4). */
export function translateCallError(error: unknown, address: string): Error {
  if (error instanceof WarrenError || !(error instanceof Error)) return error as Error;
  const { code, details } = error as Partial<ServiceError>;
  const refusal = refusalCode(error);
  if (refusal !== undefined && !TRANSIENT.has(refusal)) return new RefusedError(refusal, details ?? error.message);
  if (typeof code !== 'number') return error;
  const why = tidy(details || Status[code] || '');
  if (CLOCK.test(why)) {
    const message = `the certificate at ${address} cannot be right at the time of this host's clock (${why}): set the clock`;
    return new WarrenError('clock-wrong', message, { cause: error });
  }
  if (FOREIGN.test(why)) {
    const message =
      `at ${address} answers another control plane than this network's, or somebody in between (${why}): ` +
      'check the address; was its data directory made anew?';
    return new WarrenError('pin-mismatch', message, { cause: error });
  }
  return new WarrenError('control-unreachable', notAnswering(address, why), { cause: error });
}

/** For a person who joins, and for the log of a daemon, which tries again by itself. */
export const notAnswering = (address: string, why: string): string =>
  `the control plane at ${address} did not answer: ${why}; does it run, and does a firewall let this host reach it?`;

/** gRPC wraps the system's words in its own. */
const tidy = (details: string): string =>
  details
    .replace(/^No connection established\. Last error: (Error: )?/, '')
    .replace(/\.? ?Resolution note:.*$/s, '')
    .trim();
