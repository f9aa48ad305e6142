import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';

/** What every log line says that is written on behalf of one request or call. */
export interface LogFields {
  /** Ties the lines of one request together, and to what its caller was answered (`X-Request-Id`). */
  readonly requestId: string;
  readonly rpc?: string;
  /** Ids of the node and of the network that it concerns, as soon as they are known. */
  node?: string;
  network?: string;
}

const current = new AsyncLocalStorage<LogFields>();
/** Anything that logs and headers carry without harm; longer ones, and those with other characters, are replaced. */
const SANE_ID = /^[\w.:@+/=-]{1,128}$/;

/** Runs `work`, and all that it begins, with these fields on its log lines. */
export const withLogFields = <T>(fields: LogFields, work: () => T): T => current.run(fields, work);

/** The fields of whatever runs now; none outside a request. */
export const logFields = (): object => current.getStore() ?? {};

/** Says which node or network the request at hand concerns. Does nothing outside a request. */
export function noteInLog(ids: { readonly node?: string; readonly network?: string }): void {
  const fields = current.getStore();
  if (fields) Object.assign(fields, ids);
}

/** The caller's own request id if it is sane, else a new one. */
export const requestIdOf = (given: unknown): string =>
  typeof given === 'string' && SANE_ID.test(given) ? given : randomBytes(8).toString('hex');
