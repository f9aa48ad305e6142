import type { DataPlaneStats } from '@warren/dataplane';
import { SESSION_LIFE } from './peer-status.js';

/** Where the peers are with which there is a session, by public key; empty for those that a relay leads to. */
export function sessionEndpoints(stats: DataPlaneStats | undefined, now: number): [string, string][] {
  const found: [string, string][] = [];
  for (const { publicKey, endpoint, lastHandshake } of stats?.peers ?? []) {
    if (lastHandshake && Date.parse(lastHandshake) > now - SESSION_LIFE) found.push([publicKey, endpoint ?? '']);
  }
  return found;
}
