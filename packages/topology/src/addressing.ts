import {
  addressBits,
  type IpAddress,
  type IpFamily,
  ipFamily,
  ipFromBytes,
  ipToBytes,
  type Prefix,
  prefixAddress,
  prefixLength,
  WarrenError,
} from '@warren/base';

/** A set of addresses, or anything that can answer for one. */
export interface AddressSet {
  has(address: IpAddress): boolean;
}

/** Addresses looked at before giving up: a search in a /8 that is full must end. */
const MAX_PROBES = 1_000_000;

/** A prefix of which the addresses 1 to `lastOffset` after its first one are for nodes. */
interface HostRange {
  readonly cidr: Prefix;
  readonly lastOffset: number;
}

/**
 * The addresses for a new node: one of each family that the network has. IPv4: the lowest that is neither taken nor
 * resting. IPv6: the one with the same offset where that is free (10.44.0.3 and fd…::3), else the lowest.
 *
 * Left out: in IPv4 the network's own and the broadcast address; in IPv6 the subnet-router anycast address (RFC 4291
 * §2.6.1).
 *
 * @param resting addresses of nodes that are gone and that nobody may have yet.
 * @returns IPv4 first.
 * @throws WarrenError `addresses-exhausted` when a family has none left.
 */
export function allocateAddresses(
  cidrs: readonly Prefix[],
  taken: AddressSet,
  resting: AddressSet = new Set<IpAddress>(),
): IpAddress[] {
  const isFree = (address: IpAddress): boolean => !taken.has(address) && !resting.has(address);
  const v4 = lowestFree(cidrs, 4, isFree);
  const v6 = mirrored(cidrs, v4?.offset, isFree) ?? lowestFree(cidrs, 6, isFree)?.address;
  return [v4?.address, v6].filter((address) => address !== undefined);
}

/** The lowest free address of a family in its prefixes' order; undefined when the network has none of the family. */
function lowestFree(
  cidrs: readonly Prefix[],
  family: IpFamily,
  isFree: (address: IpAddress) => boolean,
): { address: IpAddress; offset: number } | undefined {
  const ranges = rangesOf(cidrs, family);
  if (ranges.length === 0) return undefined;
  let probes = 0;
  for (const { cidr, lastOffset } of ranges) {
    const at = addressesOf(cidr);
    for (let offset = 1; offset <= lastOffset && probes < MAX_PROBES; offset++, probes++) {
      const address = at(offset);
      if (isFree(address)) return { address, offset };
    }
  }
  const names = ranges.map((range) => range.cidr).join(', ');
  throw new WarrenError(
    'addresses-exhausted',
    `no free address is left in ${names}: delete nodes that are gone, or make a larger network`,
  );
}

/** The IPv6 address that ends as the IPv4 address does, if there is one and it is free. */
function mirrored(
  cidrs: readonly Prefix[],
  offset: number | undefined,
  isFree: (address: IpAddress) => boolean,
): IpAddress | undefined {
  const [range] = rangesOf(cidrs, 6);
  if (!range || offset === undefined || offset > range.lastOffset) return undefined;
  const address = addressAt(range.cidr, offset);
  return isFree(address) ? address : undefined;
}

function rangesOf(cidrs: readonly Prefix[], family: IpFamily): HostRange[] {
  const ofFamily = cidrs.filter((cidr) => ipFamily(cidr) === family);
  return ofFamily.map((cidr) => {
    const size = 2 ** (addressBits(cidr) - prefixLength(cidr));
    return { cidr, lastOffset: Math.min(family === 4 ? size - 2 : size - 1, 2 ** 32 - 1) };
  });
}

/** The address `offset` (below 2^32) after the first one of `cidr`, whose last 32 bits it must fit. */
function addressAt(cidr: Prefix, offset: number): IpAddress {
  const bytes = ipToBytes(prefixAddress(cidr));
  const view = new DataView(bytes.buffer);
  view.setUint32(bytes.length - 4, view.getUint32(bytes.length - 4) + offset);
  return ipFromBytes(bytes);
}

/** `addressAt` for a search: IPv4 text without a detour, since a full network is looked through to its end. */
function addressesOf(cidr: Prefix): (offset: number) => IpAddress {
  if (ipFamily(cidr) === 6) return (offset) => addressAt(cidr, offset);
  const bytes = ipToBytes(prefixAddress(cidr));
  const first = new DataView(bytes.buffer).getUint32(0);
  return (offset) => {
    const value = first + offset;
    return `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}` as IpAddress;
  };
}
