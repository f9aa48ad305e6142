import { parseWgLogLevel, type WgLogLevel } from './wg/log-level.js';

/** Everything that the agent takes from its environment; the only file that reads it. */
export interface Config {
  /** Where state lives unless `--state-dir` says otherwise. */
  readonly stateDir: string;
  readonly logLevel: LogLevel;
  /** Of `agent wg`, which is named as wireguard-go names it. */
  readonly wgLogLevel: WgLogLevel;
  /** Whether ports of NATs are guessed where nothing else leads through. */
  readonly portPrediction: boolean;
  /** Whether the router is asked to forward the data plane's port. */
  readonly portMapping: boolean;
}

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What docs/operate.md promises when neither flag nor environment says otherwise. */
const DEFAULT_STATE_DIR = '/var/lib/warren';
export const DEFAULT_INTERFACE = 'wg0';
export const DEFAULT_LISTEN_PORT = 51_820;

/**
 * Reads `WARREN_STATE_DIR`, `WARREN_LOG_LEVEL`, `WARREN_PORT_PREDICTION`, `WARREN_PORT_MAPPING` and, for `agent wg`,
 * `LOG_LEVEL`; an unknown level is `info`.
 */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const level = environment.WARREN_LOG_LEVEL as LogLevel | undefined;
  return {
    stateDir: environment.WARREN_STATE_DIR || DEFAULT_STATE_DIR,
    wgLogLevel: parseWgLogLevel(environment.LOG_LEVEL),
    portPrediction: isOn(environment.WARREN_PORT_PREDICTION),
    portMapping: isOn(environment.WARREN_PORT_MAPPING),
    logLevel: level && LOG_LEVELS.includes(level) ? level : 'info',
  };
}

/** On unless switched off by one of the usual words. */
const isOn = (value: string | undefined): boolean => !/^(off|no|false|0)$/i.test(value?.trim() ?? '');
