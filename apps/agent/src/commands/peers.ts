import type { ExitCode } from '../errors.js';
import type { CommandContext } from './context.js';
import { renderPeers } from './render-status.js';
import { readAll, readRunningStatus } from './status.js';

/**
 * `agent peers`: of every network for people, unless one is named; with `--json` the `peers` of the status.
 * @throws WarrenError `not-running`, `not-joined`.
 */
export async function peersCommand(context: CommandContext): Promise<ExitCode> {
  const status = await readRunningStatus(context);
  const all = context.output.json ? [status] : await readAll(context, status);
  const texts = all.map(({ network, peers }) =>
    all.length > 1 ? `${network?.name}:\n${renderPeers(peers)}` : renderPeers(peers),
  );
  context.output.result(status.peers, texts.join('\n\n'));
  return 0;
}
