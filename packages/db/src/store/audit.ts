import { type NetworkId, networkId } from '@warren/base';
import type { AuditRow, Page, PageQuery } from '../store-api.js';
import { badRequest } from './checks.js';
import type { Database } from './database.js';
import { pageLimit } from './pages.js';

/** Newest first; the cursor is the id of the last entry of the page before. */
export async function listAudit({ prisma }: Database, page?: PageQuery): Promise<Page<AuditRow>> {
  const limit = pageLimit(page);
  const cursor = page?.cursor;
  if (cursor !== undefined && !/^\d{1,18}$/.test(cursor))
    throw badRequest('cursor must be the nextCursor of the page before');
  const rows = await prisma.auditLog.findMany({
    where: cursor === undefined ? {} : { id: { lt: BigInt(cursor) } },
    orderBy: { id: 'desc' },
    take: limit + 1,
  });
  const items = rows.slice(0, limit).map((row) => ({
    id: String(row.id),
    at: row.at,
    actor: row.actor,
    action: row.action,
    networkId: row.networkId === null ? null : (networkId(row.networkId) as NetworkId),
    subject: row.subject,
    details: row.details as Readonly<Record<string, unknown>>,
  }));
  return { items, nextCursor: rows.length > limit ? items.at(-1)!.id : null };
}
