import {
  addressBits,
  type NetworkId,
  type Prefix,
  parsePrefix,
  prefixAddress,
  prefixLength,
  WarrenError,
} from '@warren/base';
import { checkReservation, type Reservation } from '@warren/topology';
import type { ReservationRow } from '../address-api.js';
import type { Actor, NetworkRow, Page, PageQuery } from '../store-api.js';
import { decodeInetCursor, encodeInetCursor } from './address-list.js';
import { badRequest, checkName, isUuid, networkNotFound } from './checks.js';
import { type Database, type Transaction, transaction } from './database.js';
import { writeAudit } from './network-change.js';
import { pageLimit } from './pages.js';
import { toNetworkRow } from './rows.js';

/** Each is looked at whenever a node joins. */
const MAX_RESERVATIONS = 1_000;
const LONGEST_NOTE = 200;

/** All of a network, for a search for addresses. */
export async function readReservations(tx: Transaction, networkId: NetworkId): Promise<Reservation[]> {
  const rows = await tx.addressReservation.findMany({ where: { networkId }, select: { prefix: true, name: true } });
  return rows.map(({ prefix, name }) => ({ prefix: parsePrefix(prefix)!, name }));
}

/**
 * Keeps a prefix or an address from being handed out by itself. Nobody else sees it, so the network's revision stays.
 * @throws WarrenError `not-found`, `bad-request`, `reservation-exists`, `too-many-reservations`.
 */
export async function createReservation(
  database: Database,
  networkId: NetworkId,
  input: { readonly prefix: string; readonly name?: string | null; readonly note?: string },
  actor: Actor,
): Promise<ReservationRow> {
  const { name = null, note = '' } = input;
  if (name !== null) checkName('node', name);
  if (note.length > LONGEST_NOTE || /\p{Cc}/u.test(note)) {
    throw badRequest(`a note is one line of at most ${LONGEST_NOTE} characters`);
  }
  return transaction(database, async (tx) => {
    const network = await lockNetwork(tx, networkId);
    const prefix = reservationText(checkReservation(input.prefix, network.cidrs));
    const known = await tx.addressReservation.findMany({ where: { networkId }, select: { prefix: true, name: true } });
    const same = known.find((row) => row.prefix === prefix);
    if (same) {
      const whom = same.name === null ? '' : ` for "${same.name}"`;
      throw new WarrenError(
        'reservation-exists',
        `${prefix} is reserved already${whom}: remove that reservation first`,
      );
    }
    if (known.length >= MAX_RESERVATIONS) {
      const text = `network "${network.name}" has ${MAX_RESERVATIONS} reservations, the most that there can be: reserve prefixes`;
      throw new WarrenError('too-many-reservations', text);
    }
    const row = await tx.addressReservation.create({ data: { networkId, prefix, name, note } });
    const audit = { action: 'network.reserve', subject: network.name, details: { prefix, name, note } };
    await writeAudit(tx, networkId, audit, actor);
    return toReservationRow(row);
  });
}

/** @throws WarrenError `not-found`, `bad-request`. */
export async function deleteReservation(
  database: Database,
  networkId: NetworkId,
  text: string,
  actor: Actor,
): Promise<void> {
  const parsed = parsePrefix(text);
  if (!parsed) throw badRequest(`${JSON.stringify(text.slice(0, 60))} is no prefix and no address`);
  const prefix = reservationText(parsed);
  await transaction(database, async (tx) => {
    const network = await lockNetwork(tx, networkId);
    const { count } = await tx.addressReservation.deleteMany({ where: { networkId, prefix } });
    if (count === 0) {
      const text = `nothing is reserved as ${prefix}: see \`warren network reservations ${network.name}\``;
      throw new WarrenError('not-found', text);
    }
    await writeAudit(tx, networkId, { action: 'network.unreserve', subject: network.name, details: { prefix } }, actor);
  });
}

/** In order of address. @throws WarrenError `bad-request` for limit or cursor. */
export async function listReservations(
  { sql }: Database,
  networkId: NetworkId,
  page?: PageQuery,
): Promise<Page<ReservationRow>> {
  if (!isUuid(networkId)) return { items: [], nextCursor: null };
  const limit = pageLimit(page);
  const after = page?.cursor === undefined ? undefined : decodeInetCursor(page.cursor).at;
  const rows = await sql<ReservationColumns[]>`
    SELECT prefix, name, note, created_at AS "createdAt" FROM address_reservation
    WHERE network_id = ${networkId} ${after === undefined ? sql`` : sql`AND prefix::inet > ${after}::inet`}
    ORDER BY prefix::inet LIMIT ${limit + 1}`;
  const last = rows.length > limit ? rows[limit - 1] : undefined;
  return {
    items: rows.slice(0, limit).map(toReservationRow),
    nextCursor: last ? encodeInetCursor({ at: last.prefix, kind: 0 }) : null,
  };
}

/** An address is written as one, without its length. */
export const reservationText = (prefix: Prefix): string =>
  prefixLength(prefix) === addressBits(prefix) ? prefixAddress(prefix) : prefix;

/** Joins wait until what was decided is committed. @throws WarrenError `not-found`. */
async function lockNetwork(tx: Transaction, id: NetworkId): Promise<NetworkRow> {
  if (!isUuid(id)) throw networkNotFound(id);
  await tx.$queryRaw`SELECT 1 FROM network WHERE id = ${id}::uuid FOR UPDATE`;
  const row = await tx.network.findUnique({ where: { id } });
  if (!row) throw networkNotFound(id);
  return toNetworkRow(row);
}

interface ReservationColumns {
  prefix: string;
  name: string | null;
  note: string;
  createdAt: Date;
}

const toReservationRow = ({ prefix, name, note, createdAt }: ReservationColumns): ReservationRow => ({
  ...{ prefix, name, note, createdAt },
});
