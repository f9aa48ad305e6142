import {
  ipFamily,
  ipToBytes,
  makePrefix,
  type Prefix,
  parseIpAddress,
  parsePrefix,
  prefixAddress,
  prefixesOverlap,
  prefixLength,
  WarrenError,
} from '@warren/base';

/** Prefixes that a network may have; more are a mistake. */
const MAX_CIDRS = 8;

/** A length outside these leaves no room for two nodes, or is so short that it is surely mistyped. */
const LENGTHS = { 4: { shortest: 8, longest: 30 }, 6: { shortest: 32, longest: 126 } } as const;

const known = (...texts: string[]): Prefix[] => texts.map((text) => parsePrefix(text)!);
/** RFC 1918, RFC 6598 (carrier-grade NAT), RFC 4193 (unique local). */
const PRIVATE = known('10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7');
/** Never addresses of a node: RFC 6890 and the registries that it founded. */
const UNUSABLE = known(
  '0.0.0.0/8',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/8',
  'fe80::/10',
  'ff00::/8',
);

export interface CheckedCidrs {
  /** Canonical, in the order given. */
  readonly cidrs: readonly Prefix[];
  /** One line each; a network may be made all the same. */
  readonly warnings: readonly string[];
}

/**
 * Reads the prefixes that somebody wants for a network.
 *
 * @throws WarrenError `bad-request` for what cannot work: no prefix at all, no prefix, host bits set, too large or too
 * small, of addresses that no node can have, two that overlap.
 */
export function checkCidrs(texts: readonly string[]): CheckedCidrs {
  if (texts.length < 1 || texts.length > MAX_CIDRS) {
    throw bad(`a network needs 1 to ${MAX_CIDRS} prefixes, not ${texts.length}: give for example 10.44.0.0/16`);
  }
  const cidrs = texts.map(checkCidr);
  for (const [i, cidr] of cidrs.entries()) {
    const other = cidrs.slice(0, i).find((earlier) => prefixesOverlap(earlier, cidr));
    if (other) throw bad(`${cidr} overlaps ${other}: give each prefix once`);
  }
  const warnings = cidrs
    .filter((cidr) => !PRIVATE.some((prefix) => isWithin(cidr, prefix)))
    .map((cidr) => `${cidr} is not private: hosts of the network will no longer reach its owners on the internet`);
  return { cidrs, warnings };
}

/** A network's prefix and a LAN's that share addresses. */
export interface CidrClash {
  readonly cidr: Prefix;
  readonly lan: Prefix;
}

/** Which of a network's prefixes share addresses with prefixes that a host already has routes to. */
export function clashesWith(cidrs: readonly Prefix[], lanPrefixes: readonly Prefix[]): CidrClash[] {
  return cidrs.flatMap((cidr) => lanPrefixes.filter((lan) => prefixesOverlap(cidr, lan)).map((lan) => ({ cidr, lan })));
}

function checkCidr(text: string): Prefix {
  const cidr = parsePrefix(text);
  const shown = JSON.stringify(text.slice(0, 60));
  if (!cidr || !text.includes('/')) throw bad(`${shown} is no prefix: give for example 10.44.0.0/16 or fd12:3456::/64`);
  const length = prefixLength(cidr);
  const { shortest, longest } = LENGTHS[ipFamily(cidr)];
  if (length < shortest || length > longest) throw bad(`${shown} must have a length of ${shortest} to ${longest} bits`);
  const unusable = UNUSABLE.find((prefix) => prefixesOverlap(prefix, cidr));
  if (unusable) throw bad(`${shown} holds addresses that no node can have (${unusable}): take a private prefix`);
  const given = parseIpAddress(text.slice(0, text.indexOf('/')))!;
  if (ipToBytes(given).some((byte, i) => byte !== ipToBytes(prefixAddress(cidr))[i])) {
    throw bad(`${shown} has bits set behind its length: write ${cidr}`);
  }
  return cidr;
}

const isWithin = (inner: Prefix, outer: Prefix): boolean =>
  ipFamily(inner) === ipFamily(outer) &&
  prefixLength(inner) >= prefixLength(outer) &&
  makePrefix(prefixAddress(inner), prefixLength(outer)) === outer;

const bad = (message: string): WarrenError => new WarrenError('bad-request', message);
