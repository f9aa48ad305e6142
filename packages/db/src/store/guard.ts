import { WarrenError } from '@warren/base';
import { errorCodes } from './database.js';

/** Node, PostgreSQL (SQLSTATE), `postgres` and Prisma have each their own words for a server that is not there. */
const UNAVAILABLE = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EHOSTUNREACH', 'EAI_AGAIN'],
  ...['57P01', '57P02', '57P03', '25P03', '08000', '08001', '08003', '08006', '53300'],
  ...['CONNECTION_CLOSED', 'CONNECTION_ENDED', 'CONNECTION_DESTROYED', 'CONNECT_TIMEOUT'],
  ...['P1001', 'P1002', 'P1008', 'P1017', 'P2024', 'P2028'],
]);
/** `pg` says these without any code. */
const UNAVAILABLE_TEXT =
  /Connection terminated|timeout exceeded when trying to connect|connection error and is not queryable/i;

/**
 * Lets `WarrenError` through and turns a lost database into `database-unavailable`; everything else stays as it is:
 * a bug of ours or of the database's.
 */
export function guard<A extends unknown[], R>(method: (...args: A) => Promise<R>): (...args: A) => Promise<R> {
  return async (...args) => {
    try {
      return await method(...args);
    } catch (error) {
      if (error instanceof WarrenError || !isUnavailable(error)) throw error;
      const text = 'the database cannot be reached at the moment: check that it runs, then try again';
      throw new WarrenError('database-unavailable', text, { cause: error });
    }
  };
}

function isUnavailable(error: unknown): boolean {
  if (errorCodes(error).some((code) => UNAVAILABLE.has(code))) return true;
  return error instanceof Error && UNAVAILABLE_TEXT.test(`${error.message} ${(error.cause as Error)?.message ?? ''}`);
}
