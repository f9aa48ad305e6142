import { type Logger, type LoggerOptions, pino } from 'pino';
import type { LogLevel } from './config.js';
import { logFields } from './log-fields.js';

export type Log = Logger;

/** Field names that never reach the log, at the top and two levels down, should somebody pass a whole object. */
const SECRET_FIELDS = [
  ...[
    'secret',
    'token',
    'tokenSecret',
    'token_secret',
    'apiKey',
    'configKey',
    'firstApiKey',
    'password',
    'current',
    'link',
    'csrfToken',
  ],
  ...['privateKey', 'private_key', 'presharedKey', 'preshared_key', 'sealingKey', 'authorization', 'cookie'],
  ...['"idempotency-key"', 'idempotencyKey'],
];
const pathOf = (name: string, levels: number): string => {
  const above = Array.from({ length: levels }, () => '*').join('.');
  if (levels === 0) return name.startsWith('"') ? `[${name}]` : name;
  return name.startsWith('"') ? `${above}[${name}]` : `${above}.${name}`;
};

/** One JSON object a line; lines of a request carry its id and those of the node and network that it concerns. */
export const logOptions = (level: LogLevel): LoggerOptions => ({
  level,
  base: null,
  timestamp: pino.stdTimeFunctions.isoTime,
  redact: SECRET_FIELDS.flatMap((name) => [0, 1, 2].map((levels) => pathOf(name, levels))),
  mixin: () => ({ ...logFields() }),
});

/** Structured logs on stderr; stdout belongs to what people and scripts read. */
export function createLog(level: LogLevel): Log {
  return pino(logOptions(level), pino.destination({ fd: 2, sync: true }));
}
