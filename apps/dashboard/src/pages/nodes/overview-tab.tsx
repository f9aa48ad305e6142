import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Node } from '../../api/queries.js';
import type { NodeTelemetry, Topology } from '../../api/telemetry.js';
import { Badge } from '../../ui/badge.js';
import { formatBytes, formatRate } from '../../ui/format.js';
import { Card, Facts } from '../../ui/page.js';
import { Time } from '../../ui/time.js';
import { homedAt, someOf } from './consequences.js';
import { Copyable } from './copyable.js';
import { NODE_STATES, type NodeState } from './node-state.js';

interface OverviewProps {
  readonly network: string;
  readonly node: Node;
  readonly seen: NodeTelemetry | undefined;
  readonly topology: Topology | undefined;
  readonly state: NodeState;
}

type Fact = readonly [name: string, value: ReactNode];

/** What a node is and whether it is there. */
export const OverviewTab = (props: OverviewProps) => (
  <div className="grid items-start gap-4 lg:grid-cols-2">
    <Card title="Member">
      <Facts facts={memberFacts(props)} />
    </Card>
    <div className="flex flex-col gap-4">
      <Card title="Now">
        <Facts facts={presenceFacts(props)} />
      </Card>
      <Card title="Keys">
        <Facts facts={keyFacts(props.node)} />
      </Card>
    </div>
  </div>
);

function memberFacts({ network, node, topology }: OverviewProps): Fact[] {
  return [
    [
      'Addresses',
      <div key="addresses" className="flex flex-col gap-2.5">
        {node.addresses.map((address) => (
          <Copyable key={address} text={address} what={`address ${address}`} />
        ))}
      </div>,
    ],
    [
      'Endpoint',
      node.endpoint === null ? (
        'None: it connects outwards'
      ) : (
        <Copyable key="endpoint" text={node.endpoint} what="endpoint" />
      ),
    ],
    ...(node.listenPort === null ? [] : [['Listens on', `UDP ${node.listenPort}`] as const]),
    ...(node.kind === 'vanilla' && node.role === 'client'
      ? [['Home', <Home key="home" network={network} node={node} topology={topology} />] as const]
      : []),
    ...(node.role === 'bounce' ? [['Home of', <HomeOf key="of" topology={topology} id={node.id} />] as const] : []),
    [
      'Tags',
      node.tags.length === 0 ? (
        'None'
      ) : (
        <span key="tags" className="flex flex-wrap gap-1">
          {node.tags.map((tag) => (
            <Link key={tag} to="/n/$network/nodes" params={{ network }} search={{ tag }} className="hover:underline">
              <Badge>{tag}</Badge>
            </Link>
          ))}
        </span>
      ),
    ],
    ['Runs', node.kind === 'agent' ? 'The agent' : 'An official WireGuard client'],
    ...(node.ephemeral ? [['Ephemeral', 'Removed some time after its agent went'] as const] : []),
    ['Joined', <Time key="joined" at={node.createdAt} />],
    ['Id', <Copyable key="id" text={node.id} what="id" />],
  ];
}

/** Who is reached through this bounce. */
const HomeOf = ({ topology, id }: { topology: Topology | undefined; id: string }) => {
  const names = homedAt(topology, id);
  return <>{topology === undefined ? '…' : names.length === 0 ? 'Nobody now' : someOf(names)}</>;
};

/** The bounce through which the others reach a vanilla member. */
function Home({ network, node, topology }: Pick<OverviewProps, 'network' | 'node' | 'topology'>) {
  if (!topology) return <>…</>;
  const id = topology.nodes.find((each) => each.id === node.id)?.home;
  const home = topology.nodes.find((each) => each.id === id);
  if (!home) return <>None: there is no bounce that could be its home</>;
  return (
    <Link to="/n/$network/nodes/$id" params={{ network, id: home.id }} search={{}} className="text-accent underline">
      {home.name}
    </Link>
  );
}

function presenceFacts({ node, seen, state }: OverviewProps): Fact[] {
  const lastSeen = seen?.lastSeenAt ?? node.lastSeenAt;
  const version = seen?.version ?? node.agentVersion;
  return [
    ['State', NODE_STATES[state].name],
    ...(seen?.connectedSince ? [['Connected', <Time key="since" at={seen.connectedSince} />] as const] : []),
    ...(seen?.address ? [['From', <Copyable key="from" text={seen.address} what="address" />] as const] : []),
    ...(state === 'online'
      ? []
      : [['Last seen', lastSeen === null ? 'Never' : <Time key="last" at={lastSeen} />] as const]),
    ...(node.kind === 'agent' ? [['Version', version ?? 'Not told yet'] as const] : []),
    ['Traffic now', seen ? `${formatRate(seen.rxRate)} in, ${formatRate(seen.txRate)} out` : '…'],
    ['Traffic so far', seen ? `${formatBytes(seen.rxBytes)} in, ${formatBytes(seen.txBytes)} out` : '…'],
  ];
}

function keyFacts(node: Node): Fact[] {
  return [
    [
      'Public key',
      node.publicKey === null ? 'Still to be told' : <Copyable key="public" text={node.publicKey} what="public key" />,
    ],
    ...(node.publicKey === null ? [] : [['In use since', <Time key="age" at={node.keyChangedAt} />] as const]),
    ...(node.overlapUntil === null
      ? []
      : [
          [
            'The one before',
            <span key="overlap">
              accepted, too; ends <Time at={node.overlapUntil} />
            </span>,
          ] as const,
        ]),
    ['Runs out', node.keyExpiresAt === null ? 'Never' : <Time key="expires" at={node.keyExpiresAt} />],
    ...(node.rotateGeneration === null ? [] : [['Rotation', 'Asked for; still to come'] as const]),
    ['Private key', 'Only where the node runs'],
  ];
}
