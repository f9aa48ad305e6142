import type { ExitCode } from '../errors.js';
import type { CommandContext } from './context.js';
import { renderPeers } from './render-status.js';
import { readRunningStatus } from './status.js';

/** `agent peers`: with `--json` the `peers` of the status. @throws WarrenError `not-running`, `not-joined`. */
export async function peersCommand(context: CommandContext): Promise<ExitCode> {
  const { peers } = await readRunningStatus(context);
  context.output.result(peers, renderPeers(peers));
  return 0;
}
