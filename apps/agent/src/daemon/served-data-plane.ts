import { type DataPlane, type DataPlaneOptions, serveUapi, startDataPlane } from '@warren/dataplane';
import { describeError } from '../errors.js';

/**
 * A data plane with its socket for `wg` and other tools; the socket goes with the data plane. Without it the node works all
 * the same, so a socket that cannot be made is a warning. @throws what `startDataPlane` throws.
 */
export async function startServedDataPlane(options: DataPlaneOptions): Promise<DataPlane> {
  const plane = await startDataPlane(options);
  const { log } = options;
  try {
    const server = await serveUapi({ interfaceName: plane.interfaceName, device: plane, ...(log && { log }) });
    void plane.closed.then(() =>
      server
        .close()
        .catch((error: unknown) => log?.('warn', `${server.path} remains: ${describeError(error).message}`)),
    );
  } catch (error) {
    log?.('warn', `\`wg\` cannot drive ${plane.interfaceName}: ${describeError(error).message}`);
  }
  return plane;
}
