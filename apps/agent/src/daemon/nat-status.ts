import type { PathsReport } from '@warren/dataplane';
import type { NatKind } from '@warren/paths';
import type { NatStatus } from './status-types.js';

/** What discovery found out about the NAT before this host (`agent netcheck` finds out the same by itself). */
export interface NatFinding extends NatKind {
  /** Whether UDP gets out and back at all; null: nobody could be asked. */
  readonly udp: boolean | null;
  /** `address:port`, as servers saw us. */
  readonly reflexive: readonly string[];
  /** How long a UDP binding lives without traffic, seconds, at least; absent: not measured, or no NAT. */
  readonly bindingLifetimeS?: number;
}

/** Before anything was found out. */
export const UNKNOWN_NAT: NatStatus = {
  mapping: 'unknown',
  filtering: 'unknown',
  udp: null,
  reflexive: [],
  portMapping: null,
};

/** What is known about the NAT before the data plane's socket, from every source that there is. */
export function describeNat(known: {
  readonly finding: NatFinding | undefined;
  readonly paths: PathsReport | undefined;
  /** Whether any peer ever answered. */
  readonly anyHandshake: boolean;
  readonly portMapping: NatStatus['portMapping'];
}): NatStatus {
  const servers = known.paths?.servers ?? [];
  // Where servers see the data plane's own socket comes first: a discovery asks from others, whose ports mean nothing here.
  const seen = servers.flatMap(({ reflexive }) => (reflexive ? [reflexive as string] : []));
  const addresses = new Set(seen.map(addressOf));
  const elsewhere = (known.finding?.reflexive ?? []).filter((endpoint) => !addresses.has(addressOf(endpoint)));
  return {
    mapping: known.finding?.mapping ?? 'unknown',
    filtering: known.finding?.filtering ?? 'unknown',
    udp: udpWorks(known),
    reflexive: [...new Set([...seen, ...elsewhere])],
    portMapping: known.portMapping,
  };
}

const addressOf = (endpoint: string): string => endpoint.slice(0, endpoint.lastIndexOf(':'));

function udpWorks({ finding, paths, anyHandshake }: Parameters<typeof describeNat>[0]): boolean | null {
  const registered = (paths?.servers ?? []).filter((server) => server.registered);
  if (registered.some(({ transport }) => transport === 'udp')) return true;
  if (finding?.udp !== undefined && finding.udp !== null) return finding.udp;
  // Without relays by TLS a handshake can only have come by UDP.
  if (registered.length > 0) return false;
  return anyHandshake ? true : null;
}
