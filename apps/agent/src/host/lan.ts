import {
  type IpAddress,
  type Prefix,
  parseIpAddress,
  parsePrefix,
  prefixesOverlap,
  prefixLength,
  WarrenError,
} from '@warren/base';
import type { RunProgram } from './program.js';

/** A prefix that the host reaches already, and by which interface. */
export interface HostPrefix {
  readonly interfaceName: string;
  readonly prefix: Prefix;
}

/** An address that belongs to this host, or to a router of its LAN: what must not lead into a network of ours. */
export interface HostAddress {
  readonly interfaceName: string;
  readonly address: IpAddress;
  readonly of: 'host' | 'router';
}

/** What a host is connected to already. */
export interface HostNetwork {
  readonly prefixes: readonly HostPrefix[];
  readonly addresses: readonly HostAddress[];
}

/** The host's addresses and routes, loopback left out. */
export async function readHostNetwork(run: RunProgram): Promise<HostNetwork> {
  const outputs = await Promise.all([
    run('ip', ['-json', 'address', 'show']),
    run('ip', ['-json', '-4', 'route', 'show', 'table', 'main']),
    run('ip', ['-json', '-6', 'route', 'show', 'table', 'main']),
  ]);
  const [links, ...routes] = outputs.map(({ stdout }) => parseArray(stdout));
  return {
    prefixes: [...prefixesOfAddresses(links!), ...routes.flatMap(prefixesOfRoutes)],
    addresses: [...ownAddresses(links!), ...routes.flatMap(routersOf)],
  };
}

/** Prefixes of the host's addresses and routes, loopback left out. */
export const readHostPrefixes = async (run: RunProgram): Promise<readonly HostPrefix[]> =>
  (await readHostNetwork(run)).prefixes;

/** From `ip -json address show`. */
export function prefixesOfAddresses(links: readonly unknown[]): HostPrefix[] {
  const found: HostPrefix[] = [];
  for (const link of links as Link[]) {
    if (!link.ifname || link.flags?.includes('LOOPBACK')) continue;
    for (const { local, prefixlen, scope } of link.addr_info ?? []) {
      const prefix = scope === 'link' ? undefined : parsePrefix(`${local}/${prefixlen}`);
      if (prefix) found.push({ interfaceName: link.ifname, prefix });
    }
  }
  return found;
}

function ownAddresses(links: readonly unknown[]): HostAddress[] {
  return (links as Link[]).flatMap(({ ifname, addr_info = [] }) =>
    addr_info.flatMap(({ local, scope }) => {
      const address = scope === 'global' && local ? parseIpAddress(local) : undefined;
      return ifname && address ? [{ interfaceName: ifname, address, of: 'host' as const }] : [];
    }),
  );
}

function routersOf(routes: readonly unknown[]): HostAddress[] {
  return (routes as { gateway?: string; dev?: string }[]).flatMap(({ gateway, dev }) => {
    const address = gateway ? parseIpAddress(gateway) : undefined;
    return dev && address ? [{ interfaceName: dev, address, of: 'router' as const }] : [];
  });
}

interface Link {
  readonly ifname?: string;
  readonly flags?: readonly string[];
  readonly addr_info?: readonly AddressInfo[];
}

interface AddressInfo {
  readonly local?: string;
  readonly prefixlen?: number;
  readonly scope?: string;
}

/** Tools that leave the default route alone route `0.0.0.0/1`, `128.0.0.0/1` and `2000::/3` instead. */
const SHORTEST_DEFAULT = 3;

/** From `ip -json route show`; the default route says nothing about a LAN. */
export function prefixesOfRoutes(routes: readonly unknown[]): HostPrefix[] {
  const found: HostPrefix[] = [];
  for (const { dst, dev, type } of routes as { dst?: string; dev?: string; type?: string }[]) {
    if (!dst || !dev || dev === 'lo' || dst === 'default' || type === 'unreachable') continue;
    const prefix = parsePrefix(dst);
    // Halves of the whole internet are default routes in disguise.
    if (prefix && prefixLength(prefix) > SHORTEST_DEFAULT && !prefix.startsWith('fe80:'))
      found.push({ interfaceName: dev, prefix });
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
          'renumber the network (warren network renumber), join another network, renumber the LAN, or join with ' +
          '--allow-lan-clash: then nodes of the network hide those hosts of the LAN that have the same addresses',
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
