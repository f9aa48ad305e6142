import type { ExitCode } from '../errors.js';
import { VERSION } from '../version.js';
import type { CommandContext } from './context.js';

/** `agent version`. */
export async function versionCommand({ output }: CommandContext): Promise<ExitCode> {
  output.result({ version: VERSION, node: process.versions.node }, `agent ${VERSION}`);
  return 0;
}
