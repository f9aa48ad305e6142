import { infiniteQueryOptions, useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { api, take } from '../../api/client.js';
import type { Node } from '../../api/queries.js';
import { useActorNames } from '../../shell/actor-names.js';
import { LogEntry } from '../../shell/log/log-entry.js';
import { Button } from '../../ui/button.js';
import { EmptyState, ErrorState, Skeleton } from '../../ui/states.js';

const historyQuery = (subject: string) =>
  infiniteQueryOptions({
    queryKey: ['audit', 'node', subject],
    queryFn: ({ pageParam }) => {
      const query = { subject, limit: 50, ...(pageParam === undefined ? {} : { cursor: pageParam }) };
      return take(api.GET('/api/v1/audit', { params: { query } }));
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextCursor }) => nextCursor ?? undefined,
  });

/** Everything that was done to a node, the newest first. */
export function HistoryTab({ node }: { node: Node }) {
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(
    historyQuery(node.id),
  );
  const nameOf = useActorNames();
  if (error && !data) return <ErrorState error={error} onRetry={() => void refetch()} />;
  if (!data) return <Skeleton className="h-64 rounded-2xl" />;
  const entries = data.pages.flatMap(({ items }) => items);
  if (entries.length === 0) return <EmptyState title="Nothing is recorded of this node" />;
  return (
    <div className="flex flex-col gap-3">
      <ol className="rounded-2xl border border-line bg-surface">
        {entries.map((entry) => (
          <LogEntry key={entry.id} entry={entry} nameOf={nameOf} far={false} />
        ))}
      </ol>
      {hasNextPage && (
        <Button busy={isFetchingNextPage} onClick={() => void fetchNextPage()} className="self-center">
          Show older
        </Button>
      )}
      <p className="text-muted text-sm">
        The{' '}
        <Link to="/log" search={{ subject: node.id }} className="text-accent underline">
          log of changes
        </Link>{' '}
        filters and searches it.
      </p>
    </div>
  );
}
