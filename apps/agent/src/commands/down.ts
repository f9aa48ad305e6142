import { WarrenError } from '@warren/base';
import { takeDownLeftovers } from '../daemon/leftovers.js';
import { askDaemon } from '../daemon/socket-client.js';
import type { ExitCode } from '../errors.js';
import { waitForExit } from '../host/process-exit.js';
import { createLog } from '../log.js';
import type { CommandContext } from './context.js';

const NOTHING = 'the agent is not running: there is nothing to take down';

/**
 * `agent down`: stops the daemon, or with `--network` that network only; returns when everything is down. What a
 * killed daemon left is taken down, too.
 * @throws WarrenError `not-running` when there is nothing to take down.
 */
export async function downCommand(context: CommandContext): Promise<ExitCode> {
  const { stateDir, network, output } = context;
  const reply = await askDaemon(stateDir, { method: 'down', ...(network !== undefined && { network }) });
  if (!reply) return takeDownAfterKill(context);
  if (network === undefined) await waitForExit(reply.pid);
  output.result({ state: 'stopped', network: network ?? null }, network ? `network ${network} is down` : 'stopped');
  return 0;
}

async function takeDownAfterKill({ stateDir, config, streams, output }: CommandContext): Promise<ExitCode> {
  const log = createLog(config.logLevel, streams.err, () => new Date());
  if (!(await takeDownLeftovers(stateDir, log))) throw new WarrenError('not-running', NOTHING);
  output.result({ state: 'stopped', network: null }, 'stopped: the daemon had been killed, what it left is taken down');
  return 0;
}
