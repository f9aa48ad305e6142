import { askDaemon, notRunning } from '../daemon/socket-client.js';
import type { Status } from '../daemon/status-types.js';
import type { ExitCode } from '../errors.js';
import { listNetworks, notJoined, selectNetwork } from '../state/network-state.js';
import type { CommandContext } from './context.js';
import { hasNode } from './find-node.js';
import { renderStatus } from './render-status.js';

/**
 * `agent status`: of every network for people, unless one is named; of the first with `--json`.
 * @returns 1 without a running network, whose saved state is shown then.
 */
export async function statusCommand(context: CommandContext): Promise<ExitCode> {
  const status = await readStatus(context);
  const all = context.output.json ? [status] : await readAll(context, status);
  context.output.result(status, all.map((each) => renderStatus(each, new Date())).join('\n\n'));
  return status.agent.pid === null ? 1 : 0;
}

/** The first network's status, and those of all others unless one was named. */
export async function readAll(context: CommandContext, first: Status): Promise<Status[]> {
  if (context.network !== undefined || first.networks.length < 2) return [first];
  const others = first.networks.filter((name) => name !== first.network?.name);
  return [first, ...(await Promise.all(others.map((network) => readStatus({ ...context, network }))))];
}

/**
 * Of the network that has a node, where none was named: a host may be in several. The first one if none has it.
 * @throws as `readRunningStatus`.
 */
export async function readStatusWith(context: CommandContext, node: string): Promise<Status> {
  const first = await readRunningStatus(context);
  const running = (await readAll(context, first)).filter(({ agent }) => agent.pid !== null);
  return running.find((status) => hasNode(status, node)) ?? first;
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
