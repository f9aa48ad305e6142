import {
  addressBits,
  type IpAddress,
  type IpFamily,
  ipFamily,
  ipToBytes,
  type Prefix,
  prefixAddress,
  prefixContains,
  prefixLength,
} from '@warren/base';
import { FAR, fromNumber, limitsOf, offsetIn, sizeOf, toNumber } from './address-number.js';

/** A set of addresses, or anything that can answer for one. */
export interface AddressSet {
  has(address: IpAddress): boolean;
}

/** Where a network's nodes get their addresses from. */
export interface AddressSpace {
  readonly cidrs: readonly Prefix[];
  /** Within `cidrs`; a family without any uses all its prefixes. */
  readonly pools: readonly Prefix[];
}

/** Addresses `first` to `last`, counted from the first one of `prefix`; both ends belong to it. */
export interface AddressSpan {
  readonly prefix: Prefix;
  readonly first: number;
  readonly last: number;
}

/** Addresses looked at before giving up: a search in a /8 that is full must end. */
const MAX_PROBES = 1_000_000;

/** The pools of one family: those that were set, else all its prefixes. */
export function poolsOf({ cidrs, pools }: AddressSpace, family: IpFamily): readonly Prefix[] {
  const ofFamily = (prefixes: readonly Prefix[]): Prefix[] => prefixes.filter((prefix) => ipFamily(prefix) === family);
  const own = ofFamily(pools);
  return own.length > 0 ? own : ofFamily(cidrs);
}

/**
 * What can be handed out of a family by itself, in the order in which it is: its pools without `excluded`. Left out of
 * each: in IPv4 its first and its broadcast address; in IPv6 the subnet-router anycast address (RFC 4291 §2.6.1). A pool of
 * one or two addresses has none of those, unless they are the network's own.
 */
export function spansOf(space: AddressSpace, family: IpFamily, excluded: readonly Prefix[] = []): AddressSpan[] {
  return spansIn(poolsOf(space, family), space.cidrs, excluded);
}

/** The same of given prefixes. */
export function spansIn(
  prefixes: readonly Prefix[],
  cidrs: readonly Prefix[],
  excluded: readonly Prefix[] = [],
): AddressSpan[] {
  const holes = excluded.map((prefix) => ({ family: ipFamily(prefix), limits: limitsOf(prefix) }));
  return prefixes.flatMap((prefix) => {
    const family = ipFamily(prefix);
    const ofFamily = holes.flatMap((hole) => (hole.family === family ? [hole.limits] : []));
    return cut(wholeSpan(prefix, cidrs), ofFamily);
  });
}

/**
 * The lowest address of the spans that is not taken.
 * @param startAt where to begin, by `spanKey`: everything before that is known to be taken.
 * @returns undefined when there is none, or none within the first million.
 */
export function lowestFree(
  spans: readonly AddressSpan[],
  taken: AddressSet,
  startAt: ReadonlyMap<string, number> = new Map(),
): { readonly address: IpAddress; readonly span: AddressSpan; readonly offset: number } | undefined {
  let probes = 0;
  for (const span of spans) {
    const at = addressesOf(span.prefix);
    const from = Math.max(span.first, startAt.get(spanKey(span)) ?? 0);
    for (let offset = from; offset <= span.last && probes < MAX_PROBES; offset++, probes++) {
      const address = at(offset);
      if (!taken.has(address)) return { address, span, offset };
    }
  }
  return undefined;
}

/** Names a span. */
export const spanKey = ({ prefix, first }: AddressSpan): string => `${prefix} ${first}`;

/** The first and the last address of a span. @param from the span's own first one, or a later one. */
export function endsOf({ prefix, last }: AddressSpan, from: number): readonly [IpAddress, IpAddress] {
  const at = addressesOf(prefix);
  return [at(from), at(last)];
}

/**
 * The IPv6 address that ends as an IPv4 address of the network does (10.44.0.3 and fd…::3), if it can be handed out.
 * @param spans those of IPv6.
 */
export function mirrorOf(
  cidrs: readonly Prefix[],
  v4: IpAddress,
  spans: readonly AddressSpan[],
): IpAddress | undefined {
  const v4Cidr = cidrs.find((cidr) => prefixContains(cidr, v4));
  const v6Cidr = cidrs.find((cidr) => ipFamily(cidr) === 6);
  if (!v4Cidr || !v6Cidr) return undefined;
  const offset = offsetIn(v4Cidr, v4);
  if (offset >= sizeOf(v6Cidr)) return undefined;
  const mirrored = fromNumber(toNumber(prefixAddress(v6Cidr)) + offset, 128);
  return spans.some((span) => isInSpan(span, mirrored)) ? mirrored : undefined;
}

/** Whether an address lies in a span. */
export function isInSpan({ prefix, first, last }: AddressSpan, address: IpAddress): boolean {
  if (!prefixContains(prefix, address)) return false;
  const offset = offsetIn(prefix, address);
  return offset >= BigInt(first) && offset <= BigInt(last);
}

/** Whether a node can have this address at all: within the network, and neither its first (anycast) nor its broadcast address. */
export function isUsable(cidrs: readonly Prefix[], address: IpAddress): boolean {
  const cidr = cidrs.find((prefix) => prefixContains(prefix, address));
  if (!cidr) return false;
  const offset = offsetIn(cidr, address);
  return offset > 0n && !(ipFamily(cidr) === 4 && offset === sizeOf(cidr) - 1n);
}

/**
 * Finds the longest of the prefixes that hold an address: what is said of a part outranks what is said of the whole. Of two
 * that are equal the first.
 */
export function narrowestOf<T extends { readonly prefix: Prefix }>(
  all: readonly T[],
): (address: IpAddress) => T | undefined {
  const known = all.map((one) => ({ one, family: ipFamily(one.prefix), limits: limitsOf(one.prefix) }));
  known.sort((a, b) => prefixLength(b.one.prefix) - prefixLength(a.one.prefix));
  return (address) => {
    if (known.length === 0) return undefined;
    const [family, value] = [ipFamily(address), toNumber(address)];
    return known.find(({ family: own, limits: [first, last] }) => own === family && first <= value && value <= last)
      ?.one;
  };
}

function wholeSpan(prefix: Prefix, cidrs: readonly Prefix[]): AddressSpan {
  const v4 = ipFamily(prefix) === 4;
  const size = sizeOf(prefix);
  const cidr = cidrs.find((whole) => prefixContains(whole, prefixAddress(prefix)));
  const begins = cidr !== undefined && prefixAddress(cidr) === prefixAddress(prefix);
  const ends = cidr !== undefined && limitsOf(cidr)[1] === limitsOf(prefix)[1];
  const first = size > 2n || begins ? 1 : 0;
  const last = size - (v4 && (size > 2n || ends) ? 2n : 1n);
  return { prefix, first, last: last > BigInt(FAR) ? FAR : Number(last) };
}

/** A span without holes, in order. */
function cut(span: AddressSpan, holes: readonly (readonly [bigint, bigint])[]): AddressSpan[] {
  const base = toNumber(prefixAddress(span.prefix));
  const near = (value: bigint): number => Number(value < 0n ? -1n : value > BigInt(FAR) ? BigInt(FAR) + 1n : value);
  const sorted = holes.map(([from, to]) => [near(from - base), near(to - base)] as const).sort(([a], [b]) => a - b);
  const parts: AddressSpan[] = [];
  let first = span.first;
  for (const [from, to] of sorted) {
    if (to < first) continue;
    if (from > span.last) break;
    if (from > first) parts.push({ ...span, first, last: from - 1 });
    first = to + 1;
  }
  if (first <= span.last) parts.push({ ...span, first });
  return parts;
}

/** The address `offset` (below 2^32) behind the first one of a prefix. IPv4 without a detour: a full network is looked through to its end. */
function addressesOf(prefix: Prefix): (offset: number) => IpAddress {
  if (addressBits(prefix) === 128) {
    const base = toNumber(prefixAddress(prefix));
    return (offset) => fromNumber(base + BigInt(offset), 128);
  }
  const first = new DataView(ipToBytes(prefixAddress(prefix)).buffer).getUint32(0);
  return (offset) => {
    const value = first + offset;
    return `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}` as IpAddress;
  };
}
