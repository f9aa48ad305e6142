import { open } from 'node:fs/promises';
import { WarrenError } from '@warren/base';
import { isSystemError } from '../errors.js';

/** What a host must give before anything is made; injected so that tests can take each away. */
export interface HostRequirements {
  readonly platform: string;
  readonly userId: number | undefined;
  /** Opens and closes the TUN device. */
  readonly probeTun: () => Promise<void>;
}

export const thisHost = (): HostRequirements => ({
  platform: process.platform,
  userId: process.getuid?.(),
  probeTun: async () => (await open('/dev/net/tun', 'r+')).close(),
});

/** @throws WarrenError `unsupported-platform` or `not-root`. */
export function requireRoot(host: HostRequirements): void {
  if (host.platform !== 'linux') {
    throw new WarrenError(
      'unsupported-platform',
      `the agent runs on Linux only, this is ${host.platform}: join this machine as a vanilla WireGuard member`,
    );
  }
  if (host.userId !== 0) {
    throw new WarrenError('not-root', 'the agent needs root to make a network interface: run it with sudo');
  }
}

/** @throws WarrenError `no-tun` unless `/dev/net/tun` can be opened. */
export async function requireTun(host: HostRequirements): Promise<void> {
  try {
    await host.probeTun();
  } catch (error) {
    throw new WarrenError('no-tun', describeTunFailure(error), { cause: error });
  }
}

function describeTunFailure(error: unknown): string {
  const code = isSystemError(error) ? error.code : 'unknown error';
  if (code === 'ENOENT') {
    return '/dev/net/tun does not exist: load the module (modprobe tun), or in a container pass --device /dev/net/tun';
  }
  if (code === 'EPERM' || code === 'EACCES') {
    return '/dev/net/tun may not be opened: give this container --device /dev/net/tun and the capability NET_ADMIN';
  }
  return `/dev/net/tun cannot be opened (${code}): load the module with modprobe tun`;
}
