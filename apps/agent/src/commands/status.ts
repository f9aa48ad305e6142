import { askDaemon, notRunning } from '../daemon/socket-client.js';
import type { Status } from '../daemon/status-types.js';
import type { ExitCode } from '../errors.js';
import { listNetworks, notJoined, selectNetwork } from '../state/network-state.js';
import type { CommandContext } from './context.js';
import { renderStatus } from './render-status.js';

/** `agent status`. @returns 1 without a running network, whose saved state is shown then. */
export async function statusCommand(context: CommandContext): Promise<ExitCode> {
  const status = await readStatus(context);
  context.output.result(status, renderStatus(status, new Date()));
  return status.agent.pid === null ? 1 : 0;
}

/** Of a daemon that has to run for what was asked. @throws WarrenError `not-running`, `not-joined`. */
export async function readRunningStatus(context: CommandContext): Promise<Status> {
  const status = await readStatus(context);
  if (status.agent.pid !== null) return status;
  if (status.networks.length === 0) throw notJoined();
  throw notRunning(context.network);
}

/** The daemon's word, or what is on disk. */
export async function readStatus({ stateDir, network }: CommandContext): Promise<Status> {
  const status = await askDaemon(stateDir, { method: 'status', ...(network !== undefined && { network }) });
  if (status) return status;
  const { describeStopped } = await import('../daemon/stopped-status.js');
  const networks = await listNetworks(stateDir);
  const names = networks.map(({ membership }) => membership.networkName);
  const chosen = networks.length === 0 && network === undefined ? undefined : selectNetwork(networks, network);
  return describeStopped(chosen, names);
}
