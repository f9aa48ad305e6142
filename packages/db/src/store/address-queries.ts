import type { IpAddress, NetworkId, NodeId } from '@warren/base';
import { type AddressSpan, endsOf, spanKey } from '@warren/topology';
import type { Addressee } from './addresses.js';
import type { Transaction } from './database.js';

/** What is known of one address that a node has or had. */
export interface AddressRecord {
  readonly address: IpAddress;
  /** Null: it rests, or has rested. */
  readonly holder: Addressee | null;
  readonly restedAt: Date | null;
}

/** What is known of these addresses; those that never had a node are left out. */
export async function readAddresses(
  tx: Transaction,
  networkId: NetworkId,
  addresses: readonly IpAddress[],
): Promise<Map<IpAddress, AddressRecord>> {
  const rows = await tx.$queryRaw<
    { address: IpAddress; id: NodeId | null; name: string | null; restedAt: Date | null }[]
  >`
    SELECT wanted.address, node.id, node.name, a.rested_at AS "restedAt"
    FROM unnest(${addresses}::text[]) AS wanted(address)
    JOIN node_address a ON a.network_id = ${networkId}::uuid AND a.address = wanted.address::inet
    LEFT JOIN node ON node.id = a.node_id`;
  return new Map(
    rows.map(({ address, id, name, restedAt }) => [
      address,
      { address, holder: id === null ? null : { id, name: name ?? '' }, restedAt },
    ]),
  );
}

/**
 * Every address in the spans that a node has or had, in one text: thousands of rows would cost ten times as much.
 * @param startAt where to begin, by `spanKey`.
 */
export async function takenIn(
  tx: Transaction,
  networkId: NetworkId,
  spans: readonly AddressSpan[],
  startAt: ReadonlyMap<string, number>,
  state?: 'in-use',
): Promise<Set<IpAddress>> {
  const { first, last } = ends(spans, startAt);
  const [row] = await tx.$queryRaw<{ all: string | null }[]>`
    SELECT string_agg(host(a.address), ' ') AS all
    FROM unnest(${first}::text[], ${last}::text[]) AS span(first, last)
    JOIN node_address a ON a.network_id = ${networkId}::uuid
      AND a.address >= span.first::inet AND a.address <= span.last::inet
    WHERE ${state ?? null}::text IS NULL OR a.state = ${state ?? null}`;
  return new Set(row?.all ? (row.all.split(' ') as IpAddress[]) : []);
}

/** @returns undefined when nothing has rested for `rest` milliseconds. */
export async function longestRested(
  tx: Transaction,
  networkId: NetworkId,
  spans: readonly AddressSpan[],
  rest: number,
): Promise<IpAddress | undefined> {
  const { first, last } = ends(spans);
  const [row] = await tx.$queryRaw<{ address: IpAddress }[]>`
    SELECT host(a.address) AS address
    FROM unnest(${first}::text[], ${last}::text[]) AS span(first, last)
    JOIN node_address a ON a.network_id = ${networkId}::uuid
      AND a.address >= span.first::inet AND a.address <= span.last::inet
    WHERE a.rested_at <= ${new Date(Date.now() - rest)}
    ORDER BY a.rested_at, a.address LIMIT 1`;
  return row?.address;
}

/** How many addresses of the spans are in use and resting, and when the first of those may be used again. */
export async function addressCounts(
  tx: Transaction,
  networkId: NetworkId,
  spans: readonly AddressSpan[],
  rest: number,
): Promise<{ inUse: number; resting: number; nextFree: Date | undefined }> {
  const { first, last } = ends(spans);
  const [row] = await tx.$queryRaw<{ inUse: bigint; resting: bigint; oldest: Date | null }[]>`
    SELECT count(*) FILTER (WHERE a.state = 'in-use') AS "inUse",
      count(*) FILTER (WHERE a.rested_at > ${new Date(Date.now() - rest)}) AS resting,
      min(a.rested_at) FILTER (WHERE a.rested_at > ${new Date(Date.now() - rest)}) AS oldest
    FROM unnest(${first}::text[], ${last}::text[]) AS span(first, last)
    JOIN node_address a ON a.network_id = ${networkId}::uuid
      AND a.address >= span.first::inet AND a.address <= span.last::inet`;
  return {
    inUse: Number(row?.inUse ?? 0),
    resting: Number(row?.resting ?? 0),
    nextFree: row?.oldest ? new Date(row.oldest.getTime() + rest) : undefined,
  };
}

/** Spans as two lists of addresses, as SQL takes them. */
function ends(spans: readonly AddressSpan[], startAt: ReadonlyMap<string, number> = new Map()) {
  const pairs = spans.flatMap((span) => {
    const from = Math.max(span.first, startAt.get(spanKey(span)) ?? 0);
    return from <= span.last ? [endsOf(span, from)] : [];
  });
  return { first: pairs.map(([address]) => address), last: pairs.map(([, address]) => address) };
}
