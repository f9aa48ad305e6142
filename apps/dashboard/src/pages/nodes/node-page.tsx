import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { ArrowLeft } from 'lucide-react';
import { WarrenProblem } from '../../api/client.js';
import { type Node, nodeQuery } from '../../api/queries.js';
import { topologyQuery, useNodeTelemetry } from '../../api/telemetry.js';
import { Badge } from '../../ui/badge.js';
import { Page, useTitle } from '../../ui/page.js';
import { EmptyState, ErrorState, Skeleton } from '../../ui/states.js';
import { type Tab, Tabs } from '../../ui/tabs.js';
import { ConfTab } from './conf-tab.js';
import { HistoryTab } from './history-tab.js';
import { NetworkTab } from './network-tab.js';
import { NodeActions } from './node-actions.js';
import { NodeNotices } from './node-notices.js';
import { stateOf } from './node-state.js';
import { OverviewTab } from './overview-tab.js';
import { PathsTab } from './paths-tab.js';
import { PresharedKeysTab } from './preshared-keys-tab.js';
import { StateBadge } from './state-badge.js';
import { TrafficTab } from './traffic-tab.js';

const ROUTE = '/signed-in/n/$network/nodes/$id';

/** One node: what it is, whom it reaches and how, and everything that is done to it. */
export function NodePage() {
  const { network, id } = useParams({ from: ROUTE });
  const { data: node, error, refetch } = useQuery(nodeQuery(id));
  if (node) return <ShownNode key={node.id} network={network} node={node} />;
  if (error instanceof WarrenProblem && error.status === 404) return <GoneNode network={network} />;
  return (
    <Page title="Node" wide>
      {error ? (
        <ErrorState error={error} onRetry={() => void refetch()} />
      ) : (
        <div aria-busy className="flex flex-col gap-4">
          <Skeleton className="h-10" />
          <Skeleton className="h-72 rounded-2xl" />
        </div>
      )}
    </Page>
  );
}

function GoneNode({ network }: { network: string }) {
  useTitle('Node');
  return (
    <Page title="Node" wide>
      <EmptyState
        title="There is no such node"
        action={
          <Link to="/n/$network/nodes" params={{ network }} search={{}} className="text-accent underline">
            Show all nodes
          </Link>
        }
      >
        It was deleted, or it is of another network. The log of changes says what happened.
      </EmptyState>
    </Page>
  );
}

function ShownNode({ network, node }: { network: string; node: Node }) {
  const { tab = 'overview' } = useSearch({ from: ROUTE });
  const navigate = useNavigate();
  const telemetry = useNodeTelemetry(node.id);
  // Homes are of bounces and vanilla members only; a large topology is not asked for without need.
  const needed = node.role === 'bounce' || node.kind === 'vanilla';
  const topology = useQuery({ ...topologyQuery(network), enabled: needed }).data;
  const state = stateOf(node, telemetry.data);
  const tabs = tabsOf({ network, node, telemetry, topology, state });
  const show = (next: string): void =>
    void navigate({
      ...{ to: '/n/$network/nodes/$id', params: { network, id: node.id }, replace: true, resetScroll: false },
      search: next === 'overview' ? {} : { tab: next },
    });
  return (
    <Page
      title={node.name}
      lead={
        <span className="flex flex-wrap items-center gap-2">
          <Link
            to="/n/$network/nodes"
            params={{ network }}
            search={{}}
            className="mr-1 inline-flex items-center gap-1 hover:text-ink"
          >
            <ArrowLeft aria-hidden size={16} />
            Nodes
          </Link>
          <StateBadge state={state} />
          <Badge>{ROLES[node.role]}</Badge>
          {node.kind === 'vanilla' && <Badge>Vanilla member</Badge>}
          {node.ephemeral && <Badge>Ephemeral</Badge>}
        </span>
      }
      actions={<NodeActions network={network} node={node} topology={topology} />}
      wide
    >
      <NodeNotices network={network} node={node} topology={topology} />
      <Tabs
        label={`About ${node.name}`}
        tabs={tabs}
        value={tabs.some(({ id }) => id === tab) ? tab : 'overview'}
        onChange={show}
      />
    </Page>
  );
}

const ROLES = { bounce: 'Bounce', direct: 'Direct', client: 'Client' } as const;

interface TabFacts {
  readonly network: string;
  readonly node: Node;
  readonly telemetry: ReturnType<typeof useNodeTelemetry>;
  readonly topology: Parameters<typeof OverviewTab>[0]['topology'];
  readonly state: ReturnType<typeof stateOf>;
}

function tabsOf({ network, node, telemetry, topology, state }: TabFacts): Tab[] {
  const seen = telemetry.data;
  const paths = seen?.paths.length ?? 0;
  return [
    {
      id: 'overview',
      label: 'Overview',
      content: <OverviewTab network={network} node={node} seen={seen} topology={topology} state={state} />,
    },
    {
      id: 'paths',
      label: paths > 0 ? `Paths (${paths.toLocaleString('en')})` : 'Paths',
      content: <PathsTab network={network} node={node} telemetry={telemetry} />,
    },
    { id: 'network', label: 'NAT', content: <NetworkTab node={node} telemetry={telemetry} /> },
    { id: 'traffic', label: 'Traffic', content: <TrafficTab node={node} telemetry={telemetry} /> },
    { id: 'conf', label: 'Configuration', content: <ConfTab node={node} /> },
    {
      id: 'psk',
      label: 'Preshared keys',
      content: <PresharedKeysTab network={network} node={node} />,
    },
    { id: 'history', label: 'History', content: <HistoryTab node={node} /> },
  ];
}
