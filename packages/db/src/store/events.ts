import { networkId } from '@warren/base';
import type { EventRow } from '../store-requests.js';
import { badRequest } from './checks.js';
import type { Database } from './database.js';

/** PostgreSQL's channel for "the audit log grew"; a trigger notifies. */
const EVENT_CHANNEL = 'warren_event';
const POSITION = /^(\d{1,19})-(\d{1,18})$/;
const START = '0-0';

interface Row {
  readonly id: string;
  readonly tx: string;
  readonly at: Date;
  readonly actor: string;
  readonly action: string;
  readonly network: string | null;
  readonly subject: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly settled: boolean;
}

/**
 * Entries after a position, in an order that no later commit can get behind: by transaction, and only those of
 * transactions below which none runs any more. `held` says that there are entries which wait for such.
 */
export async function eventsAfter(
  { sql }: Database,
  position: string,
  limit: number,
): Promise<{ events: readonly EventRow[]; held: boolean }> {
  const { tx, id } = parse(position);
  const rows = await sql<Row[]>`
    SELECT id::text, tx::text, at, actor, action, network_id AS network, subject, details,
      tx < pg_snapshot_xmin(pg_current_snapshot()) AS settled
    FROM audit_log WHERE (tx, id) > (${tx}::text::xid8, ${id}::text::bigint) ORDER BY tx, id LIMIT ${limit}`;
  const events = rows.filter(({ settled }) => settled).map(toEvent);
  return { events, held: events.length < rows.length };
}

/** The position of the newest settled entry. */
export async function eventTail({ sql }: Database): Promise<string> {
  const [row] = await sql<{ position: string }[]>`
    SELECT tx || '-' || id AS position FROM audit_log WHERE tx < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY tx DESC, id DESC LIMIT 1`;
  return row?.position ?? START;
}

/** Whether a position is one that this log has, or its start. Any text may be asked. */
export async function isEventPosition({ sql }: Database, position: string): Promise<boolean> {
  if (position === START) return true;
  const match = POSITION.exec(position);
  if (!match || BigInt(match[1]!) >= 2n ** 63n) return false;
  const rows = await sql`
    SELECT 1 FROM audit_log WHERE tx = ${match[1]!}::text::xid8 AND id = ${match[2]!}::text::bigint
      AND tx < pg_snapshot_xmin(pg_current_snapshot())`;
  return rows.length > 0;
}

/** Calls back when the log may have grown, and after a lost connection. */
export async function onEvent({ sql }: Database, listener: () => void): Promise<{ close(): Promise<void> }> {
  const { unlisten } = await sql.listen(EVENT_CHANNEL, listener, listener);
  return { close: unlisten };
}

function parse(position: string): { tx: string; id: string } {
  const match = POSITION.exec(position);
  if (!match) throw badRequest('a position of an event is its transaction and its number, with a dash between');
  return { tx: match[1]!, id: match[2]! };
}

const toEvent = ({ network, tx, settled: _, ...row }: Row): EventRow => ({
  ...row,
  networkId: network === null ? null : networkId(network),
  position: `${tx}-${row.id}`,
});
