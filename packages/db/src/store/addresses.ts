import {
  addressBits,
  type IpAddress,
  ipFamily,
  ipFromBytes,
  ipToBytes,
  type NetworkId,
  type NodeId,
  type Prefix,
  parsePrefix,
  prefixAddress,
  prefixContains,
  prefixesOverlap,
  prefixLength,
  WarrenError,
} from '@warren/base';
import type { NetworkRow } from '../store-api.js';
import { badRequest } from './checks.js';
import type { Transaction } from './database.js';

/** How long a freed address stays unused, unless the caller says otherwise. */
export const ADDRESS_REST = 24 * 60 * 60_000;

/** @returns canonical prefixes. @throws WarrenError `bad-request`. */
export function checkCidrs(given: readonly Prefix[]): Prefix[] {
  if (given.length === 0) throw badRequest('a network needs at least one CIDR, such as 10.44.0.0/16');
  const cidrs = given.map((text) => {
    const cidr = parsePrefix(text);
    if (!cidr) throw badRequest(`${JSON.stringify(text)} is no CIDR: write 10.44.0.0/16 or fd00:1::/64`);
    if (addressBits(cidr) - prefixLength(cidr) < 2) throw badRequest(`${cidr} has no room for nodes: use a larger one`);
    return cidr;
  });
  for (const [i, a] of cidrs.entries()) {
    for (const b of cidrs.slice(i + 1)) if (prefixesOverlap(a, b)) throw badRequest(`${a} and ${b} overlap`);
  }
  return cidrs;
}

interface KnownRow {
  address: string;
  restedAt: Date | null;
}

/**
 * Gives a node one address of each family that the network has: one never used, else the one that has rested
 * longest, at least `rest` milliseconds. Call it under the network's lock.
 * @throws WarrenError `addresses-exhausted`.
 */
export async function allocateAddresses(
  tx: Transaction,
  network: NetworkRow,
  nodeId: NodeId,
  rest: number,
): Promise<IpAddress[]> {
  const rows = await tx.$queryRaw<KnownRow[]>`
    SELECT host(address) AS address, rested_at AS "restedAt" FROM node_address
    WHERE network_id = ${network.id}::uuid ORDER BY rested_at`;
  const known = new Set(rows.map((row) => row.address));
  const rested = rows.filter((row) => row.restedAt && row.restedAt.getTime() <= Date.now() - rest);
  const addresses: IpAddress[] = [];
  for (const family of new Set(network.cidrs.map(ipFamily))) {
    const cidrs = network.cidrs.filter((cidr) => ipFamily(cidr) === family);
    const address = firstUnused(cidrs, known) ?? longestRested(cidrs, rested);
    if (!address) {
      const text = `network "${network.name}" has no free IPv${family} address: delete nodes and wait until their addresses have rested, or make a larger network`;
      throw new WarrenError('addresses-exhausted', text);
    }
    addresses.push(address);
  }
  for (const address of addresses) {
    await tx.$executeRaw`
      INSERT INTO node_address (network_id, address, node_id, state)
      VALUES (${network.id}::uuid, ${address}::inet, ${nodeId}::uuid, 'in-use')
      ON CONFLICT (network_id, address) DO UPDATE SET node_id = excluded.node_id, state = 'in-use', rested_at = NULL`;
  }
  return addresses.sort((a, b) => ipFamily(a) - ipFamily(b));
}

/** Puts a node's addresses to rest. */
export async function restAddresses(tx: Transaction, networkId: NetworkId, nodeId: NodeId): Promise<void> {
  await tx.nodeAddress.updateMany({
    where: { networkId, nodeId },
    data: { state: 'resting', restedAt: new Date(), nodeId: null },
  });
}

function firstUnused(cidrs: readonly Prefix[], known: ReadonlySet<string>): IpAddress | undefined {
  for (const cidr of cidrs) {
    const base = BigInt(`0x${Buffer.from(ipToBytes(prefixAddress(cidr))).toString('hex')}`);
    const bits = addressBits(cidr);
    const last = (1n << BigInt(bits - prefixLength(cidr))) - 1n;
    // The first address names the network (IPv4) or any router (IPv6), the last is IPv4's broadcast.
    for (let host = 1n; host < last; host++) {
      const bytes = Buffer.from((base + host).toString(16).padStart(bits / 4, '0'), 'hex');
      const address = ipFromBytes(bytes);
      if (!known.has(address)) return address;
    }
  }
  return undefined;
}

function longestRested(cidrs: readonly Prefix[], rested: readonly KnownRow[]): IpAddress | undefined {
  const found = rested.find(({ address }) => cidrs.some((cidr) => prefixContains(cidr, address as IpAddress)));
  return found?.address as IpAddress | undefined;
}
