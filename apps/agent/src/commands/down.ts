import { requireDaemon } from '../daemon/socket-client.js';
import type { ExitCode } from '../errors.js';
import { waitForExit } from '../host/process-exit.js';
import type { CommandContext } from './context.js';

/**
 * `agent down`: stops the daemon, or with `--network` that network only; returns when everything is down.
 * @throws WarrenError `not-running`.
 */
export async function downCommand({ stateDir, network, output }: CommandContext): Promise<ExitCode> {
  const { pid } = await requireDaemon(stateDir, { method: 'down', ...(network !== undefined && { network }) });
  if (network === undefined) await waitForExit(pid);
  output.result({ state: 'stopped', network: network ?? null }, network ? `network ${network} is down` : 'stopped');
  return 0;
}
