import type { SignalConfig } from '../config.js';
import type { Log } from '../log.js';
import { startSignalNode } from './signal-node.js';

/** A shutdown that takes longer is no longer orderly. */
const SHUTDOWN_TIMEOUT = 10_000;

/** Runs until SIGTERM or SIGINT. @returns the exit code. */
export async function serveSignal(config: SignalConfig, log: Log, print: (text: string) => void): Promise<number> {
  const stopped = new Promise<NodeJS.Signals>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, resolve);
  });
  const node = await startSignalNode(config, log);
  const { serverId, region, udp, tls } = node;
  print(`Signal server ${serverId} (${region}) is ready: UDP ${udp}, TLS ${tls.join(', ')}\n`);
  log.info({ serverId, region, udp, tls }, 'ready');
  const signal = await stopped;
  log.info({ signal }, 'stopping');
  const timer = setTimeout(() => {
    log.error('the shutdown hangs: giving up');
    process.exit(1);
  }, SHUTDOWN_TIMEOUT);
  await node.close();
  clearTimeout(timer);
  return 0;
}
