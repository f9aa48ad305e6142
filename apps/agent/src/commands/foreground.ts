import type { DataPlane, DataPlaneOptions } from '@warren/dataplane';
import type { SignalServer, SignalServerOptions } from '@warren/signal';
import { Daemon } from '../daemon/daemon.js';
import type { Status } from '../daemon/status-types.js';
import { describeError, type ExitCode } from '../errors.js';
import { startPortMapper } from '../host/port-mapping/start-port-mapper.js';
import { createLog, type Log } from '../log.js';
import { createNatWatch } from '../netcheck/nat-watch.js';
import type { CommandContext } from './context.js';

/** Milliseconds: for ever, as timers go. */
const NO_LIMIT = 2 ** 31 - 1;

/**
 * Runs the daemon in this process until it is told to stop: logs to stderr, and when the network is connected writes
 * one line (with `--json` the status) to stdout.
 * @throws what `Daemon.start` throws, and when the network has ended, why.
 */
export async function runForeground(context: CommandContext, selector: string | undefined): Promise<ExitCode> {
  process.umask(0o077);
  const log = createLog(context.config.logLevel, context.streams.err, () => new Date());
  const stop = stopOnSignals(log);
  endOnBugs(log);
  const daemon = await Daemon.start(
    {
      stateDir: context.stateDir,
      log,
      startDataPlane,
      startSignalServer,
      ...(context.config.portMapping && { startPortMapper }),
      watchNat: createNatWatch,
      predictPorts: context.config.portPrediction,
    },
    selector,
  );
  stop.whenAsked(() => {
    log('info', 'stopping');
    void daemon.stop();
  });
  void announce(daemon, context).catch((error: unknown) => log('warn', describeError(error).message));
  const end = await daemon.ended;
  if (end) throw end.error;
  log('info', 'stopped');
  return 0;
}

/** One line that says what was reached. */
export function connectedLine({ state, message, node, network, dataPlane }: Status): string {
  if (state === 'pending') return `joined network ${network?.name}: ${node?.name} ${message ?? 'waits for approval'}`;
  return `connected: ${node?.name} ${node?.addresses.join(' ')} on ${dataPlane?.interface}, network ${network?.name}`;
}

async function startDataPlane(options: DataPlaneOptions): Promise<DataPlane> {
  const { startServedDataPlane } = await import('../daemon/served-data-plane.js');
  return startServedDataPlane(options);
}

// Only bounces need it.
async function startSignalServer(options: SignalServerOptions): Promise<SignalServer> {
  const { startBundledSignalServer } = await import('../daemon/served-signal-server.js');
  return startBundledSignalServer(options);
}

async function announce(daemon: Daemon, context: CommandContext): Promise<void> {
  const runner = daemon.runner(context.network);
  if (!(await runner.waitConnected(NO_LIMIT))) return;
  const status = await daemon.status(runner.membership.networkId);
  context.output.result(status, connectedLine(status));
}

/** A signal that comes while the daemon is still starting is remembered. */
function stopOnSignals(log: Log): { whenAsked: (stop: () => void) => void } {
  let asked = false;
  let stop = (): void => undefined;
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => {
      log('debug', `received ${signal}`);
      if (!asked) stop();
      asked = true;
    });
  }
  return {
    whenAsked(callback) {
      stop = callback;
      if (asked) stop();
    },
  };
}

/** Our own bugs end the process; the next start cleans up what this one leaves, as after a kill -9. */
function endOnBugs(log: Log): void {
  const end = (error: unknown): void => {
    log('error', `bug: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    process.exit(1);
  };
  process.on('uncaughtException', end);
  process.on('unhandledRejection', end);
}
