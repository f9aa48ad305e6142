import { formatEndpoint } from '@warren/base';
import type { NatDiscoveryResult } from '@warren/stun';
import type { NatFinding } from '../daemon/nat-status.js';
import type { Discovery } from './discover.js';

/**
 * One answer from both families. IPv4 counts where it works, as that is where NATs stand; a host with IPv6 alone is
 * described by that.
 */
export function findingOf({ ipv4, ipv6 }: Discovery): NatFinding {
  const asked = [ipv4, ipv6].filter((result) => result !== undefined);
  const chosen = asked.find(({ udp }) => udp);
  return {
    mapping: chosen?.mapping ?? 'unknown',
    filtering: chosen?.filtering ?? 'unknown',
    udp: asked.length === 0 ? null : chosen !== undefined,
    reflexive: asked.flatMap(reflexiveOf),
  };
}

/** `address:port`, each once. */
export const reflexiveOf = ({ reflexive }: NatDiscoveryResult): string[] =>
  reflexive.map(({ address, port }) => formatEndpoint(address, port));
