import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import type { Node } from '../../api/queries.js';
import type { NodePath, useNodeTelemetry } from '../../api/telemetry.js';
import { ExplanationView } from '../../shell/explanation.js';
import { Button } from '../../ui/button.js';
import { Dialog } from '../../ui/dialog.js';
import { Input } from '../../ui/field.js';
import { formatBytes, formatRtt } from '../../ui/format.js';
import { PathBadge } from '../../ui/path.js';
import { EmptyState, ErrorState, Skeleton } from '../../ui/states.js';
import { Table, Td, Th, Tr } from '../../ui/table.js';
import { Time } from '../../ui/time.js';

interface PathsProps {
  readonly network: string;
  readonly node: Node;
  readonly telemetry: ReturnType<typeof useNodeTelemetry>;
}

/** So many rows at first, and more with each press. */
const PAGE = 100;
const RANK: Record<NodePath['kind'], number> = { none: 0, relay: 1, bounce: 2, direct: 3 };
const collator = new Intl.Collator('en', { numeric: true });

/** Whom a node reaches and how; what could be better comes first. */
export function PathsTab({ network, node, telemetry }: PathsProps) {
  const [q, setQ] = useState('');
  const [most, setMost] = useState(PAGE);
  const { data, error, refetch } = telemetry;
  const sorted = useMemo(
    () =>
      [...(data?.paths ?? [])].sort(
        (a, b) => RANK[a.kind] - RANK[b.kind] || collator.compare(a.peer.name, b.peer.name),
      ),
    [data?.paths],
  );
  if (error && !data) return <ErrorState error={error} onRetry={() => void refetch()} />;
  if (!data) return <Skeleton className="h-64 rounded-2xl" />;
  if (sorted.length === 0) return <NoPaths node={node} />;
  const word = q.trim().toLowerCase();
  const found = word === '' ? sorted : sorted.filter(({ peer }) => peer.name.includes(word));
  return (
    <div className="flex flex-col gap-3">
      <Input
        type="search"
        aria-label="Search peers"
        placeholder="Search peers"
        value={q}
        onChange={(event) => setQ(event.target.value)}
        className="max-w-sm"
      />
      {found.length === 0 ? (
        <EmptyState title="No peer matches" action={<Button onClick={() => setQ('')}>Show all peers</Button>} />
      ) : (
        <PathTable network={network} node={node} paths={found.slice(0, most)} />
      )}
      {found.length > most && (
        <Button onClick={() => setMost(most + PAGE)} className="self-center">
          Show more of {found.length.toLocaleString('en')}
        </Button>
      )}
      <ExplanationDialog network={network} node={node} paths={sorted} />
    </div>
  );
}

const NoPaths = ({ node }: { node: Node }) => (
  <EmptyState title="No paths are reported">
    {node.kind === 'vanilla'
      ? 'Its peers say how they reach it. None of them has an agent that is connected, or there is no other node.'
      : 'Its agent reports them while it is connected. An agent of an earlier version reports none.'}
  </EmptyState>
);

const PathTable = ({ network, node, paths }: { network: string; node: Node; paths: readonly NodePath[] }) => (
  <Table label={`Paths of ${node.name}`}>
    <thead>
      <tr>
        <Th>Peer</Th>
        <Th>Path</Th>
        <Th className="max-sm:hidden">Round trip</Th>
        <Th className="max-lg:hidden">Received</Th>
        <Th className="max-lg:hidden">Sent</Th>
        <Th className="max-md:hidden">Since</Th>
        <Th className="max-xl:hidden">Handshake</Th>
        <Th>
          <span className="sr-only">Explanation</span>
        </Th>
      </tr>
    </thead>
    <tbody>
      {paths.map((path) => (
        <PathRow key={path.peer.id} network={network} node={node} path={path} />
      ))}
    </tbody>
  </Table>
);

const PathRow = ({ network, node, path }: { network: string; node: Node; path: NodePath }) => (
  <Tr>
    <Td className="min-w-28">
      <Link
        to="/n/$network/nodes/$id"
        params={{ network, id: path.peer.id }}
        search={{}}
        className="inline-block min-w-24 font-medium [overflow-wrap:anywhere] hover:underline"
      >
        {path.peer.name}
      </Link>
    </Td>
    <Td>
      <PathBadge path={path} via={path.via} />
      <div className="mt-0.5 max-w-72 text-muted text-xs">
        {path.rttMs !== null && <span className="sm:hidden">{formatRtt(path.rttMs)}. </span>}
        {path.reason ?? (path.endpoint && <span className="mono">{path.endpoint}</span>)}
      </div>
    </Td>
    <Td className="whitespace-nowrap tabular-nums max-sm:hidden">
      {path.rttMs === null ? '—' : formatRtt(path.rttMs)}
    </Td>
    <Td className="whitespace-nowrap tabular-nums max-lg:hidden">{formatBytes(path.rxBytes)}</Td>
    <Td className="whitespace-nowrap tabular-nums max-lg:hidden">{formatBytes(path.txBytes)}</Td>
    <Td className="max-md:hidden">{path.since ? <Time at={path.since} /> : '—'}</Td>
    <Td className="max-xl:hidden">{path.lastHandshake ? <Time at={path.lastHandshake} /> : '—'}</Td>
    <Td className="text-right">
      {node.kind === 'agent' && (
        <Link
          to="/n/$network/nodes/$id"
          params={{ network, id: node.id }}
          search={{ tab: 'paths', peer: path.peer.id }}
          resetScroll={false}
          aria-label={`Why the path to ${path.peer.name} is what it is`}
          className="inline-flex h-8 items-center rounded-lg px-2.5 font-medium text-accent text-sm underline hover:bg-sunken"
        >
          Why
        </Link>
      )}
    </Td>
  </Tr>
);

/** Its peer is in the address, so that it can be sent to somebody. */
function ExplanationDialog({ network, node, paths }: { network: string; node: Node; paths: readonly NodePath[] }) {
  const { peer } = useSearch({ from: '/signed-in/n/$network/nodes/$id' });
  const navigate = useNavigate();
  if (peer === undefined) return null;
  const name = paths.find((path) => path.peer.id === peer)?.peer.name ?? peer;
  const close = (): void =>
    void navigate({
      ...{ to: '/n/$network/nodes/$id', params: { network, id: node.id }, search: { tab: 'paths' } },
      ...{ replace: true, resetScroll: false },
    });
  return (
    <Dialog open onClose={close} title={`${node.name} to ${name}`} description="As the agent explains it now" wide>
      <ExplanationView node={node.id} peer={peer} />
    </Dialog>
  );
}
