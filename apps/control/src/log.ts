import { type Logger, pino } from 'pino';
import type { LogLevel } from './config.js';

export type Log = Logger;

/** Field names that never reach the log, at the top and one level down, should somebody pass a whole object. */
const SECRET_FIELDS = ['secret', 'token', 'tokenSecret', 'privateKey', 'authorization', 'password'];

/** Structured logs on stderr; stdout belongs to what people and scripts read. */
export function createLog(level: LogLevel): Log {
  const paths = SECRET_FIELDS.flatMap((name) => [name, `*.${name}`]);
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, redact: paths },
    pino.destination({ fd: 2, sync: true }),
  );
}
