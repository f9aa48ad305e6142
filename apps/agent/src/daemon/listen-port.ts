import { type FindPort, requireFreePort } from '../host/ports.js';
import type { Membership } from '../state/membership.js';

/** With `--listen-port 0` the port of the last run is kept while it is free. @throws WarrenError `port-in-use`. */
export async function choosePort({ anyPort, listenPort }: Membership, findPort: FindPort): Promise<number> {
  if (!anyPort) return requireFreePort(listenPort, findPort);
  return (await findPort(listenPort)) === undefined ? 0 : listenPort;
}
