import { lazy, Suspense } from 'react';
import type { Node } from '../../api/queries.js';
import type { useNodeTelemetry } from '../../api/telemetry.js';
import { formatBytes, formatRate } from '../../ui/format.js';
import { Card } from '../../ui/page.js';
import { EmptyState, ErrorState, Skeleton } from '../../ui/states.js';

const TrafficChart = lazy(() => import('./traffic-chart.js').then(({ TrafficChart }) => ({ default: TrafficChart })));

/** How much goes in and out of a node, inside the tunnel. */
export function TrafficTab({ node, telemetry }: { node: Node; telemetry: ReturnType<typeof useNodeTelemetry> }) {
  const { data, error, refetch } = telemetry;
  if (error && !data) return <ErrorState error={error} onRetry={() => void refetch()} />;
  if (!data) return <Skeleton className="h-80 rounded-2xl" />;
  const { points } = data.traffic;
  return (
    <div className="flex flex-col gap-4">
      <dl className="grid grid-cols-2 gap-3 md:grid-cols-4">
        <Figure name="In now" value={formatRate(data.rxRate)} />
        <Figure name="Out now" value={formatRate(data.txRate)} />
        <Figure name="In so far" value={formatBytes(data.rxBytes)} />
        <Figure name="Out so far" value={formatBytes(data.txBytes)} />
      </dl>
      {points.length < 2 ? (
        <EmptyState title="No traffic is recorded yet">
          {node.kind === 'vanilla'
            ? 'What its peers with agents measure appears here.'
            : 'Its agent reports it every minute while it is connected, and every two seconds while somebody looks.'}
        </EmptyState>
      ) : (
        <Card title="Inside the tunnel">
          <Suspense fallback={<Skeleton className="h-72" />}>
            <TrafficChart points={points} name={node.name} />
          </Suspense>
        </Card>
      )}
    </div>
  );
}

const Figure = ({ name, value }: { name: string; value: string }) => (
  <div className="rounded-2xl border border-line bg-surface px-4 py-3">
    <dt className="text-muted text-sm">{name}</dt>
    <dd className="font-semibold text-lg tabular-nums">{value}</dd>
  </div>
);
