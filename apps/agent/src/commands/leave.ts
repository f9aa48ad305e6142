import { join } from 'node:path';
import { WarrenError } from '@warren/base';
import { takeDownLeftovers } from '../daemon/leftovers.js';
import { askDaemon } from '../daemon/socket-client.js';
import type { ExitCode } from '../errors.js';
import { runProgram } from '../host/program.js';
import { hasSystemd, isServiceInstalled, removeService } from '../host/systemd.js';
import { createLog } from '../log.js';
import { removeEmptyFolder } from '../state/atomic-file.js';
import { type JoinedNetwork, listNetworks, selectNetwork } from '../state/network-state.js';
import type { CommandContext } from './context.js';

export interface LeaveOptions {
  /** Removes the state here even if the control plane cannot be told. */
  readonly force: boolean;
}

/**
 * `agent leave`: the node goes for good: the control plane removes it, everything of it is taken down and its state,
 * keys included, is removed.
 * @throws WarrenError `network-ambiguous`, `not-joined`, or what the control plane says; then nothing is removed.
 */
export async function leaveCommand(context: CommandContext, options: LeaveOptions): Promise<ExitCode> {
  const { stateDir, output } = context;
  const networks = await listNetworks(stateDir);
  const chosen = chooseToLeave(networks, context.network);
  const { networkName, networkId } = chosen.membership;
  try {
    await leave(context, chosen);
  } catch (error) {
    if (!options.force) throw withForceHint(error);
    output.note(`the control plane was not told: ${(error as Error).message}`);
    await askDaemon(stateDir, { method: 'down', network: networkId }).catch(() => undefined);
    await chosen.state.remove();
  }
  // No daemon may ever start here again to clean up after one that was killed.
  await takeDownLeftovers(
    stateDir,
    createLog(context.config.logLevel, context.streams.err, () => new Date()),
  );
  const last = networks.length === 1;
  if (last && (await hasSystemd()) && (await isServiceInstalled(stateDir))) await removeService(runProgram);
  if (last) await removeEmptyFolder(join(stateDir, 'networks'));
  output.result({ state: 'left', network: networkName }, `left network ${networkName}`);
  return 0;
}

/** Leaving cannot be undone: with several networks it must be said which. */
function chooseToLeave(networks: readonly JoinedNetwork[], selector: string | undefined): JoinedNetwork {
  if (selector === undefined && networks.length > 1) {
    const names = networks.map(({ membership }) => membership.networkName).join(', ');
    throw new WarrenError('network-ambiguous', `this host is in several networks (${names}): say which with --network`);
  }
  return selectNetwork(networks, selector);
}

async function leave({ stateDir }: CommandContext, { state, membership }: JoinedNetwork): Promise<void> {
  if (await state.terminal()) return state.remove(); // the control plane has let it go already
  const running = await askRunning(stateDir, membership.networkId);
  if (running) return;
  const [{ leaveNetwork }, { Credentials }] = await Promise.all([
    import('../control/leave.js'),
    import('../control/credentials.js'),
  ]);
  await leaveNetwork(new Credentials(state, membership, await state.keys(), Date.now), membership);
  await state.remove();
}

/** @returns whether a daemon ran the network and has left it. */
async function askRunning(stateDir: string, network: string): Promise<boolean> {
  try {
    return (await askDaemon(stateDir, { method: 'leave', network })) !== undefined;
  } catch (error) {
    if (error instanceof WarrenError && error.code === 'not-running') return false;
    throw error;
  }
}

function withForceHint(error: unknown): unknown {
  const lost = error instanceof WarrenError && ['control-unreachable', 'pin-mismatch'].includes(error.code);
  if (!lost) return error;
  const hint = 'with --force only the state here is removed, and the node must be revoked there';
  return new WarrenError(error.code, `${error.message}; ${hint}`, { cause: error });
}
