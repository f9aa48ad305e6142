import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { WarrenError } from '@warren/base';
import { askDaemon } from '../daemon/socket-client.js';
import type { ExitCode } from '../errors.js';
import { runProgram } from '../host/program.js';
import { hasSystemd, installService, renderUnit, UNIT_NAME } from '../host/systemd.js';
import { listNetworks, selectNetwork } from '../state/network-state.js';
import type { CommandContext } from './context.js';
import { connectedLine } from './foreground.js';

/** Milliseconds that the service may take to answer on its socket, and then to connect. */
const START_LIMIT = 20_000;
const CONNECT_LIMIT = 30_000;
const POLL_INTERVAL = 50;

/** Whether the daemon should be a systemd service here. */
export const runsAsService = async (foreground: boolean): Promise<boolean> => !foreground && (await hasSystemd());

/** Installs and starts the service and waits until the network is connected. @throws WarrenError `service-failed`. */
export async function startService(context: CommandContext, network: string | undefined): Promise<ExitCode> {
  const program = await realpath(process.argv[1] ?? '');
  await installService(runProgram, renderUnit(process.execPath, program, resolve(context.stateDir)));
  const deadline = Date.now() + START_LIMIT;
  while (!(await askDaemon(context.stateDir, { method: 'status' }).catch(() => undefined))) {
    if (Date.now() > deadline) {
      throw new WarrenError('service-failed', `${UNIT_NAME} did not start: see journalctl -u ${UNIT_NAME}`);
    }
    await sleep(POLL_INTERVAL);
  }
  return awaitConnection(context, network);
}

/** Waits until the running daemon has connected the network, then says so. @throws WarrenError `not-connected`. */
export async function awaitConnection(context: CommandContext, selector: string | undefined): Promise<ExitCode> {
  const { membership, state } = selectNetwork(await listNetworks(context.stateDir), selector);
  const network = membership.networkId;
  const milliseconds = CONNECT_LIMIT;
  const reply = await askDaemon(context.stateDir, { method: 'wait-connected', network, milliseconds });
  const status = await askDaemon(context.stateDir, { method: 'status', network });
  if (!reply?.connected || !status) {
    const terminal = await state.terminal();
    if (terminal && !status) throw new WarrenError(`node-${terminal.state}`, `${terminal.state}: ${terminal.message}`);
    throw new WarrenError(
      'not-connected',
      'joined, but the control plane is not reached yet: the daemon keeps trying, see `agent status`',
    );
  }
  context.output.result(status, connectedLine(status));
  return 0;
}
