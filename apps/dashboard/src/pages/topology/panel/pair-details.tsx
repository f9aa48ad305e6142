import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { RefreshCw } from 'lucide-react';
import { useState } from 'react';
import { messageOf } from '../../../api/client.js';
import { explanationQuery } from '../../../api/telemetry.js';
import { Button } from '../../../ui/button.js';
import { formatRate, formatRtt } from '../../../ui/format.js';
import { Facts } from '../../../ui/page.js';
import { PathBadge } from '../../../ui/path.js';
import { Skeleton } from '../../../ui/states.js';
import { Time } from '../../../ui/time.js';
import type { TopologyLink, TopologyNode } from '../model/mesh.js';
import { Explanation } from './explanation.js';

/** Another path has another explanation: `since` and `kind` are part of the question. */
const explainQuery = (asked: string, peer: string, link: TopologyLink | undefined) => {
  const asking = explanationQuery(asked, peer);
  return { ...asking, queryKey: [...asking.queryKey, link?.kind, link?.since], retry: false };
};

interface PairDetailsProps {
  readonly network: string;
  readonly node: TopologyNode;
  readonly peer: TopologyNode;
  readonly link: TopologyLink | undefined;
}

/** How packets of a pair go, and why not better. */
export function PairDetails({ network, node, peer, link }: PairDetailsProps) {
  return (
    <>
      <div className="flex flex-wrap items-center gap-2">
        {link ? (
          <PathBadge path={link} via={link.via} />
        ) : (
          <span className="text-muted">Nobody has reported a path yet.</span>
        )}
        {link && !link.agreed && <span className="text-sm text-warn">The two ends do not agree yet.</span>}
      </div>
      {link && (
        <Facts
          facts={[
            ['Round trip', link.rttMs === null ? 'not measured' : formatRtt(link.rttMs)],
            ['Traffic', link.rate >= 1 ? formatRate(link.rate) : 'none now'],
            ...(link.since ? [['Since', <Time key="since" at={link.since} />] as const] : []),
            ...(link.reason ? [['Not direct', link.reason] as const] : []),
          ]}
        />
      )}
      <Why {...{ node, peer, link }} />
      <div className="flex flex-wrap gap-x-4 gap-y-2">
        {[node, peer].map(({ id, name }) => (
          <Link
            key={id}
            to="/n/$network/nodes/$id"
            params={{ network, id }}
            search={{}}
            className="text-accent underline"
          >
            Open {name}
          </Link>
        ))}
      </div>
    </>
  );
}

const answers = ({ kind, online }: TopologyNode): boolean => kind === 'agent' && online === true;

/** Asked of one agent now; either of the two may know more. */
function Why({ node, peer, link }: Omit<PairDetailsProps, 'network'>) {
  const [swapped, setSwapped] = useState(false);
  const able = [node, peer].filter(answers);
  const asked = able[swapped && able.length > 1 ? 1 : 0];
  const other = asked === node ? peer : node;
  const query = useQuery({
    ...(explainQuery(asked?.id ?? '', other.id, link) as ReturnType<typeof explanationQuery>),
    enabled: asked !== undefined,
  });
  if (!asked) return <p className="text-muted">{whyNobody(node, peer)}</p>;
  return (
    <section aria-label="Why" className="flex flex-col gap-3">
      <header className="flex flex-wrap items-center gap-2">
        <h3 className="grow font-medium">Why, says {asked.name}</h3>
        {able.length > 1 && (
          <Button small tone="quiet" onClick={() => setSwapped(!swapped)}>
            Ask {other.name}
          </Button>
        )}
        <Button
          small
          busy={query.isFetching}
          icon={<RefreshCw aria-hidden size={14} />}
          onClick={() => void query.refetch()}
        >
          Ask again
        </Button>
      </header>
      {query.error ? (
        <p role="alert" className="rounded-lg border border-bad bg-bad-soft px-3 py-2 text-sm">
          {messageOf(query.error)}
        </p>
      ) : query.data ? (
        <Explanation explanation={query.data} asked={asked.name} other={other.name} />
      ) : (
        <div className="flex flex-col gap-2">
          <Skeleton className="h-5 w-full" />
          <Skeleton className="h-5 w-3/4" />
          <Skeleton className="h-24 w-full" />
        </div>
      )}
    </section>
  );
}

function whyNobody(node: TopologyNode, peer: TopologyNode): string {
  const agents = [node, peer].filter(({ kind }) => kind === 'agent');
  if (agents.length === 0)
    return 'Both are vanilla members: their packets go through a bounce, and no agent is there to ask.';
  const names = agents.map(({ name }) => name).join(' and ');
  return `Only an agent can say why, and ${names} ${agents.length > 1 ? 'are' : 'is'} not connected.`;
}
