import { infiniteQueryOptions } from '@tanstack/react-query';
import { api, take } from '../../api/client.js';
import type { LiveEvent } from '../../api/live-stream.js';
import { actorText } from '../../shell/actor.js';
import { type AuditEntry, sentenceOf } from '../../shell/log/sentences.js';

const PAGE = 100;

/** What the control plane filters by; `q` is looked for here. */
export interface LogFilter {
  readonly action?: string;
  readonly actor?: string;
  readonly subject?: string;
  readonly network?: string;
}

interface LogPage {
  readonly items: AuditEntry[];
  readonly nextCursor: string | null;
}

/** Latest first. Not of the family `audit`, which every event makes stale: what is new comes with its event. */
export const logQuery = (filter: LogFilter) =>
  infiniteQueryOptions({
    queryKey: ['log', filter],
    queryFn: ({ pageParam }): Promise<LogPage> =>
      take(
        api.GET('/api/v1/audit', {
          params: { query: { limit: PAGE, ...filter, ...(pageParam !== undefined && { cursor: pageParam }) } },
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextCursor }) => nextCursor ?? undefined,
    // Looked at anew each time: it may have gone on while nobody looked.
    staleTime: 0,
    gcTime: 0,
  });

/** The entry of the log that an event tells of; undefined: it is in no log. */
export function entryOf({ type, data }: LiveEvent): AuditEntry | undefined {
  const { auditId, at, actor, subject, networkId, details } = (data ?? {}) as Record<string, unknown>;
  if (typeof auditId !== 'string' && typeof auditId !== 'number') return undefined;
  if (typeof at !== 'string' || typeof actor !== 'string' || typeof subject !== 'string') return undefined;
  return {
    ...{ id: String(auditId), at, actor, subject, action: type },
    networkId: typeof networkId === 'string' ? networkId : null,
    details: typeof details === 'object' && details !== null ? (details as AuditEntry['details']) : {},
  };
}

/** As the control plane filters. @param networkId of the network that the filter names */
export function passes(entry: AuditEntry, filter: LogFilter, networkId: string | undefined): boolean {
  const { action, actor, subject, network } = filter;
  if (action !== undefined && !(action.endsWith('.') ? entry.action.startsWith(action) : entry.action === action))
    return false;
  if (network !== undefined && entry.networkId !== networkId) return false;
  return (actor === undefined || entry.actor === actor) && (subject === undefined || entry.subject === subject);
}

/** Puts an entry in front, once. */
export function withEntry<P>(data: { pages: LogPage[]; pageParams: P[] } | undefined, entry: AuditEntry): typeof data {
  const [first, ...rest] = data?.pages ?? [];
  if (!data || !first || first.items.some(({ id }) => id === entry.id)) return data;
  return { ...data, pages: [{ ...first, items: [entry, ...first.items] }, ...rest] };
}

/** Everything of an entry that can be read, in small letters. */
export function searchText(entry: AuditEntry, nameOf: Parameters<typeof actorText>[1]): string {
  const words = sentenceOf(entry).map((part) => {
    if (typeof part === 'string') return part;
    if (part.is === 'actor') return actorText(entry.actor, nameOf);
    if (part.is === 'code') return part.text;
    return part.name ?? '';
  });
  return [words.join(''), entry.action, entry.actor, entry.subject, JSON.stringify(entry.details)]
    .join(' ')
    .toLowerCase();
}
