import {
  addressBits,
  type IpAddress,
  ipFamily,
  type Prefix,
  parseIpAddress,
  parsePrefix,
  prefixAddress,
  prefixContains,
  prefixesOverlap,
  prefixLength,
  WarrenError,
} from '@warren/base';
import { isUsable } from './addressing.js';

/** More pools are a mistake. */
const MAX_POOLS = 32;

/**
 * Reads the prefixes out of which addresses shall be handed out.
 * @throws WarrenError `bad-request` for what is no prefix, lies outside the network, or overlaps another pool.
 */
export function checkPools(texts: readonly string[], cidrs: readonly Prefix[]): readonly Prefix[] {
  if (texts.length > MAX_POOLS) throw bad(`a network has at most ${MAX_POOLS} pools, not ${texts.length}`);
  const pools = texts.map((text) => checkWithin(text, cidrs, 'pool'));
  for (const [i, pool] of pools.entries()) {
    const other = pools.slice(0, i).find((earlier) => prefixesOverlap(earlier, pool));
    if (other) throw bad(`pool ${pool} overlaps pool ${other}: give each address once`);
    if (addressBits(pool) === prefixLength(pool) && !isUsable(cidrs, prefixAddress(pool))) {
      throw bad(`pool ${pool} is no address that a node can have: choose another`);
    }
  }
  return pools;
}

/** What somebody wants reserved. @throws WarrenError `bad-request` for what is no prefix or lies outside the network. */
export const checkReservation = (text: string, cidrs: readonly Prefix[]): Prefix =>
  checkWithin(text, cidrs, 'reservation');

/**
 * The addresses that somebody wants for a node.
 * @returns IPv4 first.
 * @throws WarrenError `bad-request` for none, two of a family, what is no address, or none that a node can have here.
 */
export function checkAddresses(texts: readonly string[], cidrs: readonly Prefix[]): readonly IpAddress[] {
  const addresses = texts.map((text) => {
    const address = parseIpAddress(text);
    const shown = JSON.stringify(text.slice(0, 60));
    if (!address) throw bad(`${shown} is no address: give for example 10.44.0.7`);
    if (isUsable(cidrs, address)) return address;
    const within = cidrs.find((cidr) => prefixContains(cidr, address));
    const why = within
      ? `the first and the last address of ${within} are no node's`
      : `it is not in ${cidrs.join(', ')}`;
    throw bad(`${address} cannot be a node's address here: ${why}`);
  });
  const families = addresses.map((address) => ipFamily(address));
  if (addresses.length === 0 || new Set(families).size < addresses.length) {
    throw bad('a node has one IPv4 and one IPv6 address: give one of either or of both');
  }
  return [...addresses].sort((a, b) => ipFamily(a) - ipFamily(b));
}

function checkWithin(text: string, cidrs: readonly Prefix[], what: string): Prefix {
  const prefix = parsePrefix(text);
  const shown = JSON.stringify(text.slice(0, 60));
  if (!prefix) throw bad(`${shown} is no ${what}: give for example 10.44.8.0/24, or one address`);
  const given = parseIpAddress(text.split('/')[0]!);
  if (given !== prefixAddress(prefix)) throw bad(`${what} ${shown} has bits set behind its length: write ${prefix}`);
  const inside = cidrs.some(
    (cidr) => prefixLength(cidr) <= prefixLength(prefix) && prefixContains(cidr, prefixAddress(prefix)),
  );
  if (!inside) throw bad(`${what} ${prefix} is not within the network's ${cidrs.join(', ')}`);
  return prefix;
}

const bad = (message: string): WarrenError => new WarrenError('bad-request', message);
