import os from 'node:os';
import { WarrenError } from '@warren/base';

const { errno } = os.constants;

/** Linux; not in Node's table of every platform. */
const EAFNOSUPPORT = 97;

/** Why a request was not done: what goes back to the client is the number only, the words are for our log. */
export interface UapiProblem {
  /** Positive. */
  readonly errno: number;
  readonly message: string;
}

/** The text is not of the protocol's form. */
export const protocolProblem = (message: string): UapiProblem => ({ errno: errno.EPROTO, message });
/** A key is unknown, or its value is not possible. */
export const invalidProblem = (message: string): UapiProblem => ({ errno: errno.EINVAL, message });
/** The request is longer than this side takes. */
export const tooBigProblem = (message: string): UapiProblem => ({ errno: errno.E2BIG, message });

/** Error codes of `DataPlane.configure` as the numbers that WireGuard's tools print the words of. */
const ERRNO_OF_CODE: Readonly<Record<string, number>> = {
  'not-permitted': errno.EPERM,
  'not-root': errno.EPERM,
  'port-not-allowed': errno.EACCES,
  'port-in-use': errno.EADDRINUSE,
  'no-address-family': EAFNOSUPPORT,
  'bad-port': errno.EINVAL,
  'bad-peer': errno.EINVAL,
  'data-plane-closed': errno.ENODEV,
};

/** EIO for whatever has no number of its own. */
export function problemOf(error: unknown): UapiProblem {
  if (error instanceof WarrenError) return { errno: ERRNO_OF_CODE[error.code] ?? errno.EIO, message: error.message };
  return { errno: errno.EIO, message: error instanceof Error ? error.message : String(error) };
}
