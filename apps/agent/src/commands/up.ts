import { WarrenError } from '@warren/base';
import { askDaemon } from '../daemon/socket-client.js';
import type { ExitCode } from '../errors.js';
import { requireRoot, requireTun } from '../host/requirements.js';
import { listNetworks, selectNetwork } from '../state/network-state.js';
import type { CommandContext } from './context.js';
import { runForeground } from './foreground.js';
import { awaitConnection, runsAsService, startService } from './service.js';

export interface UpOptions {
  readonly foreground: boolean;
  /** Absent: as it was. */
  readonly portPrediction?: boolean;
}

/**
 * `agent up`: starts the daemon from saved state; with `--network` a running one takes up that network again.
 * @throws WarrenError `already-running`, `not-joined`, and what a start refuses.
 */
export async function upCommand(context: CommandContext, options: UpOptions): Promise<ExitCode> {
  requireRoot(context.host);
  await requireTun(context.host);
  const { membership, state } = selectNetwork(await listNetworks(context.stateDir), context.network);
  const { portPrediction } = options;
  if (await askDaemon(context.stateDir, { method: 'status' })) {
    if (portPrediction !== undefined) {
      const flag = portPrediction ? '--port-prediction' : '--no-port-prediction';
      throw new WarrenError(
        'already-running',
        `the agent is already running: \`agent down\`, then \`agent up ${flag}\``,
      );
    }
    if (context.network === undefined) {
      throw new WarrenError('already-running', 'the agent is already running: see `agent status`');
    }
    await askDaemon(context.stateDir, { method: 'add-network', network: membership.networkId });
    return awaitConnection(context, membership.networkId);
  }
  if (portPrediction !== undefined) await state.saveMembership({ ...membership, predictPorts: portPrediction });
  if (await runsAsService(options.foreground)) return startService(context, context.network);
  return runForeground(context, context.network);
}
