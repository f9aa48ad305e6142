import { networkId } from '@warren/base';
import type { Prisma } from '../gen/prisma/client.js';
import type { Page, PageQuery } from '../store-api.js';
import type { AuditFilter, AuditRow } from '../store-requests.js';
import { badRequest, isUuid } from './checks.js';
import type { Database } from './database.js';
import { pageLimit } from './pages.js';

/** Newest first; the cursor is the id of the last entry of the page before, so that new entries shift no page. */
export async function listAudit({ prisma }: Database, filter: AuditFilter & PageQuery = {}): Promise<Page<AuditRow>> {
  const limit = pageLimit(filter);
  const { cursor } = filter;
  if (cursor !== undefined && !/^\d{1,18}$/.test(cursor))
    throw badRequest('cursor must be the nextCursor of the page before');
  if (filter.networkId !== undefined && !isUuid(filter.networkId)) return { items: [], nextCursor: null };
  const rows = await prisma.auditLog.findMany({
    where: { AND: [cursor === undefined ? {} : { id: { lt: BigInt(cursor) } }, conditions(filter)] },
    orderBy: { id: 'desc' },
    take: limit + 1,
  });
  const items = rows.slice(0, limit).map((row) => ({
    id: String(row.id),
    at: row.at,
    actor: row.actor,
    action: row.action,
    networkId: row.networkId === null ? null : networkId(row.networkId),
    subject: row.subject,
    details: row.details as Readonly<Record<string, unknown>>,
  }));
  return { items, nextCursor: rows.length > limit ? items.at(-1)!.id : null };
}

const conditions = ({ networkId, action, actor, subject, since, until }: AuditFilter): Prisma.AuditLogWhereInput => ({
  ...(networkId === undefined ? {} : { networkId }),
  ...(action === undefined ? {} : { action: action.endsWith('.') ? { startsWith: action } : action }),
  ...(actor === undefined ? {} : { actor }),
  ...(subject === undefined ? {} : { subject }),
  ...(since === undefined && until === undefined
    ? {}
    : { at: { ...(since && { gte: since }), ...(until && { lt: until }) } }),
});
