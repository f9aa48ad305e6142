import { useQuery } from '@tanstack/react-query';
import { type Explanation, explanationQuery } from '../api/telemetry.js';
import { Badge } from '../ui/badge.js';
import { formatRtt } from '../ui/format.js';
import { Facts } from '../ui/page.js';
import { ErrorState, Skeleton } from '../ui/states.js';
import { Table, Td, Th, Tr } from '../ui/table.js';
import { Time } from '../ui/time.js';

/** Why the path of a node to a peer is what it is, asked of the node's agent when this is shown. */
export function ExplanationView({ node, peer }: { node: string; peer: string }) {
  const { data, error, refetch } = useQuery(explanationQuery(node, peer));
  if (error) return <ErrorState error={error} onRetry={() => void refetch()} />;
  if (!data) return <ExplanationSkeleton />;
  const { path, why, advice, candidates, servers } = data;
  return (
    <div className="flex flex-col gap-4">
      <p>
        <span className="font-medium">{HEADLINES[path.kind]}</span> {sentence(why)}
      </p>
      {advice && (
        <p className="rounded-xl bg-accent-soft px-4 py-3">
          <span className="font-medium">To make it direct:</span> {sentence(advice)}
        </p>
      )}
      <Facts facts={factsOf(data)} />
      {candidates.length > 0 && <Candidates candidates={candidates} />}
      {servers.length > 0 && <Servers servers={servers} />}
    </div>
  );
}

const HEADLINES: Record<Explanation['path']['kind'], string> = {
  direct: 'The path is direct.',
  relay: 'The path goes through a relay.',
  bounce: 'The path goes through a bounce.',
  none: 'There is no path.',
};

/** What the agent says are sentences without capital and full stop. */
const sentence = (text: string): string =>
  `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.?]$/.test(text) ? '' : '.'}`;

function factsOf({ path, nat, homes }: Explanation): (readonly [string, React.ReactNode])[] {
  const facts: (readonly [string, React.ReactNode])[] = [];
  if (path.endpoint) facts.push(['Address', <code key="endpoint">{path.endpoint}</code>]);
  if (path.via) facts.push(['Through', `${path.via}${path.transport ? ` (${path.transport.toUpperCase()})` : ''}`]);
  if (path.rttMs !== null) facts.push(['Round trip', formatRtt(path.rttMs)]);
  if (path.since) facts.push(['Since', <Time key="since" at={path.since} />]);
  facts.push(['NAT here', natText(nat.local)]);
  if (nat.remote) facts.push(['NAT there', natText(nat.remote)]);
  if (homes.local.length > 0) facts.push(['Signal servers here', homes.local.join(', ')]);
  if (homes.remote.length > 0) facts.push(['Signal servers there', homes.remote.join(', ')]);
  return facts;
}

const natText = ({ mapping, filtering }: Explanation['nat']['local']): string =>
  mapping === 'none' ? 'none' : `mapping ${mapping}, filtering ${filtering}`;

const Candidates = ({ candidates }: Pick<Explanation, 'candidates'>) => (
  <Table label="Addresses that were tried">
    <thead>
      <tr>
        <Th>Address tried</Th>
        <Th>Kind</Th>
        <Th>Probes</Th>
        <Th>Result</Th>
      </tr>
    </thead>
    <tbody>
      {candidates.map(({ endpoint, kind, probes, result, rttMs, used }) => (
        <Tr key={`${kind} ${endpoint}`}>
          <Td className="mono">{endpoint}</Td>
          <Td>{kind}</Td>
          <Td className="tabular-nums">{probes}</Td>
          <Td>
            <span className="flex flex-wrap items-center gap-1.5">
              {result}
              {rttMs !== null && <span className="text-muted">{formatRtt(rttMs)}</span>}
              {used && <Badge tone="good">in use</Badge>}
            </span>
          </Td>
        </Tr>
      ))}
    </tbody>
  </Table>
);

const Servers = ({ servers }: Pick<Explanation, 'servers'>) => (
  <Table label="Signal servers">
    <thead>
      <tr>
        <Th>Signal server</Th>
        <Th>State</Th>
        <Th>Round trip</Th>
        <Th>Sees this node at</Th>
      </tr>
    </thead>
    <tbody>
      {servers.map(({ id, name, home, registered, transport, rttMs, reflexive, failure }) => (
        <Tr key={id}>
          <Td>
            {name} {home && <Badge tone="accent">home</Badge>}
          </Td>
          <Td>
            {registered ? `registered${transport ? `, ${transport.toUpperCase()}` : ''}` : (failure ?? 'not used')}
          </Td>
          <Td className="whitespace-nowrap tabular-nums">{rttMs === null ? '—' : formatRtt(rttMs)}</Td>
          <Td className="mono">{reflexive ?? '—'}</Td>
        </Tr>
      ))}
    </tbody>
  </Table>
);

const ExplanationSkeleton = () => (
  <div aria-busy className="flex flex-col gap-3">
    <p className="text-muted">Asking its agent…</p>
    <Skeleton className="h-12" />
    <Skeleton className="h-24" />
  </div>
);
