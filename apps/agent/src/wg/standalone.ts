import { type DataPlane, serveUapi, startDataPlane, type UapiServer } from '@warren/dataplane';
import { describeError } from '../errors.js';
import { kernelSettings } from '../host/kernel-settings.js';
import type { Log } from '../log.js';

/** wireguard-go's `DefaultMTU`; wg-quick sets its own afterwards. */
const DEFAULT_MTU = 1420;

export interface StandaloneOptions {
  readonly interfaceName: string;
  readonly log: Log;
  /** Called when the interface exists and the socket answers. */
  readonly onReady: () => void;
  /** Aborted: stop. */
  readonly signal: AbortSignal;
}

/**
 * Runs one interface that is configured through its UAPI socket only, until it or its socket is removed, or `signal`
 * says so: then both are gone.
 * @throws WarrenError what starting needs and does not get, or why the data plane ended by itself.
 */
export async function runStandalone({ interfaceName, log, onReady, signal }: StandaloneOptions): Promise<void> {
  const plane = await startDataPlane({
    interfaceName,
    listenPort: 0,
    mtu: DEFAULT_MTU,
    addresses: [],
    standalone: true,
    log,
  });
  let server: UapiServer | undefined;
  try {
    await stopRedirects(interfaceName, log);
    server = await serveUapi({ interfaceName, device: plane, log });
    log('debug', `UAPI listener started at ${server.path}`);
    onReady();
    await ended(plane, server, signal, log);
  } finally {
    await server?.close();
    await plane.close();
  }
}

/**
 * A host that forwards between peers sends packets out by the interface that they came by, and would tell the sender to
 * do without it. The kernel's WireGuard switches the same two settings; the one for all alone changes no other interface.
 */
async function stopRedirects(interfaceName: string, log: Log): Promise<void> {
  for (const name of ['all', interfaceName]) {
    try {
      await kernelSettings.write(`ipv4/conf/${name}/send_redirects`, '0');
    } catch (error) {
      log('debug', describeError(error).message); // a container that may not: nothing that was asked for fails
    }
  }
}

async function ended(plane: DataPlane, server: UapiServer, signal: AbortSignal, log: Log): Promise<void> {
  const stopped = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  const reason = await Promise.race([plane.closed, server.removed, stopped]);
  if (reason instanceof Error && (reason as { code?: unknown }).code !== 'interface-gone') throw reason;
  log('debug', signal.aborted ? 'stopping' : 'the interface or its socket was removed: shutting down');
}
