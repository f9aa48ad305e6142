import { lookup } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';
import { type HostPort, type IpAddress, type IpFamily, ipFamily, parseHostPort, parseIpAddress } from '@warren/base';
import { createNatDiscovery, type DiscoveryServer, type NatDiscoveryResult } from '@warren/stun';
import { runMachine } from './run-machine.js';

/** A server that answers STUN. */
export interface DiscoveryTarget {
  readonly id: string;
  readonly udp: HostPort;
}

/** What was found out over each family; absent: no server has an address of that family, or this host has none. */
export interface Discovery {
  readonly ipv4?: NatDiscoveryResult;
  readonly ipv6?: NatDiscoveryResult;
  /** Ids of servers whose name has no address. */
  readonly unresolved: readonly string[];
}

/** Rounds of discovery differ by seconds; a name that takes longer than this is as good as unknown. */
const LOOKUP_TIMEOUT = 3_000;

/**
 * Asks the servers how our NAT behaves, over both families, from sockets that are made for it. Takes some seconds.
 * Never rejects: what cannot be asked does not answer.
 */
export async function discoverNat(targets: readonly DiscoveryTarget[], signal?: AbortSignal): Promise<Discovery> {
  const resolved = await Promise.all(targets.map(resolveTarget));
  const servers = resolved.flat();
  const known = new Set(servers.map(({ id }) => id));
  const unresolved = targets.map(({ id }) => id).filter((id) => !known.has(id));
  const [ipv4, ipv6] = await Promise.all(([4, 6] as const).map((family) => discoverFamily(servers, family, signal)));
  return { ...(ipv4 && { ipv4 }), ...(ipv6 && { ipv6 }), unresolved };
}

async function discoverFamily(
  servers: readonly DiscoveryServer[],
  family: IpFamily,
  signal: AbortSignal | undefined,
): Promise<NatDiscoveryResult | undefined> {
  const asked = servers.filter(({ endpoint }) => ipFamily(endpoint.address) === family);
  const reachable = localAddresses(family).length > 0 || asked.some(({ endpoint }) => isLoopback(endpoint.address));
  return asked.length > 0 && reachable ? runDiscovery(asked, family, signal) : undefined;
}

/** Addresses of this host that others could see it by. */
export function localAddresses(family: IpFamily): IpAddress[] {
  return allAddresses(family).filter((address) => !isLoopback(address) && !/^fe[89ab]/.test(address));
}

/** All of this host's. */
export function allAddresses(family: IpFamily): IpAddress[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.flatMap(({ address }) => parseIpAddress(address) ?? []).filter((address) => ipFamily(address) === family);
}

const isLoopback = (address: IpAddress): boolean => address.startsWith('127.') || address === '::1';

/** The first address of each family. */
export async function resolveTarget({ id, udp }: DiscoveryTarget): Promise<DiscoveryServer[]> {
  const { host, port } = parseHostPort(udp)!;
  const literal = parseIpAddress(host);
  const addresses = literal ? [literal] : await lookUp(host);
  return ([4, 6] as const).flatMap((family) => {
    const address = addresses.find((candidate) => ipFamily(candidate) === family);
    return address ? [{ id, endpoint: { address, port } }] : [];
  });
}

async function lookUp(host: string): Promise<IpAddress[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<[]>((done) => {
    timer = setTimeout(() => done([]), LOOKUP_TIMEOUT);
  });
  // A name without an address is reported by its absence.
  const found = await Promise.race([lookup(host, { all: true }).catch(() => []), late]);
  clearTimeout(timer);
  return found.flatMap(({ address }) => parseIpAddress(address) ?? []);
}

function runDiscovery(
  servers: readonly DiscoveryServer[],
  family: IpFamily,
  signal: AbortSignal | undefined,
): Promise<NatDiscoveryResult | undefined> {
  const addresses = allAddresses(family);
  return runMachine(
    (random, now) => createNatDiscovery({ servers, localAddresses: addresses, random, now }),
    family,
    signal,
  );
}
