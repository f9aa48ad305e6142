import { getRouteApi } from '@tanstack/react-router';
import { lazy, Suspense, useDeferredValue, useMemo } from 'react';
import { FirstSteps } from '../../shell/first-steps.js';
import { useTitle } from '../../ui/page.js';
import { ErrorState, Skeleton } from '../../ui/states.js';
import { Graph } from './graph.js';
import { findAttention } from './model/attention.js';
import { countLooks, filterMesh, matcher } from './model/filter.js';
import { countMesh, describeMesh } from './model/summary.js';
import { SelectionPanel } from './panel/selection-panel.js';
import { Toolbar } from './toolbar.js';
import { useTopology } from './use-topology.js';
import { useView } from './use-view.js';

const TopologyTable = lazy(() =>
  import('./table/topology-table.js').then((module) => ({ default: module.TopologyTable })),
);

const route = getRouteApi('/signed-in/n/$network/topology');

export function TopologyPage() {
  const { network } = route.useParams();
  useTitle(`Topology of ${network}`);
  return <NetworkTopology key={network} network={network} />;
}

function NetworkTopology({ network }: { network: string }) {
  const { query, store, positions, version } = useTopology(network);
  const { search, filter, set } = useView();
  const { structure } = store;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the mesh changes in place; `structure` tells when
  const shown = useMemo(() => filterMesh(store.mesh, filter), [store, structure, filter]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: as above
  const counts = useMemo(() => countLooks(store.mesh), [store, structure]);
  const matches = useMemo(() => matcher(search.q), [search.q]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `version` grows with every number that is shown
  const totals = useMemo(() => countMesh(store.mesh), [store, version]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: as above
  const attention = useMemo(() => findAttention(store.mesh), [store, structure]);
  const description = useDeferredValue(describeMesh(totals, attention));
  const empty = query.data !== undefined && totals.nodes === 0 && query.data.topology.nodes.length === 0;
  const table = search.view === 'table';
  return (
    <div className="flex h-[calc(100dvh-3rem)] min-h-96 flex-col lg:h-dvh">
      <Toolbar network={network} search={search} set={set} totals={totals} counts={counts} mesh={store.mesh} />
      <p className="sr-only" role="status">
        {query.data ? description : 'Loading the topology.'}
      </p>
      <div className="flex min-h-0 grow flex-col lg:flex-row">
        {query.error && !query.data ? (
          <div className="w-full p-4">
            <ErrorState error={query.error} onRetry={() => void query.refetch()} />
          </div>
        ) : empty ? (
          <EmptyNetwork network={network} />
        ) : !query.data || !positions ? (
          <Loading />
        ) : table ? (
          <Suspense fallback={<Loading />}>
            <TopologyTable {...{ network, store, version, shown, matches, search, set }} />
          </Suspense>
        ) : (
          <Graph
            {...{ network, store, positions, shown, matches, counts, attention, description, search, filter, set }}
          />
        )}
        <SelectionPanel {...{ network, store, version, search, set }} />
      </div>
    </div>
  );
}

const Loading = () => (
  <div className="flex w-full flex-col gap-3 p-4">
    <Skeleton className="h-full w-full" />
  </div>
);

const EmptyNetwork = ({ network }: { network: string }) => (
  <div className="grow overflow-y-auto p-4">
    <div className="mx-auto max-w-3xl">
      <FirstSteps network={network} />
    </div>
  </div>
);
