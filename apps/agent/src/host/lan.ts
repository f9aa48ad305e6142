import { type Prefix, parsePrefix, prefixesOverlap, prefixLength, WarrenError } from '@warren/base';
import type { RunProgram } from './program.js';

/** A prefix that the host reaches already, and by which interface. */
export interface HostPrefix {
  readonly interfaceName: string;
  readonly prefix: Prefix;
}

/** Prefixes of the host's addresses and routes, loopback left out. */
export async function readHostPrefixes(run: RunProgram): Promise<HostPrefix[]> {
  const outputs = await Promise.all([
    run('ip', ['-json', 'address', 'show']),
    run('ip', ['-json', '-4', 'route', 'show', 'table', 'main']),
    run('ip', ['-json', '-6', 'route', 'show', 'table', 'main']),
  ]);
  const [addresses, ...routes] = outputs.map(({ stdout }) => parseArray(stdout));
  return [...prefixesOfAddresses(addresses!), ...routes.flatMap(prefixesOfRoutes)];
}

/** From `ip -json address show`. */
export function prefixesOfAddresses(links: readonly unknown[]): HostPrefix[] {
  const found: HostPrefix[] = [];
  for (const link of links as { ifname?: string; flags?: string[]; addr_info?: AddressInfo[] }[]) {
    if (!link.ifname || link.flags?.includes('LOOPBACK')) continue;
    for (const { local, prefixlen, scope } of link.addr_info ?? []) {
      const prefix = scope === 'link' ? undefined : parsePrefix(`${local}/${prefixlen}`);
      if (prefix) found.push({ interfaceName: link.ifname, prefix });
    }
  }
  return found;
}

interface AddressInfo {
  readonly local?: string;
  readonly prefixlen?: number;
  readonly scope?: string;
}

/** From `ip -json route show`; the default route says nothing about a LAN. */
export function prefixesOfRoutes(routes: readonly unknown[]): HostPrefix[] {
  const found: HostPrefix[] = [];
  for (const { dst, dev, type } of routes as { dst?: string; dev?: string; type?: string }[]) {
    if (!dst || !dev || dev === 'lo' || dst === 'default' || type === 'unreachable') continue;
    const prefix = parsePrefix(dst);
    if (prefix && prefixLength(prefix) > 0 && !prefix.startsWith('fe80:')) found.push({ interfaceName: dev, prefix });
  }
  return found;
}

/**
 * A clash would make either the LAN or the network unreachable, silently.
 * @param ours interfaces of this agent, which belong to networks themselves.
 * @throws WarrenError `lan-clash` naming interface and prefix.
 */
export function requireNoLanClash(
  cidrs: readonly string[],
  host: readonly HostPrefix[],
  ours: ReadonlySet<string>,
): void {
  for (const text of cidrs) {
    const cidr = parsePrefix(text);
    const clash = cidr && host.find((h) => !ours.has(h.interfaceName) && prefixesOverlap(cidr, h.prefix));
    if (clash) {
      throw new WarrenError(
        'lan-clash',
        `the network's ${text} overlaps ${clash.prefix} on this host's interface ${clash.interfaceName}: ` +
          'use a network with another prefix (warren network create --cidr), or renumber the LAN',
      );
    }
  }
}

/** @throws WarrenError `network-clash` when a network that this host has joined overlaps. */
export function requireNoNetworkClash(
  cidrs: readonly string[],
  joined: readonly { readonly name: string; readonly cidrs: readonly string[] }[],
): void {
  const overlap = (a: string, b: string): boolean => {
    const [x, y] = [parsePrefix(a), parsePrefix(b)];
    return x !== undefined && y !== undefined && prefixesOverlap(x, y);
  };
  for (const cidr of cidrs) {
    const other = joined.find((network) => network.cidrs.some((known) => overlap(cidr, known)));
    if (other) {
      throw new WarrenError(
        'network-clash',
        `the network's ${cidr} overlaps network ${other.name}, which this host has joined: leave that one first`,
      );
    }
  }
}

function parseArray(text: string): unknown[] {
  if (text.trim() === '') return [];
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : [];
  } catch (error) {
    throw new WarrenError('program-unusable', 'the program `ip` gives no JSON: install a current iproute2', {
      cause: error,
    });
  }
}
