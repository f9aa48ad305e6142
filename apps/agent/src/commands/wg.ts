import { describeError, type ExitCode } from '../errors.js';
import { requireRoot, requireTun } from '../host/requirements.js';
import { createLog, type Log, prefixedLog } from '../log.js';
import { closeInherited, daemonise, reportStart } from '../wg/daemonise.js';
import type { CommandContext } from './context.js';

export interface WgOptions {
  readonly foreground: boolean;
  /** This process is the daemon, it reports to the one that started it; the descriptors that it has to close. */
  readonly daemon: string | undefined;
}

/**
 * `agent wg IFNAME`: an interface that is driven by `wg` and `wg-quick` alone, as `wireguard-go IFNAME` gives it. Ends when
 * the interface or its socket is removed. @throws WarrenError when it cannot be put up; nothing is left then.
 */
export async function wgCommand(context: CommandContext, name: string, options: WgOptions): Promise<ExitCode> {
  const level = context.config.wgLogLevel;
  if (!options.foreground && options.daemon === undefined) {
    requireRoot(context.host);
    await requireTun(context.host);
    await daemonise((inherited) => ['wg', `--daemon=${inherited}`, name], level === 'debug');
    return 0;
  }
  const write = createLog(level === 'silent' ? 'error' : level, context.streams.err, () => new Date());
  const log: Log = prefixedLog(level === 'silent' ? () => undefined : write, name);
  const isDaemon = options.daemon !== undefined;
  closeInherited(options.daemon ?? '');
  const onReady = isDaemon ? () => reportStart({ ready: true }) : () => undefined;
  try {
    requireRoot(context.host);
    await requireTun(context.host);
    // Loaded here, so that the process that only starts the daemon is done sooner.
    const { runStandalone } = await import('../wg/standalone.js');
    await runStandalone({ interfaceName: name, log, onReady, signal: stopSignal() });
    return 0;
  } catch (error) {
    if (isDaemon) reportStart({ ready: false, ...describeError(error) });
    throw error;
  }
}

function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => controller.abort());
  return controller.signal;
}
