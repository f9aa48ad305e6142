import type { Config } from '../config.js';
import { describeError, type ExitCode } from '../errors.js';
import { type HostRequirements, requireRoot, requireTun } from '../host/requirements.js';
import { createLog, type Log, prefixedLog } from '../log.js';
import type { Streams } from '../output.js';
import { closeInherited, reportStart } from './daemonise.js';

/** First argument of the process that `daemonise` starts; no command has such a name. */
export const WG_DAEMON = '--wg-daemon';

export interface ForegroundOptions {
  readonly config: Config;
  readonly host: HostRequirements;
  readonly streams: Pick<Streams, 'err'>;
}

/** Arguments after `WG_DAEMON`: the interface, and the descriptors to close. Tells the process that waits what became of it. */
export async function runWgDaemon(
  [name = '', inherited = '']: readonly string[],
  options: ForegroundOptions,
): Promise<ExitCode> {
  closeInherited(inherited);
  try {
    await runWgForeground(name, options, () => reportStart({ ready: true }));
    return 0;
  } catch (error) {
    const { code, message } = describeError(error);
    reportStart({ ready: false, code, message });
    logOf(name, options)('error', message);
    return 1;
  }
}

/**
 * Runs the interface until it or its socket is removed, or SIGTERM or SIGINT comes.
 * @throws WarrenError when it cannot be put up, or why it ended by itself; nothing is left then.
 */
export async function runWgForeground(
  interfaceName: string,
  options: ForegroundOptions,
  onReady: () => void = () => undefined,
): Promise<void> {
  requireRoot(options.host);
  await requireTun(options.host);
  const { runStandalone } = await import('./standalone.js');
  await runStandalone({ interfaceName, log: logOf(interfaceName, options), onReady, signal: stopSignal() });
}

function logOf(name: string, { config: { wgLogLevel: level }, streams }: ForegroundOptions): Log {
  if (level === 'silent') return () => undefined;
  return prefixedLog(
    createLog(level, streams.err, () => new Date()),
    name,
  );
}

function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => controller.abort());
  return controller.signal;
}
