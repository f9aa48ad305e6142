import type { Instant, PublicKey } from '@warren/base';
import type { Path, PathManager } from '@warren/paths';
import type { Device } from '@warren/wireguard';
import type { DataPlanePathReport, PathsReport } from '../data-plane-api.js';

/** What the manager knows, with times that mean something outside this thread. */
export function pathsReport(
  manager: PathManager,
  device: Device,
  nameOf: (peer: PublicKey) => PublicKey,
  now: Instant,
): PathsReport {
  const peers: DataPlanePathReport[] = [];
  for (const { publicKey } of device.peers()) {
    const report = manager.report(nameOf(publicKey), now);
    if (!report) continue;
    const { since, path, also, ...rest } = report;
    peers.push({
      ...rest,
      publicKey,
      path: path && copied(path),
      also: also && copied(also),
      since: since === undefined ? undefined : new Date(Date.now() - (now - since)).toISOString(),
    });
  }
  return { peers, servers: manager.servers() };
}

/** The header changes in place, and may be a view of more than itself. */
const copied = (path: Path): Path => (path.kind === 'relay' ? { ...path, header: path.header.slice() } : path);
