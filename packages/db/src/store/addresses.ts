import { type IpAddress, type IpFamily, ipFamily, type NetworkId, type NodeId, WarrenError } from '@warren/base';
import {
  type AddressSpan,
  checkAddresses,
  lowestFree,
  mirrorOf,
  narrowestOf,
  poolsOf,
  type Reservation,
  spanKey,
  spansIn,
  spansOf,
} from '@warren/topology';
import type { NetworkRow } from '../store-api.js';
import { forgetHints, hintsOf } from './address-hints.js';
import { type AddressRecord, addressCounts, longestRested, readAddresses, takenIn } from './address-queries.js';
import type { Transaction } from './database.js';
import { readReservations } from './reservations.js';

/** How long a freed address stays unused, unless the caller says otherwise. */
export const ADDRESS_REST = 24 * 60 * 60_000;

/** Who is to have addresses. */
export interface Addressee {
  readonly id: NodeId;
  readonly name: string;
}

/** What a search for addresses goes by; made once a transaction. */
interface Search {
  readonly tx: Transaction;
  readonly network: NetworkRow;
  readonly node: Addressee;
  readonly reservations: readonly Reservation[];
  readonly rest: number;
}

/**
 * Gives a node its addresses, one of each family of the network: those asked for; else what is reserved for its name; else
 * out of the pools one that was never used, else the one that has rested longest and at least `rest` milliseconds
 * (invariant 12). Call it under the network's lock.
 * @param wanted checked here; a family that is left out is found as above.
 * @returns IPv4 first.
 * @throws WarrenError `addresses-exhausted`, `address-taken`, `bad-request`.
 */
export async function takeAddresses(
  tx: Transaction,
  network: NetworkRow,
  node: Addressee,
  rest: number,
  wanted: readonly IpAddress[] = [],
): Promise<IpAddress[]> {
  const search = { tx, network, node, rest, reservations: await readReservations(tx, network.id) };
  const fixed = wanted.length > 0 ? checkAddresses(wanted, network.cidrs) : [];
  if (fixed.length > 0) await requireFree(search, fixed);
  const v4 = ofFamily(fixed, 4) ?? (await findAddress(search, 4, undefined));
  const v6 = ofFamily(fixed, 6) ?? (await findAddress(search, 6, v4));
  const addresses = [v4, v6].filter((address) => address !== undefined);
  await putInUse(tx, network.id, node.id, addresses);
  return addresses;
}

/**
 * Gives a node other addresses than it has; a family that is left out stays as it is. Those that it had rest.
 * @param has what it has now.
 * @returns whether anything is other than before.
 * @throws WarrenError as `takeAddresses`.
 */
export async function moveAddresses(
  tx: Transaction,
  network: NetworkRow,
  node: Addressee & { readonly addresses: readonly IpAddress[] },
  wanted: readonly IpAddress[],
  rest: number,
): Promise<boolean> {
  const fixed = checkAddresses(wanted, network.cidrs);
  const fresh = fixed.filter((address) => !node.addresses.includes(address));
  if (fresh.length === 0) return false;
  const reservations = await readReservations(tx, network.id);
  await requireFree({ tx, network, node, rest, reservations }, fresh);
  const gone = node.addresses.filter((old) => fresh.some((address) => ipFamily(address) === ipFamily(old)));
  await tx.$executeRaw`
    UPDATE node_address SET state = 'resting', rested_at = ${new Date()}, node_id = NULL
    WHERE network_id = ${network.id}::uuid AND address = ANY(${gone}::text[]::inet[])`;
  await putInUse(tx, network.id, node.id, fresh);
  return true;
}

/** Puts a node's addresses to rest. */
export async function restAddresses(tx: Transaction, networkId: NetworkId, nodeId: NodeId): Promise<void> {
  await tx.nodeAddress.updateMany({
    where: { networkId, nodeId },
    data: { state: 'resting', restedAt: new Date(), nodeId: null },
  });
}

/** Writes that a node has these. Whoever calls has seen that nobody else does. */
async function putInUse(
  tx: Transaction,
  networkId: NetworkId,
  nodeId: NodeId,
  addresses: readonly IpAddress[],
): Promise<void> {
  await tx.$executeRaw`
    INSERT INTO node_address (network_id, address, node_id, state)
    SELECT ${networkId}::uuid, address::inet, ${nodeId}::uuid, 'in-use'
    FROM unnest(${addresses}::text[]) AS a(address)
    ON CONFLICT (network_id, address) DO UPDATE SET node_id = excluded.node_id, state = 'in-use', rested_at = NULL`;
}

/** @throws WarrenError `address-taken`, saying by whom. What is reserved for the node's own name need not rest. */
async function requireFree(
  { tx, network, node, reservations, rest }: Search,
  wanted: readonly IpAddress[],
): Promise<void> {
  const records = await readAddresses(tx, network.id, wanted);
  const reservationOf = narrowestOf(reservations);
  for (const address of wanted) {
    const reserved = reservationOf(address);
    const own = reserved?.name === node.name;
    if (reserved && !own) {
      const whom = reserved.name === null ? 'nobody' : `"${reserved.name}"`;
      throw taken(`${address} is reserved for ${whom} (${reserved.prefix}): choose another, or remove the reservation`);
    }
    const record = records.get(address);
    if (record) requireUnused(record, node, own ? 0 : rest);
  }
}

function requireUnused({ address, holder, restedAt }: AddressRecord, node: Addressee, rest: number): void {
  if (holder?.id === node.id) return;
  if (holder) throw taken(`${address} is in use by node "${holder.name}": choose another, or move that node first`);
  const until = restedAt && new Date(restedAt.getTime() + rest);
  if (!until || until.getTime() <= Date.now()) return;
  const advice = `choose another, or reserve it for "${node.name}" to use it at once`;
  throw taken(`${address} had another node and rests until ${until.toISOString()}: ${advice}`);
}

const taken = (message: string): WarrenError => new WarrenError('address-taken', message);

/** @returns undefined when the network has no such family. @throws WarrenError `addresses-exhausted`. */
async function findAddress(
  search: Search,
  family: IpFamily,
  v4: IpAddress | undefined,
): Promise<IpAddress | undefined> {
  const { tx, network, reservations, rest } = search;
  if (!network.cidrs.some((cidr) => ipFamily(cidr) === family)) return undefined;
  const reserved = await findReserved(search, family);
  if (reserved) return reserved;
  const spans = spansOf(
    network,
    family,
    reservations.map(({ prefix }) => prefix),
  );
  const mirrored = family === 6 && v4 ? mirrorOf(network.cidrs, v4, spans) : undefined;
  if (mirrored) {
    const record = (await readAddresses(tx, network.id, [mirrored])).get(mirrored);
    if (!record || hasRested(record, rest)) return mirrored;
  }
  return (
    (await neverUsed(tx, network, spans)) ??
    (await longestRested(tx, network.id, spans, rest)) ??
    exhausted(search, family, spans)
  );
}

const hasRested = ({ holder, restedAt }: AddressRecord, rest: number): boolean =>
  !holder && restedAt !== null && restedAt.getTime() + rest <= Date.now();

/** The lowest of what is reserved for this name and in nobody's use. */
async function findReserved(
  { tx, network, node, reservations }: Search,
  family: IpFamily,
): Promise<IpAddress | undefined> {
  const own = reservations.filter(({ name, prefix }) => name === node.name && ipFamily(prefix) === family);
  if (own.length === 0) return undefined;
  const reservationOf = narrowestOf(reservations);
  const spans = spansIn(
    own.map(({ prefix }) => prefix),
    network.cidrs,
  );
  const used = await takenIn(tx, network.id, spans, new Map(), 'in-use');
  const has = (address: IpAddress): boolean => used.has(address) || reservationOf(address)?.name !== node.name;
  return lowestFree(spans, { has })?.address;
}

/** Reads only what lies behind the last address that was found so: a network is filled from below. */
async function neverUsed(
  tx: Transaction,
  network: NetworkRow,
  spans: readonly AddressSpan[],
): Promise<IpAddress | undefined> {
  const hints = hintsOf(network);
  const found = lowestFree(spans, await takenIn(tx, network.id, spans, hints), hints);
  if (found) {
    hints.set(spanKey(found.span), found.offset);
    return found.address;
  }
  if (hints.size === 0) return undefined;
  // A transaction that came to nothing may have left a hint that is too high.
  forgetHints(network);
  return lowestFree(spans, await takenIn(tx, network.id, spans, new Map()))?.address;
}

async function exhausted(
  { tx, network, rest }: Search,
  family: IpFamily,
  spans: readonly AddressSpan[],
): Promise<never> {
  const whole = spansOf(network, family);
  const { inUse, resting, nextFree } = await addressCounts(tx, network.id, whole, rest);
  const count = (all: readonly AddressSpan[]): number =>
    all.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  const reserved = count(whole) - count(spans);
  const next = nextFree ? ` (the next is free at ${nextFree.toISOString()})` : '';
  throw new WarrenError(
    'addresses-exhausted',
    `no free address is left in ${poolsOf(network, family).join(', ')} of network "${network.name}": ` +
      `${inUse} in use, ${resting} resting${next}, ${reserved} reserved; ` +
      'delete nodes that are gone, add a pool, or renumber the network into a larger prefix',
  );
}

const ofFamily = (addresses: readonly IpAddress[], family: IpFamily): IpAddress | undefined =>
  addresses.find((address) => ipFamily(address) === family);
