import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useNodeTelemetry } from '../../../api/telemetry.js';
import { Badge } from '../../../ui/badge.js';
import { CopyButton } from '../../../ui/copy.js';
import { formatRate, formatRtt, plural } from '../../../ui/format.js';
import { Facts } from '../../../ui/page.js';
import { PATH_LOOKS, PathBadge, pathLook } from '../../../ui/path.js';
import { Sparkline } from '../../../ui/sparkline.js';
import { Time } from '../../../ui/time.js';
import { linksOf, type Mesh, otherEnd, type TopologyLink, type TopologyNode } from '../model/mesh.js';
import { NODE_SHAPES, NODE_STATES, nodeShape, nodeState } from '../model/node-look.js';
import { NatFacts } from './nat-facts.js';

const MOST_PEERS = 40;

interface NodeDetailsProps {
  readonly network: string;
  readonly mesh: Mesh;
  readonly node: TopologyNode;
  readonly onPeer: (id: string) => void;
}

export function NodeDetails({ network, mesh, node, onPeer }: NodeDetailsProps) {
  const telemetry = useNodeTelemetry(node.id).data;
  const points = telemetry?.traffic.points ?? [];
  const home = node.home === null ? undefined : mesh.nodes.get(node.home);
  return (
    <>
      <div className="flex flex-wrap items-center gap-1.5">
        <StateBadge node={node} />
        <Badge>{NODE_SHAPES[nodeShape(node)]}</Badge>
        {node.kind === 'vanilla' && node.role !== 'client' && <Badge>Vanilla member</Badge>}
        {node.tags.map((tag) => (
          <Badge key={tag} tone="accent">
            {tag}
          </Badge>
        ))}
      </div>
      {node.warnings.map(({ code, message }) => (
        <p key={`${code} ${message}`} className="rounded-lg border border-warn bg-warn-soft px-3 py-2 text-sm">
          {message}
        </p>
      ))}
      <Facts
        facts={[
          ['Address', <Addresses key="addresses" addresses={node.addresses} />],
          ...(node.endpoint ? [['Endpoint', <code key="endpoint">{node.endpoint}</code>] as const] : []),
          ['Last seen', <LastSeen key="seen" node={node} />],
          ...(home ? [['Reached through', home.name] as const] : []),
          ...(node.version ? [['Version', node.version] as const] : []),
          ['Traffic', `${formatRate(node.rxRate)} in, ${formatRate(node.txRate)} out`],
        ]}
      />
      {points.length > 1 && (
        <Sparkline
          values={points.map(([, rx, tx]) => (rx ?? 0) + (tx ?? 0))}
          label="Traffic in the last half hour"
          width={330}
          height={44}
        />
      )}
      {telemetry?.nat && <NatFacts nat={telemetry.nat} />}
      <Peers {...{ mesh, node, onPeer }} />
      <div className="flex flex-wrap gap-x-4 gap-y-2">
        <Link
          to="/n/$network/nodes/$id"
          params={{ network, id: node.id }}
          search={{}}
          className="text-accent underline"
        >
          Open the node’s page
        </Link>
        <Link
          to="/n/$network/topology"
          params={{ network }}
          search={{ view: 'table', list: 'links', q: node.name, node: node.id }}
          className="text-accent underline"
        >
          All its paths as a table
        </Link>
      </div>
    </>
  );
}

function StateBadge({ node }: { node: TopologyNode }) {
  const state = nodeState(node);
  const tone = {
    online: 'good',
    offline: 'bad',
    expired: 'bad',
    pending: 'warn',
    disabled: 'neutral',
    unseen: 'neutral',
  };
  return <Badge tone={tone[state] as 'good'}>{NODE_STATES[state]}</Badge>;
}

const Addresses = ({ addresses }: { addresses: readonly string[] }) => (
  <ul>
    {addresses.map((address) => (
      <li key={address} className="flex items-center gap-1">
        <code className="break-all">{address}</code>
        <CopyButton text={address} what={`Copy ${address}`} />
      </li>
    ))}
  </ul>
);

const LastSeen = ({ node }: { node: TopologyNode }) =>
  node.online ? 'now' : node.lastSeenAt ? <Time at={node.lastSeenAt} /> : 'never';

const LOOKS = Object.keys(PATH_LOOKS);
const badness = (link: TopologyLink): number => LOOKS.indexOf(pathLook(link));

/** Worst paths first: they are what somebody looks for. */
function Peers({ mesh, node, onPeer }: Omit<NodeDetailsProps, 'network'>) {
  const links = useMemo(
    () => linksOf(mesh, node.id).sort((a, b) => badness(b) - badness(a) || b.rate - a.rate),
    [mesh, node],
  );
  return (
    <section aria-label="Paths" className="flex flex-col gap-1">
      <h3 className="font-medium">{links.length === 0 ? 'No paths yet' : plural(links.length, 'path')}</h3>
      {links.length === 0 && (
        <p className="text-muted text-sm">
          {nodeState(node) === 'pending'
            ? 'It is in the network once it is approved.'
            : 'Paths appear as soon as its agent, or an agent that talks to it, reports them.'}
        </p>
      )}
      <ul className="-mx-2 flex flex-col">
        {links.slice(0, MOST_PEERS).map((link) => {
          const id = otherEnd(link, node.id);
          return (
            <li key={id}>
              <button
                type="button"
                onClick={() => onPeer(id)}
                className="flex min-h-9 w-full flex-wrap items-center gap-x-2 gap-y-0.5 rounded-lg px-2 py-1 text-left hover:bg-sunken"
              >
                <span className="min-w-0 grow truncate">{mesh.nodes.get(id)?.name ?? id}</span>
                <PathBadge path={link} via={link.via} />
                <span className="w-14 text-right text-muted text-sm tabular-nums">
                  {link.rttMs === null ? '' : formatRtt(link.rttMs)}
                </span>
              </button>
            </li>
          );
        })}
      </ul>
      {links.length > MOST_PEERS && (
        <p className="text-muted text-sm">{plural(links.length - MOST_PEERS, 'more path')} in the table.</p>
      )}
    </section>
  );
}
