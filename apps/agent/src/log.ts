import { LOG_LEVELS, type LogLevel } from './config.js';

/** Writes one line; never keys or tokens (SecretKey prints a placeholder by itself). */
export type Log = (level: LogLevel, message: string) => void;

/**
 * One line a message on `write`: RFC 3339 time, level, message. A logging library would cost more at start than
 * all lines that an agent ever writes.
 */
export function createLog(threshold: LogLevel, write: (line: string) => void, now: () => Date): Log {
  const lowest = LOG_LEVELS.indexOf(threshold);
  return (level, message) => {
    if (LOG_LEVELS.indexOf(level) < lowest) return;
    write(`${now().toISOString()} ${level.padEnd(5)} ${message.replace(/\s*\n\s*/g, ' ')}\n`);
  };
}

/** The same log with `name: ` before each message. */
export const prefixedLog =
  (log: Log, name: string): Log =>
  (level, message) =>
    log(level, `${name}: ${message}`);
