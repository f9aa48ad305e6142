import {
  addressBits,
  type IpAddress,
  ipFamily,
  makePrefix,
  type Prefix,
  parsePrefix,
  prefixAddress,
  prefixContains,
  prefixLength,
  WarrenError,
} from '@warren/base';
import { checkCidrs } from '../cidrs.js';
import { sortedPrefixes } from '../order.js';
import { hostAddresses, type ImportMember, type ImportSource } from './import-members.js';
import type { ImportReport } from './import-plan.js';

/** Around addresses that no file gives a prefix: as people would choose it, and no shorter than `shortest`. */
const GUESSED = { 4: { usual: 24, shortest: 16 }, 6: { usual: 64, shortest: 48 } } as const;

/** Whether all of `inner` is in `outer`. */
export const holds = (outer: Prefix, inner: Prefix): boolean =>
  prefixLength(outer) <= prefixLength(inner) && prefixContains(outer, prefixAddress(inner));

/**
 * The prefixes of the network: what the interfaces' addresses carry (`10.44.0.1/16`); for addresses outside of those, what
 * their own files route to a peer; else the usual prefix around them. Empty after a conflict.
 */
export function findCidrs(
  members: readonly ImportMember[],
  given: readonly string[] | undefined,
  report: ImportReport,
): readonly Prefix[] {
  try {
    const found = given ?? inferred(members, report);
    return report.hasConflict ? [] : checkCidrs(found).cidrs;
  } catch (error) {
    if (!(error instanceof WarrenError)) throw error;
    report.add('conflict', `the prefixes of the network: ${error.message}`);
    return [];
  }
}

function inferred(members: readonly ImportMember[], report: ImportReport): Prefix[] {
  const sources = members.flatMap(({ source }) => source ?? []);
  const ofInterfaces = sources.flatMap(({ conf }) =>
    conf.interface.addresses
      .filter(({ address, length }) => length < addressBits(address))
      .map(({ address, length }) => makePrefix(address, length)),
  );
  const routed = sources.flatMap((source) => routedAround(source, ofInterfaces));
  const known = widest([...ofInterfaces, ...routed]);
  return widest([...known, ...guessed(uncovered(members, known), report)]);
}

/** The narrowest prefix around each address that the file itself routes into the tunnel; never everything. */
function routedAround({ conf }: ImportSource, known: readonly Prefix[]): Prefix[] {
  const prefixes = conf.peers.flatMap(({ allowedIps }) => allowedIps);
  const routes = prefixes.filter((prefix) => prefixLength(prefix) > 0 && prefixLength(prefix) < addressBits(prefix));
  return conf.interface.addresses.flatMap(({ address }) => {
    if (isCovered(address, known)) return [];
    const around = routes.filter((route) => prefixContains(route, address));
    return around.sort((a, b) => prefixLength(b) - prefixLength(a)).slice(0, 1);
  });
}

/** Addresses of members that are in none of the prefixes: of files all, of others the ones that they have to have. */
function uncovered(members: readonly ImportMember[], known: readonly Prefix[]): IpAddress[] {
  return members.flatMap(({ source, mentions }) => {
    const addresses = source ? source.conf.interface.addresses.map(({ address }) => address) : hostAddresses(mentions);
    const outside = addresses.filter((address) => !isCovered(address, known));
    return source || outside.length === addresses.length ? outside : [];
  });
}

function guessed(addresses: readonly IpAddress[], report: ImportReport): Prefix[] {
  return ([4, 6] as const).flatMap((family) => {
    const ours = addresses.filter((address) => ipFamily(address) === family);
    if (ours.length === 0) return [];
    const { usual, shortest } = GUESSED[family];
    for (let length: number = usual; length >= shortest; length--) {
      const prefix = makePrefix(ours[0]!, length);
      if (!ours.every((address) => prefixContains(prefix, address))) continue;
      report.add('completed', `no file says the network's prefix: ${prefix} holds all addresses that are in no other`);
      return [prefix];
    }
    const shown = ours.slice(0, 4).join(', ');
    report.add('conflict', `no file says the network's prefix, and ${shown} are far apart: give it with --cidr`);
    return [];
  });
}

const isCovered = (address: IpAddress, prefixes: readonly Prefix[]): boolean =>
  prefixes.some((prefix) => prefixContains(prefix, address));

/** Without those that are part of another. */
function widest(prefixes: readonly Prefix[]): Prefix[] {
  const all = sortedPrefixes(prefixes.filter((prefix) => parsePrefix(prefix) !== undefined));
  return all.filter((prefix) => !all.some((other) => other !== prefix && holds(other, prefix)));
}
