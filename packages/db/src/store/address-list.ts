import { fromBase64Url, type IpAddress, type NetworkId, type NodeId, parsePrefix, toBase64Url } from '@warren/base';
import type { AddressRow, AddressSummary } from '../address-api.js';
import type { Page, PageQuery } from '../store-api.js';
import { badRequest, isUuid } from './checks.js';
import type { Database } from './database.js';
import { pageLimit } from './pages.js';

/** A place in a list in order of address; at the same one reservations (0) come before nodes (1). */
interface InetPosition {
  readonly at: string;
  readonly kind: number;
}

export const encodeInetCursor = ({ at, kind }: InetPosition): string => toBase64Url(Buffer.from(`${at} ${kind}`));

/** @throws WarrenError `bad-request`. */
export function decodeInetCursor(cursor: string): InetPosition {
  const match = /^([0-9a-f.:/]{2,50}) ([01])$/.exec(Buffer.from(fromBase64Url(cursor) ?? []).toString('utf8'));
  if (!match || !parsePrefix(match[1]!)) throw badRequest('cursor must be the nextCursor of the page before');
  return { at: match[1]!, kind: Number(match[2]) };
}

interface Columns {
  address: string;
  kind: number;
  state: 'in-use' | 'resting' | 'reserved';
  nodeId: NodeId | null;
  name: string | null;
  note: string | null;
  restedAt: Date | null;
}

/**
 * Every address that is not free, in order: what nodes have, what rests, what is reserved.
 * @throws WarrenError `bad-request` for limit or cursor.
 */
export async function listAddresses(
  { sql }: Database,
  networkId: NetworkId,
  filter: ({ readonly state?: AddressRow['state'] } & PageQuery) | undefined,
  rest: number,
): Promise<Page<AddressRow>> {
  if (!isUuid(networkId)) return { items: [], nextCursor: null };
  const limit = pageLimit(filter);
  const after = filter?.cursor === undefined ? undefined : decodeInetCursor(filter.cursor);
  const rows = await sql<Columns[]>`
    SELECT * FROM (
      SELECT prefix AS address, prefix::inet AS at, 0 AS kind, 'reserved' AS state, NULL::uuid AS "nodeId", name, note,
        NULL::timestamptz AS "restedAt"
      FROM address_reservation WHERE network_id = ${networkId}
      UNION ALL
      SELECT host(a.address), a.address, 1, a.state, node.id, node.name, NULL, a.rested_at
      FROM node_address a LEFT JOIN node ON node.id = a.node_id
      WHERE a.network_id = ${networkId} AND (a.state = 'in-use' OR a.rested_at > ${new Date(Date.now() - rest)})
    ) AS known
    WHERE true ${after ? sql`AND (at, kind) > (${after.at}::inet, ${after.kind})` : sql``}
      ${filter?.state ? sql`AND state = ${filter.state}` : sql``}
    ORDER BY at, kind LIMIT ${limit + 1}`;
  const last = rows.length > limit ? rows[limit - 1] : undefined;
  return {
    items: rows.slice(0, limit).map((row) => toAddressRow(row, rest)),
    nextCursor: last ? encodeInetCursor({ at: last.address, kind: last.kind }) : null,
  };
}

/** How many addresses of a network are in use, resting and reserved. */
export async function summariseAddresses(
  { sql }: Database,
  networkId: NetworkId,
  rest: number,
): Promise<AddressSummary> {
  if (!isUuid(networkId)) return { inUse: 0, resting: 0, reservations: 0, nextFree: null };
  const since = new Date(Date.now() - rest);
  const [row] = await sql<{ inUse: string; resting: string; reservations: string; oldest: Date | null }[]>`
    SELECT count(*) FILTER (WHERE state = 'in-use') AS "inUse", count(*) FILTER (WHERE rested_at > ${since}) AS resting,
      min(rested_at) FILTER (WHERE rested_at > ${since}) AS oldest,
      (SELECT count(*) FROM address_reservation WHERE network_id = ${networkId}) AS reservations
    FROM node_address WHERE network_id = ${networkId}`;
  return {
    inUse: Number(row?.inUse ?? 0),
    resting: Number(row?.resting ?? 0),
    reservations: Number(row?.reservations ?? 0),
    nextFree: row?.oldest ? new Date(row.oldest.getTime() + rest) : null,
  };
}

function toAddressRow({ address, state, nodeId, name, note, restedAt }: Columns, rest: number): AddressRow {
  if (state === 'reserved') return { address, state, name, note: note ?? '' };
  if (state === 'resting')
    return { address: address as IpAddress, state, until: new Date((restedAt?.getTime() ?? 0) + rest) };
  return { address: address as IpAddress, state, node: { id: nodeId!, name: name ?? '' } };
}
