import { type IpAddress, type NetworkId, type NodeId, WarrenError } from '@warren/base';
import { allocateAddresses } from '@warren/topology';
import type { NetworkRow } from '../store-api.js';
import type { Transaction } from './database.js';

/** How long a freed address stays unused, unless the caller says otherwise. */
export const ADDRESS_REST = 24 * 60 * 60_000;

/**
 * Gives a node its addresses: never used ones, else those that have rested longest and at least `rest` milliseconds
 * (invariant 12). Call it under the network's lock. @throws WarrenError `addresses-exhausted`.
 */
export async function takeAddresses(
  tx: Transaction,
  network: NetworkRow,
  nodeId: NodeId,
  rest: number,
): Promise<IpAddress[]> {
  const known = await knownAddresses(tx, network);
  const addresses = neverUsed(network, known) ?? (await longestRested(tx, network, known, rest));
  await tx.$executeRaw`
    INSERT INTO node_address (network_id, address, node_id, state)
    SELECT ${network.id}::uuid, address::inet, ${nodeId}::uuid, 'in-use' FROM unnest(${addresses}::text[]) AS a(address)
    ON CONFLICT (network_id, address) DO UPDATE SET node_id = excluded.node_id, state = 'in-use', rested_at = NULL`;
  return addresses;
}

/** Puts a node's addresses to rest. */
export async function restAddresses(tx: Transaction, networkId: NetworkId, nodeId: NodeId): Promise<void> {
  await tx.nodeAddress.updateMany({
    where: { networkId, nodeId },
    data: { state: 'resting', restedAt: new Date(), nodeId: null },
  });
}

/** Every address that a node of the network has or had, in one text: thousands of rows would cost ten times as much. */
async function knownAddresses(tx: Transaction, network: NetworkRow): Promise<Set<IpAddress>> {
  const [row] = await tx.$queryRaw<{ all: string | null }[]>`
    SELECT string_agg(host(address), ' ') AS all FROM node_address WHERE network_id = ${network.id}::uuid`;
  return new Set(row?.all ? (row.all.split(' ') as IpAddress[]) : []);
}

function neverUsed({ cidrs }: NetworkRow, known: ReadonlySet<IpAddress>): IpAddress[] | undefined {
  try {
    return allocateAddresses(cidrs, known);
  } catch (error) {
    if (error instanceof WarrenError && error.code === 'addresses-exhausted') return undefined;
    throw error;
  }
}

/** With the longest rested of each family offered again; a family that still has unused ones may also take those. */
async function longestRested(
  tx: Transaction,
  { id, cidrs }: NetworkRow,
  known: ReadonlySet<IpAddress>,
  rest: number,
): Promise<IpAddress[]> {
  const rows = await tx.$queryRaw<{ address: IpAddress }[]>`
    SELECT DISTINCT ON (family(address)) host(address) AS address FROM node_address
    WHERE network_id = ${id}::uuid AND rested_at <= ${new Date(Date.now() - rest)}
    ORDER BY family(address), rested_at`;
  const rested = new Set(rows.map(({ address }) => address));
  return allocateAddresses(cidrs, { has: (address) => known.has(address) && !rested.has(address) });
}
