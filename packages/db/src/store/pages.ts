import { fromBase64Url, toBase64Url } from '@warren/base';
import type { Page, PageQuery } from '../store-api.js';
import { badRequest } from './checks.js';

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 500;

/** A place in a list that is ordered by creation and then id; it stays good when its row is deleted. */
interface Position {
  readonly createdAt: Date;
  readonly id: string;
}

/** @throws WarrenError `bad-request` unless it is 1 to 500. */
export function pageLimit(query: PageQuery | undefined): number {
  const limit = query?.limit ?? DEFAULT_LIMIT;
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_LIMIT) return limit;
  throw badRequest(`limit must be 1 to ${MAX_LIMIT}, not ${limit}`);
}

/** What Prisma needs to read one page, one row more than asked, to know whether there is another. */
export function pageArguments(query: PageQuery | undefined) {
  const after = query?.cursor === undefined ? undefined : decodeCursor(query.cursor);
  return {
    take: pageLimit(query) + 1,
    orderBy: [{ createdAt: 'asc' as const }, { id: 'asc' as const }],
    where: after
      ? { OR: [{ createdAt: { gt: after.createdAt } }, { createdAt: after.createdAt, id: { gt: after.id } }] }
      : {},
  };
}

/** Cuts what `pageArguments` read to a page. */
export function toPage<R extends Position, T>(
  query: PageQuery | undefined,
  rows: readonly R[],
  map: (row: R) => T,
): Page<T> {
  const limit = pageLimit(query);
  const last = rows.length > limit ? rows[limit - 1] : undefined;
  return { items: rows.slice(0, limit).map(map), nextCursor: last ? encodeCursor(last) : null };
}

function encodeCursor({ createdAt, id }: Position): string {
  return toBase64Url(Buffer.from(`${createdAt.getTime()} ${id}`));
}

function decodeCursor(cursor: string): Position {
  const match = /^(\d{1,15}) ([\w-]{1,64})$/.exec(Buffer.from(fromBase64Url(cursor) ?? []).toString('utf8'));
  if (!match) throw badRequest('cursor must be the nextCursor of the page before');
  return { createdAt: new Date(Number(match[1])), id: match[2]! };
}
