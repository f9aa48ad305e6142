import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { ScrollText } from 'lucide-react';
import { useEffect, useMemo, useRef } from 'react';
import { live } from '../../api/live.js';
import { networksQuery } from '../../api/queries.js';
import { queryClient } from '../../api/query-client.js';
import { useActorNames } from '../../shell/actor-names.js';
import { Button } from '../../ui/button.js';
import { Page } from '../../ui/page.js';
import { EmptyState, ErrorState, Skeleton } from '../../ui/states.js';
import { LogEntry } from './log-entry.js';
import { LogFilters } from './log-filters.js';
import { entryOf, type LogFilter, logQuery, passes, searchText, withEntry } from './log-query.js';
import type { AuditEntry } from './sentences.js';

/** While a text is looked for, so many entries are read without being asked; then a button goes on. */
const READ_FOR_TEXT = 3_000;
const ENOUGH = 50;
/** So many are drawn at once; the others as they come into view. */
const DRAWN = 100;

export function LogPage() {
  const { q, ...filter } = useSearch({ from: '/signed-in/log' });
  const log = useLog(filter);
  const nameOf = useActorNames();
  const all = useMemo(() => log.data?.pages.flatMap(({ items }) => items) ?? [], [log.data]);
  const words = q?.toLowerCase().trim() ?? '';
  const shown = useMemo(
    () => (words === '' ? all : all.filter((entry) => searchText(entry, nameOf).includes(words))),
    [all, words, nameOf],
  );
  const { hasNextPage, isFetching, fetchNextPage } = log;
  const goOn = words !== '' && shown.length < ENOUGH && all.length < READ_FOR_TEXT;
  useEffect(() => {
    if (goOn && hasNextPage && !isFetching) void fetchNextPage();
  }, [goOn, hasNextPage, isFetching, fetchNextPage]);
  return (
    <Page title="Log of changes" lead="Who changed what, latest first. New entries appear by themselves.">
      <LogFilters />
      {log.isPending && <Loading />}
      {log.isError && <ErrorState error={log.error} onRetry={() => void log.refetch()} />}
      {log.data && <Entries entries={shown} nameOf={nameOf} searching={isFetching} />}
      {log.data && hasNextPage && (
        <More onMore={() => void fetchNextPage()} busy={isFetching} oldest={all.at(-1)} byItself={words === ''} />
      )}
    </Page>
  );
}

/** The list, and what is added to it while one looks. */
function useLog(filter: LogFilter) {
  const networks = useQuery(networksQuery).data;
  const networkId = networks?.find(({ id, name }) => name === filter.network || id === filter.network)?.id;
  const options = logQuery(filter);
  const { action, actor, subject, network } = filter;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the filter is a new object in each render; its parts are listed
  useEffect(
    () =>
      live.onEvent((event) => {
        const entry = entryOf(event);
        if (!entry || !passes(entry, filter, networkId)) return;
        queryClient.setQueryData(options.queryKey, (data) => withEntry(data, entry));
      }),
    [action, actor, subject, network, networkId],
  );
  return useInfiniteQuery(options);
}

function Entries({
  entries,
  nameOf,
  searching,
}: {
  entries: readonly AuditEntry[];
  nameOf: ReturnType<typeof useActorNames>;
  searching: boolean;
}) {
  if (entries.length === 0 && searching) return <Loading />;
  if (entries.length === 0)
    return (
      <EmptyState title="No such entries" icon={<ScrollText aria-hidden size={28} />}>
        Nothing in the log fits these filters. Take one away to see more.
      </EmptyState>
    );
  return (
    <ol aria-label="Entries" className="overflow-hidden rounded-2xl border border-line bg-surface">
      {entries.map((entry, index) => (
        <LogEntry key={entry.id} entry={entry} nameOf={nameOf} far={index >= DRAWN} />
      ))}
    </ol>
  );
}

const LINES = [70, 45, 60, 52, 66, 40, 58, 48];
const Loading = () => (
  <div className="overflow-hidden rounded-2xl border border-line bg-surface">
    {LINES.map((width) => (
      <div key={width} className="flex h-14 items-center border-line border-b px-4 last:border-b-0">
        <div style={{ width: `${width}%` }}>
          <Skeleton />
        </div>
      </div>
    ))}
  </div>
);

/** Goes on by itself when it comes into view, and by the button where it does not. */
function More({
  onMore,
  busy,
  oldest,
  byItself,
}: {
  onMore: () => void;
  busy: boolean;
  oldest: AuditEntry | undefined;
  byItself: boolean;
}) {
  const end = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!byItself || busy || !end.current) return;
    const observer = new IntersectionObserver(([seen]) => seen?.isIntersecting && onMore(), { rootMargin: '600px' });
    observer.observe(end.current);
    return () => observer.disconnect();
  }, [byItself, busy, onMore]);
  const since = oldest ? new Date(oldest.at).toLocaleDateString() : '';
  return (
    <div ref={end} className="flex justify-center">
      <Button onClick={onMore} busy={busy}>
        {byItself ? 'Show earlier entries' : `Looked back to ${since}. Look further back`}
      </Button>
    </div>
  );
}
