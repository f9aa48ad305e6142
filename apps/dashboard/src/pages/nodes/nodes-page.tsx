import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { useDeferredValue, useMemo } from 'react';
import { nodesQuery } from '../../api/queries.js';
import { trafficQuery, useTopology } from '../../api/telemetry.js';
import { FirstSteps } from '../../shell/first-steps.js';
import { Button } from '../../ui/button.js';
import { plural } from '../../ui/format.js';
import { Page } from '../../ui/page.js';
import { EmptyState, ErrorState, Skeleton } from '../../ui/states.js';
import { BulkBar } from './bulk-bar.js';
import { byName, entriesOf, type NodeEntry, type NodeFilter, selectEntries, tagsOf } from './node-list.js';
import { NodeTable } from './node-table.js';
import { NodeToolbar } from './node-toolbar.js';
import { useSelection } from './selection.js';

const ADD_LINK =
  'inline-flex h-10 items-center justify-center gap-2 rounded-lg bg-accent px-4 font-medium text-accent-ink hover:brightness-110';

/** All nodes of a network. */
export function NodesPage() {
  const { network } = useParams({ from: '/signed-in/n/$network/nodes' });
  const filter = useSearch({ from: '/signed-in/n/$network/nodes' });
  const navigate = useNavigate();
  const nodes = useQuery(nodesQuery(network));
  const topology = useTopology(network);
  const traffic = useQuery(trafficQuery(network));
  const sorted = useMemo(() => byName(nodes.data ?? []), [nodes.data]);
  const seen = useMemo(() => new Map(topology.data?.nodes.map((node) => [node.id, node])), [topology.data?.nodes]);
  const entries = useMemo(() => entriesOf(sorted, seen), [sorted, seen]);
  const deferred = useDeferredValue(filter);
  const shown = useMemo(() => selectEntries(entries, deferred), [entries, deferred]);
  const tags = useMemo(() => tagsOf(sorted), [sorted]);
  const selection = useSelection(shown);
  // One filter changed is no place to go back to.
  const change = (next: NodeFilter): void =>
    void navigate({ to: '/n/$network/nodes', params: { network }, search: next, replace: true, resetScroll: false });

  return (
    <Page title="Nodes" lead={leadOf(entries, nodes.isPending)} actions={<AddLink network={network} />} wide>
      {nodes.error && !nodes.data ? (
        <ErrorState error={nodes.error} onRetry={() => void nodes.refetch()} />
      ) : nodes.isPending ? (
        <ListSkeleton />
      ) : entries.length === 0 ? (
        <FirstSteps network={network} />
      ) : (
        <>
          <NodeToolbar filter={filter} onChange={change} tags={tags} entries={entries} />
          {shown.length === 0 ? (
            <EmptyState title="No node matches" action={<Button onClick={() => change({})}>Show all nodes</Button>}>
              {plural(entries.length, 'node')} of this network are hidden by search and filters.
            </EmptyState>
          ) : (
            <NodeTable
              network={network}
              entries={shown}
              filter={filter}
              onChange={change}
              selection={selection}
              traffic={traffic.data}
            />
          )}
          <BulkBar selection={selection} nodes={sorted} topology={topology.data} />
        </>
      )}
    </Page>
  );
}

const AddLink = ({ network }: { network: string }) => (
  <Link to="/n/$network/add" params={{ network }} search={{}} className={ADD_LINK}>
    <Plus aria-hidden size={18} />
    Add a peer
  </Link>
);

function leadOf(entries: readonly NodeEntry[], pending: boolean): string {
  if (pending) return 'Loading';
  const members = entries.filter(({ state }) => state !== 'revoked');
  const online = members.filter(({ state }) => state === 'online').length;
  return `${plural(members.length, 'node')}, ${online.toLocaleString('en')} online`;
}

const ListSkeleton = () => (
  <div aria-busy className="flex flex-col gap-3">
    <Skeleton className="h-10" />
    <Skeleton className="h-[28rem] rounded-2xl" />
  </div>
);
