import { notRunning } from '../daemon/socket-client.js';
import type { ExitCode } from '../errors.js';
import type { CommandContext } from './context.js';
import { renderPeers } from './render-status.js';
import { readStatus } from './status.js';

/** `agent peers`: with `--json` the `peers` of the status. @throws WarrenError `not-running`. */
export async function peersCommand(context: CommandContext): Promise<ExitCode> {
  const { peers, agent } = await readStatus(context);
  if (agent.pid === null) throw notRunning();
  context.output.result(peers, renderPeers(peers));
  return 0;
}
