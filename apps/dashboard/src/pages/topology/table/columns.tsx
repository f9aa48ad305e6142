import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Badge } from '../../../ui/badge.js';
import { formatRate, formatRtt } from '../../../ui/format.js';
import { PATH_LOOKS, PathBadge, pathLook } from '../../../ui/path.js';
import { Time } from '../../../ui/time.js';
import type { TopologyNode } from '../model/mesh.js';
import { NODE_SHAPES, NODE_STATES, type NodeState, nodeShape, nodeState } from '../model/node-look.js';
import type { SortableLink, SortKey } from '../model/sorting.js';

export interface CellContext {
  readonly network: string;
  readonly select: (node: string, peer: string | undefined) => void;
}

export interface Column<Row> extends SortKey<Row> {
  readonly name: string;
  readonly cell: (row: Row, context: CellContext) => ReactNode;
  readonly right?: boolean;
}

const TONES: Record<NodeState, 'good' | 'bad' | 'warn' | 'neutral'> = {
  online: 'good',
  offline: 'bad',
  unseen: 'neutral',
  pending: 'warn',
  disabled: 'neutral',
  expired: 'bad',
};

const LINK = 'rounded text-left text-accent underline-offset-2 hover:underline';
const dash = <span className="text-muted">–</span>;

export const NODE_COLUMNS: readonly Column<TopologyNode>[] = [
  {
    id: 'name',
    name: 'Name',
    value: ({ name }) => name,
    cell: ({ id, name }, { select }) => (
      <button type="button" className={LINK} onClick={() => select(id, undefined)}>
        {name}
      </button>
    ),
  },
  {
    id: 'state',
    name: 'State',
    value: (node) => NODE_STATES[nodeState(node)],
    cell: (node) => <Badge tone={TONES[nodeState(node)]}>{NODE_STATES[nodeState(node)]}</Badge>,
  },
  {
    id: 'role',
    name: 'Role',
    value: (node) => NODE_SHAPES[nodeShape(node)],
    cell: (node) => NODE_SHAPES[nodeShape(node)],
  },
  {
    id: 'address',
    name: 'Address',
    value: ({ addresses }) => addresses[0] ?? null,
    cell: ({ addresses }) => <code>{addresses[0]}</code>,
  },
  {
    id: 'tags',
    name: 'Tags',
    value: ({ tags }) => tags.join(', ') || null,
    cell: ({ tags }) => tags.join(', ') || dash,
  },
  ...(['direct', 'relay', 'bounce', 'none'] as const).map(
    (kind): Column<TopologyNode> => ({
      id: kind,
      name: { direct: 'Direct', relay: 'Relayed', bounce: 'Bounced', none: 'No path' }[kind],
      value: ({ paths }) => paths[kind],
      cell: ({ paths }) => (paths[kind] === 0 ? dash : paths[kind].toLocaleString('en')),
      right: true,
    }),
  ),
  {
    id: 'traffic',
    name: 'Traffic',
    value: ({ rxRate, txRate }) => rxRate + txRate,
    cell: ({ rxRate, txRate }) => (rxRate + txRate < 1 ? dash : formatRate(rxRate + txRate)),
    right: true,
  },
  {
    id: 'seen',
    name: 'Last seen',
    value: ({ online, lastSeenAt }) => (online ? Number.MAX_SAFE_INTEGER : lastSeenAt ? Date.parse(lastSeenAt) : null),
    cell: ({ online, lastSeenAt }) => (online ? 'now' : lastSeenAt ? <Time at={lastSeenAt} /> : 'never'),
  },
  {
    id: 'page',
    name: 'Page',
    value: () => null,
    cell: ({ id, name }, { network }) => (
      <Link
        to="/n/$network/nodes/$id"
        params={{ network, id }}
        search={{}}
        aria-label={`Open the page of ${name}`}
        className={LINK}
      >
        Open
      </Link>
    ),
  },
];

const LOOKS = Object.keys(PATH_LOOKS);

export const LINK_COLUMNS: readonly Column<SortableLink>[] = [
  ...(['a', 'b'] as const).map(
    (end): Column<SortableLink> => ({
      id: end,
      name: end === 'a' ? 'Node' : 'Peer',
      value: (row) => row[end].name,
      cell: (row, { select }) => (
        <button type="button" className={LINK} onClick={() => select(row.link.a, row.link.b)}>
          {row[end].name}
        </button>
      ),
    }),
  ),
  {
    id: 'path',
    name: 'Path',
    value: ({ link }) => LOOKS.indexOf(pathLook(link)),
    cell: ({ link }) => <PathBadge path={link} via={link.via} />,
  },
  {
    id: 'rtt',
    name: 'Round trip',
    value: ({ link }) => link.rttMs,
    cell: ({ link }) => (link.rttMs === null ? dash : formatRtt(link.rttMs)),
    right: true,
  },
  {
    id: 'traffic',
    name: 'Traffic',
    value: ({ link }) => link.rate,
    cell: ({ link }) => (link.rate < 1 ? dash : formatRate(link.rate)),
    right: true,
  },
  {
    id: 'since',
    name: 'Since',
    value: ({ link }) => (link.since ? Date.parse(link.since) : null),
    cell: ({ link }) => (link.since ? <Time at={link.since} /> : dash),
  },
  {
    id: 'reason',
    name: 'Why not direct',
    value: ({ link }) => link.reason,
    cell: ({ link }) => <span className="text-muted">{link.reason ?? ''}</span>,
  },
];
