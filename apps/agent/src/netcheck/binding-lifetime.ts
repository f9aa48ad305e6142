import { type IpAddress, type IpFamily, ipFamily } from '@warren/base';
import { createBindingLifetimeMeasurement, type NatDiscoveryResult } from '@warren/stun';
import { allAddresses, type Discovery, type DiscoveryTarget, resolveTarget } from './discover.js';
import { runMachine } from './run-machine.js';

/** The server to measure with. */
export interface LifetimeTarget {
  readonly target: DiscoveryTarget;
  readonly family: IpFamily;
  /** Outer addresses, by which networks differ. */
  readonly outside: string;
}

/**
 * Where to measure, by what a discovery has found: over the family that describes our NAT, with a server that sees us through it.
 * @returns undefined without a NAT.
 */
export function chooseLifetimeTarget(
  { ipv4, ipv6 }: Discovery,
  targets: readonly DiscoveryTarget[],
): LifetimeTarget | undefined {
  const result = [ipv4, ipv6].find((one) => one?.udp);
  if (!result || result.mapping === 'none') return undefined;
  const family = result === ipv4 ? 4 : 6;
  const seen = seenThroughNat(result, new Set(allAddresses(family)));
  // A server that stands behind one of our NATs with us sees another address than the rest, and would measure a part of them.
  const sameView = (address: IpAddress): number => seen.filter((one) => one.address === address).length;
  const [best] = seen.sort((a, b) => sameView(b.address) - sameView(a.address) || a.rttMs - b.rttMs);
  const target = best && targets.find(({ id }) => id === best.id);
  const outside = [...new Set(seen.map(({ address }) => address))].sort().join();
  return target && { target, family, outside };
}

function seenThroughNat({ servers }: NatDiscoveryResult, local: ReadonlySet<IpAddress>) {
  return servers.flatMap(({ id, rttMs, reflexive }) =>
    rttMs === undefined || !reflexive || local.has(reflexive.address)
      ? []
      : [{ id, rttMs, address: reflexive.address }],
  );
}

/**
 * How long our NAT keeps a UDP binding without traffic, at least, in seconds; 0: less than can be measured. Takes up to three
 * minutes. Never rejects.
 * @returns undefined when it cannot be found out.
 */
export async function measureBindingLifetime(
  { target, family }: LifetimeTarget,
  signal: AbortSignal,
): Promise<number | undefined> {
  const resolved = await resolveTarget(target);
  const server = resolved.find(({ endpoint }) => ipFamily(endpoint.address) === family)?.endpoint;
  if (!server) return undefined;
  const create = (
    random: (length: number) => Uint8Array,
    now: Parameters<typeof createBindingLifetimeMeasurement>[0]['now'],
  ) => createBindingLifetimeMeasurement({ server, random, now });
  return (await runMachine(create, family, signal))?.atLeastS;
}
