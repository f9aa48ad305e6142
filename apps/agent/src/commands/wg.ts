import type { ExitCode } from '../errors.js';
import { requireRoot, requireTun } from '../host/requirements.js';
import { runWgForeground, WG_DAEMON } from '../wg/daemon.js';
import { daemonise } from '../wg/daemonise.js';
import type { CommandContext } from './context.js';

export interface WgOptions {
  readonly foreground: boolean;
}

/**
 * `agent wg IFNAME`: an interface that is driven by `wg` and `wg-quick` alone, as `wireguard-go IFNAME` gives it. Ends when
 * the interface or its socket is removed. @throws WarrenError when it cannot be put up; nothing is left then.
 */
export async function wgCommand(context: CommandContext, name: string, { foreground }: WgOptions): Promise<ExitCode> {
  if (foreground) {
    await runWgForeground(name, context);
    return 0;
  }
  requireRoot(context.host);
  await requireTun(context.host);
  const keepStderr = context.config.wgLogLevel === 'debug';
  await daemonise((inherited) => [WG_DAEMON, name, inherited], keepStderr);
  return 0;
}
