import { type IpAddress, ipFamily, type NetworkId, type NodeId, type Prefix, WarrenError } from '@warren/base';
import { allocateAddresses } from '@warren/topology';
import type { NetworkRow } from '../store-api.js';
import type { Transaction } from './database.js';

/** How long a freed address stays unused, unless the caller says otherwise. */
export const ADDRESS_REST = 24 * 60 * 60_000;

/** An address that some node has or had; with the time since when it rests. */
interface KnownRow {
  address: IpAddress;
  restedAt: Date | null;
}

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
  const rows = await tx.$queryRaw<KnownRow[]>`
    SELECT host(address) AS address, rested_at AS "restedAt" FROM node_address
    WHERE network_id = ${network.id}::uuid ORDER BY rested_at`;
  const addresses = neverUsed(network.cidrs, rows) ?? longestRested(network, rows, rest);
  for (const address of addresses) {
    await tx.$executeRaw`
      INSERT INTO node_address (network_id, address, node_id, state)
      VALUES (${network.id}::uuid, ${address}::inet, ${nodeId}::uuid, 'in-use')
      ON CONFLICT (network_id, address) DO UPDATE SET node_id = excluded.node_id, state = 'in-use', rested_at = NULL`;
  }
  return addresses;
}

/** Puts a node's addresses to rest. */
export async function restAddresses(tx: Transaction, networkId: NetworkId, nodeId: NodeId): Promise<void> {
  await tx.nodeAddress.updateMany({
    where: { networkId, nodeId },
    data: { state: 'resting', restedAt: new Date(), nodeId: null },
  });
}

function neverUsed(cidrs: readonly Prefix[], rows: readonly KnownRow[]): IpAddress[] | undefined {
  try {
    return allocateAddresses(cidrs, new Set(rows.map(({ address }) => address)));
  } catch (error) {
    if (error instanceof WarrenError && error.code === 'addresses-exhausted') return undefined;
    throw error;
  }
}

/** With the longest rested of each family offered again; a family that still has unused ones may also take those. */
function longestRested(network: NetworkRow, rows: readonly KnownRow[], rest: number): IpAddress[] {
  const rested = rows.filter(({ restedAt }) => restedAt !== null && restedAt.getTime() <= Date.now() - rest);
  const known = new Set(rows.map(({ address }) => address));
  for (const family of [4, 6]) {
    const first = rested.find(({ address }) => ipFamily(address) === family);
    if (first) known.delete(first.address);
  }
  return allocateAddresses(network.cidrs, known);
}
