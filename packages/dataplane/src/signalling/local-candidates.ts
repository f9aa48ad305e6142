import { existsSync } from 'node:fs';
import type { NetworkInterfaceInfo } from 'node:os';
import { type Endpoint, formatEndpoint, ipFamily, parseIpAddress } from '@warren/base';
import type { Candidate } from '@warren/paths';

/** Most addresses of this host that are offered: a host with more has them for containers. */
const MAX_HOST_CANDIDATES = 16;
/** Where programs of WireGuard's cross-platform interface keep one socket an interface. */
const UAPI_FOLDER = '/var/run/wireguard';

export interface LocalCandidatesOptions {
  /** Of the data plane's socket. */
  readonly port: number;
  /** Families with a socket. */
  readonly families: readonly (4 | 6)[];
  /** Endpoints that a router maps to the port. */
  readonly mapped: readonly Endpoint[];
  /** Whether the addresses of an interface lead through a tunnel, ours or another one. */
  readonly isTunnel: (interfaceName: string) => boolean;
}

/**
 * What `os.networkInterfaces()` says as candidates: every address that another host may reach, IPv6 first. Left out are
 * loopback, IPv6 link-local addresses (of no use without a zone) and tunnels: a sealed datagram through this very interface would
 * go round in circles.
 */
export function localCandidates(
  interfaces: NodeJS.Dict<readonly Pick<NetworkInterfaceInfo, 'address' | 'internal'>[]>,
  options: LocalCandidatesOptions,
): Candidate[] {
  const { port, families, mapped, isTunnel } = options;
  const candidates: Candidate[] = mapped.map((endpoint) => ({ kind: 'port-mapped', endpoint }));
  const hosts: { readonly family: 4 | 6; readonly endpoint: Endpoint }[] = [];
  for (const [name, addresses] of Object.entries(interfaces)) {
    if (isTunnel(name)) continue;
    for (const { address: text, internal } of addresses ?? []) {
      const address = internal ? undefined : parseIpAddress(text);
      if (address === undefined || /^fe[89ab]/.test(address)) continue;
      const family = ipFamily(address);
      if (families.includes(family)) hosts.push({ family, endpoint: formatEndpoint(address, port) });
    }
  }
  hosts.sort((a, b) => b.family - a.family);
  for (const { endpoint } of hosts.slice(0, MAX_HOST_CANDIDATES)) candidates.push({ kind: 'host', endpoint });
  return candidates;
}

/** Whether the name is this one, or a userspace WireGuard runs on it. */
export const isWireGuard = (interfaceName: string, own: string): boolean =>
  interfaceName === own || existsSync(`${UAPI_FOLDER}/${interfaceName}.sock`);
