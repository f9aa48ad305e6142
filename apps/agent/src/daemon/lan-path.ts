import type { NetworkInterfaceInfo } from 'node:os';
import { type Prefix, parseEndpoint, parsePrefix, prefixContains } from '@warren/base';
import type { DataPlanePathReport } from '@warren/dataplane';

/** What `os.networkInterfaces()` says. */
export type Interfaces = NodeJS.Dict<readonly Pick<NetworkInterfaceInfo, 'cidr' | 'internal'>[]>;

/** Prefixes of this host's links; without loopback, single addresses, and the named interfaces. */
export function linkPrefixes(interfaces: Interfaces, leaveOut: ReadonlySet<string>): Prefix[] {
  const prefixes: Prefix[] = [];
  for (const [name, addresses] of Object.entries(interfaces)) {
    if (leaveOut.has(name)) continue;
    for (const { cidr, internal } of addresses ?? []) {
      const prefix = internal || !cidr ? undefined : parsePrefix(cidr);
      if (prefix && !/\/(?:32|128)$/.test(prefix)) prefixes.push(prefix);
    }
  }
  return prefixes;
}

/**
 * Whether a direct path stays on the local network: the peer's address is in the prefix of a link of ours, and is the peer's own,
 * not that of a router before it.
 * @param report absent for vanilla members, of which only the address is known.
 */
export function isLanPath(
  endpoint: string | null,
  report: Pick<DataPlanePathReport, 'candidateKind'> | undefined,
  links: readonly Prefix[],
): boolean {
  // An operator configures where the peer listens, which on the same link is its own address.
  const isOwn = !report || report.candidateKind === 'host' || report.candidateKind === 'configured';
  const address = endpoint === null || !isOwn ? undefined : parseEndpoint(endpoint)?.address;
  return address !== undefined && links.some((link) => prefixContains(link, address));
}
