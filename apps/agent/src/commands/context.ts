import type { Config } from '../config.js';
import type { HostRequirements } from '../host/requirements.js';
import type { Output, Streams } from '../output.js';

/** What every command gets; `main.ts` fills it in. */
export interface CommandContext {
  readonly config: Config;
  readonly streams: Streams;
  readonly output: Output;
  readonly host: HostRequirements;
  readonly stateDir: string;
  /** `--network`: name or id. */
  readonly network: string | undefined;
}
