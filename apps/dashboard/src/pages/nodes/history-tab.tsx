import { infiniteQueryOptions, useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { Schemas } from '@warren/client';
import { api, take } from '../../api/client.js';
import type { Node } from '../../api/queries.js';
import { Button } from '../../ui/button.js';
import { EmptyState, ErrorState, Skeleton } from '../../ui/states.js';
import { Time } from '../../ui/time.js';

type AuditEntry = Schemas['AuditEntry'];

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

/** What happened, in words; what is not here is told by its name. */
const ACTIONS: Readonly<Record<string, string>> = {
  'node.join': 'Joined',
  'node.rejoin': 'Joined again',
  'node.create': 'Added',
  'node.update': 'Changed',
  'node.approve': 'Approved',
  'node.disable': 'Disabled',
  'node.revoke': 'Revoked',
  'node.delete': 'Deleted',
  'node.expire': 'Its key ran out',
  'node.extend': 'Expiry of the key changed',
  'node.key-expiring': 'Its key runs out soon',
  'node.request-rotation': 'Another key was asked for',
  'node.rotate-key': 'Key changed',
  'node.end-key-overlap': 'The key before is no longer accepted',
  'node.take-over': 'An agent took over',
  'node.clone': 'A copy of its state directory was noticed',
  'node.clone-seen': 'The copy was dealt with',
  'bounce.withdraw': 'Held for dead: members were given another home',
  'bounce.restore': 'Back as a bounce',
  'config-key.create': 'Config key made',
  'config-key.delete': 'Config key taken away',
  'preshared-key.set': 'Preshared key set',
  'preshared-key.delete': 'Preshared key taken away',
};

/** Everything that was done to a node, the newest first. */
export function HistoryTab({ node }: { node: Node }) {
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(
    historyQuery(node.id),
  );
  if (error && !data) return <ErrorState error={error} onRetry={() => void refetch()} />;
  if (!data) return <Skeleton className="h-64 rounded-2xl" />;
  const entries = data.pages.flatMap(({ items }) => items);
  if (entries.length === 0) return <EmptyState title="Nothing is recorded of this node" />;
  return (
    <div className="flex flex-col gap-3">
      <ol className="rounded-2xl border border-line bg-surface">
        {entries.map((entry) => (
          <Entry key={entry.id} entry={entry} />
        ))}
      </ol>
      {hasNextPage && (
        <Button busy={isFetchingNextPage} onClick={() => void fetchNextPage()} className="self-center">
          Show older
        </Button>
      )}
      <p className="text-muted text-sm">
        All changes are in the{' '}
        <Link to="/log" search={{}} className="text-accent underline">
          log of changes
        </Link>
        .
      </p>
    </div>
  );
}

const Entry = ({ entry }: { entry: AuditEntry }) => (
  <li className="flex flex-wrap items-baseline gap-x-4 gap-y-1 border-line border-b px-4 py-3 last:border-b-0">
    <span className="w-28 text-muted text-sm">
      <Time at={entry.at} />
    </span>
    <div className="min-w-0 grow basis-60">
      <div className="font-medium">{ACTIONS[entry.action] ?? entry.action}</div>
      <Details details={entry.details} />
    </div>
    <span className="text-muted text-sm">{actorName(entry.actor)}</span>
  </li>
);

/** `user:admin` is `admin`; the rest as the log has it. */
const actorName = (actor: string): string => (actor.startsWith('user:') ? actor.slice(5) : actor);

const Details = ({ details }: { details: AuditEntry['details'] }) => {
  const shown = Object.entries(details);
  if (shown.length === 0) return null;
  return (
    <dl className="flex flex-wrap gap-x-4 gap-y-0.5 text-muted text-sm">
      {shown.map(([name, value]) => (
        <div key={name} className="flex min-w-0 gap-1.5">
          <dt>{name}</dt>
          <dd className="mono min-w-0 break-all">{typeof value === 'string' ? value : JSON.stringify(value)}</dd>
        </div>
      ))}
    </dl>
  );
};
