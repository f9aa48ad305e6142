import { networkInterfaces } from 'node:os';
import { formatHostPort, type HostPort, makePrefix, parseIpAddress, parsePrefix, prefixContains } from '@warren/base';
import type { ListenAddress } from './config.js';

/** Addresses that another network cannot reach: private (RFC 1918, 4193), shared (RFC 6598). */
const PRIVATE = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7'].map(
  (p) => parsePrefix(p)!,
);
const LINK_LOCAL = ['169.254.0.0/16', 'fe80::/10'].map((p) => parsePrefix(p)!);
/** Interfaces of container engines and tunnels: their addresses lead to this host only from inside it. */
const INNER = /^(docker|br-|veth|virbr|wg|tun|tap|cni|flannel|podman)/;

/**
 * What goes into join tokens: one address for each listener, at most 8. A configured public host stands for all; else a
 * listener on a certain address is reached there, and one on the wildcard at this machine's best address.
 */
export function tokenAddresses(listeners: readonly ListenAddress[], publicHost: string | undefined): HostPort[] {
  const addresses = listeners.map(({ host, port }) => {
    const wildcard = host === '0.0.0.0' || host === '::';
    return formatHostPort(publicHost ?? (wildcard ? bestAddress() : host), port);
  });
  return [...new Set(addresses)].slice(0, 8);
}

/** The first global address of this machine, public ones and IPv4 first; loopback when there is none. */
export function bestAddress(interfaces = networkInterfaces()): string {
  const candidates = Object.entries(interfaces)
    .filter(([name]) => !INNER.test(name))
    .flatMap(([, list]) => list ?? [])
    .filter((entry) => !entry.internal)
    .flatMap((entry) => parseIpAddress(entry.address.replace(/%.*$/, '')) ?? [])
    .filter((address) => !LINK_LOCAL.some((prefix) => prefixContains(prefix, address)));
  const rank = (address: (typeof candidates)[number]): number =>
    (PRIVATE.some((prefix) => prefixContains(prefix, address)) ? 2 : 0) + (makePrefix(address, 0) === '::/0' ? 1 : 0);
  return candidates.sort((a, b) => rank(a) - rank(b))[0] ?? '127.0.0.1';
}
