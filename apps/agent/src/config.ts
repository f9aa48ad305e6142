/** Everything that the agent takes from its environment; the only file that reads it. */
export interface Config {
  /** Where state lives unless `--state-dir` says otherwise. */
  readonly stateDir: string;
  readonly logLevel: LogLevel;
}

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What docs/operate.md promises when neither flag nor environment says otherwise. */
const DEFAULT_STATE_DIR = '/var/lib/warren';
export const DEFAULT_INTERFACE = 'wg0';
export const DEFAULT_LISTEN_PORT = 51_820;

/** Reads `WARREN_STATE_DIR` and `WARREN_LOG_LEVEL`; an unknown level is `info`. */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const level = environment.WARREN_LOG_LEVEL as LogLevel | undefined;
  return {
    stateDir: environment.WARREN_STATE_DIR || DEFAULT_STATE_DIR,
    logLevel: level && LOG_LEVELS.includes(level) ? level : 'info',
  };
}
