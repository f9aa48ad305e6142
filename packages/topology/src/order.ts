import {
  hostPrefix,
  type IpAddress,
  ipFamily,
  ipToBytes,
  type Prefix,
  prefixAddress,
  prefixLength,
  toHex,
} from '@warren/base';

/** Order of ids and names: by code unit, the same on every machine whatever its locale. */
export const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Sorted by code unit, a new array. */
export const sortedText = <T extends string>(texts: Iterable<T>): T[] => [...texts].sort(compareText);

/** IPv4 before IPv6, then by address, then the shorter prefix first; without repetitions; a new array. */
export function sortedPrefixes(prefixes: Iterable<Prefix>): Prefix[] {
  const keyed = Array.from(new Set(prefixes), (prefix) => ({ prefix, key: sortKey(prefix) }));
  return keyed.sort((a, b) => compareText(a.key, b.key)).map(({ prefix }) => prefix);
}

/** The host prefixes of one node's addresses, sorted. */
export function hostPrefixes(addresses: readonly IpAddress[]): Prefix[] {
  const prefixes = addresses.map(hostPrefix);
  // One of each family, IPv4 first, is what nearly every node has.
  const isSorted = prefixes.length < 2 || (prefixes.length === 2 && isIpv4(prefixes[0]!) && !isIpv4(prefixes[1]!));
  return isSorted ? prefixes : sortedPrefixes(prefixes);
}

const isIpv4 = (prefix: Prefix): boolean => ipFamily(prefix) === 4;

function sortKey(prefix: Prefix): string {
  const address = ipToBytes(prefixAddress(prefix));
  return `${address.length === 4 ? 4 : 6}${toHex(address)}${toHex(Uint8Array.of(prefixLength(prefix)))}`;
}
