import { queryOptions, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { Schemas } from '@warren/client';
import { ExternalLink } from 'lucide-react';
import type { ReactNode } from 'react';
import { live, useLiveStatus } from '../../api/live.js';
import { statusQuery } from '../../api/queries.js';
import { Dot } from '../../ui/badge.js';
import { CopyButton } from '../../ui/copy.js';
import { formatBytes, plural } from '../../ui/format.js';
import { Card, Facts, Page } from '../../ui/page.js';
import { ErrorState, Skeleton } from '../../ui/states.js';
import { Table, Td, Th, Tr } from '../../ui/table.js';
import { Time } from '../../ui/time.js';
import { type Check, checksOf } from './checks.js';

/** Health is observed and comes with no event. Milliseconds. */
const INTERVAL = 5_000;

/** What `/readyz` says: whether the database has all that this version needs. */
const readyQuery = queryOptions({
  queryKey: ['ready'],
  queryFn: async (): Promise<{ readonly ready: boolean; readonly why?: string }> => {
    const response = await fetch('/readyz');
    if (response.ok) return { ready: true };
    const problem = (await response.json().catch(() => ({}))) as { detail?: string };
    return { ready: false, why: problem.detail ?? `HTTP ${response.status}` };
  },
  refetchInterval: INTERVAL,
});

export function HealthPage() {
  const status = useQuery({ ...statusQuery, refetchInterval: INTERVAL });
  const ready = useQuery(readyQuery).data;
  const stream = useLiveStatus();
  return (
    <Page
      title="Health"
      lead="Of the control plane that answers this page. It is looked at every five seconds."
      actions={
        <>
          <External href="/metrics">Metrics</External>
          <External href="/api/docs">API documentation</External>
        </>
      }
    >
      {status.isPending && <Loading />}
      {status.isError && <ErrorState error={status.error} onRetry={() => void status.refetch()} />}
      {status.data && (
        <>
          <Checks checks={checksOf(status.data, { ready, stream, unreachable: status.isError })} />
          <div className="grid gap-5 lg:grid-cols-2">
            <Process status={status.data} />
            <Addresses status={status.data} />
          </div>
          <Networks status={status.data} />
        </>
      )}
    </Page>
  );
}

const External = ({ href, children }: { href: string; children: ReactNode }) => (
  <a
    href={href}
    target="_blank"
    rel="noreferrer"
    className="inline-flex h-10 items-center gap-2 rounded-lg border border-line-strong/60 bg-raised px-4 font-medium hover:bg-sunken"
  >
    {children}
    <ExternalLink aria-hidden size={15} />
  </a>
);

const Loading = () => (
  <div className="flex flex-col gap-5">
    <Skeleton className="h-40 w-full" />
    <div className="grid gap-5 lg:grid-cols-2">
      <Skeleton className="h-72 w-full" />
      <Skeleton className="h-72 w-full" />
    </div>
  </div>
);

const WORDS = { good: 'good', warn: 'look at this', bad: 'bad', neutral: 'unknown', accent: '' } as const;

const Checks = ({ checks }: { checks: readonly Check[] }) => (
  <ul aria-label="Checks" className="grid gap-3 sm:grid-cols-2 lg:grid-cols-3">
    {checks.map(({ name, tone, value, text }) => (
      <li key={name} className="flex flex-col gap-0.5 rounded-2xl border border-line bg-surface px-4 py-3">
        <span className="flex items-center gap-2 text-muted text-sm">
          <Dot tone={tone} />
          {name}
          <span className="sr-only">: {WORDS[tone]}</span>
        </span>
        <span className="font-semibold text-lg tabular-nums">{value}</span>
        <span className="text-muted text-sm">{text}</span>
      </li>
    ))}
  </ul>
);

function Process({ status }: { status: Schemas['Status'] }) {
  const { health, relay } = status;
  const drops = Object.values(relay.drops).reduce((sum, count) => sum + count, 0);
  return (
    <Card title="Process">
      <Facts
        facts={[
          ['Version', status.version],
          ['Started', <Time key="started" at={status.startedAt} />],
          ['Database', status.database === 'embedded' ? 'embedded PostgreSQL' : 'external PostgreSQL'],
          ['Event streams', health.eventStreams.toLocaleString('en')],
          ['This page', <Stream key="stream" />],
          [
            'Memory',
            `${formatBytes(health.memory.rssBytes)}, of it heap ${formatBytes(health.memory.heapUsedBytes)} of at most ${formatBytes(health.memory.heapLimitBytes)}`,
          ],
          [
            'Relay',
            `${plural(relay.sessions, 'session')}, ${formatBytes(relay.relayedBytes)} relayed, ${plural(drops, 'datagram')} dropped`,
          ],
          [
            'Path reports',
            `${health.telemetry.reports.toLocaleString('en')} taken, ${plural(health.telemetry.links, 'link')} known, ${health.telemetry.dropped.toLocaleString('en')} entries dropped`,
          ],
        ]}
      />
    </Card>
  );
}

const STREAM: Readonly<Record<ReturnType<typeof useLiveStatus>, string>> = {
  live: 'live',
  connecting: 'connecting',
  lost: 'lost, trying again',
  refused: 'refused',
};

function Stream() {
  const status = useLiveStatus();
  return (
    <span>
      {STREAM[status]}, since <Time at={live.since} />
    </span>
  );
}

const Address = ({ text, what }: { text: string; what: string }) => (
  <span className="flex items-center gap-1">
    <code className="min-w-0 break-all">{text}</code>
    <CopyButton text={text} what={`Copy ${what}`} />
  </span>
);

const Addresses = ({ status }: { status: Schemas['Status'] }) => (
  <Card
    title="Addresses"
    actions={
      <Link to="/signals" className="font-medium text-accent text-sm hover:underline">
        Signal servers
      </Link>
    }
  >
    <Facts
      facts={[
        ['Web', <Address key="http" text={status.http} what="the address of dashboard and REST" />],
        [
          'Agents',
          <div key="agents">
            {status.agents.map((address) => (
              <Address key={address} text={address} what={address} />
            ))}
          </div>,
        ],
        ['Signalling', <Address key="stun" text={status.stun} what="the address of STUN and signalling" />],
      ]}
    />
  </Card>
);

const Networks = ({ status }: { status: Schemas['Status'] }) => (
  <Table label="Networks">
    <thead>
      <tr>
        <Th>Network</Th>
        <Th>Agents online</Th>
        <Th>Nodes</Th>
        <Th className="hidden sm:table-cell">Revision</Th>
      </tr>
    </thead>
    <tbody>
      {status.networks.map(({ id, name, connected, nodes, revision }) => (
        <Tr key={id}>
          <Td>
            <Link
              to="/n/$network/topology"
              params={{ network: name }}
              search={{}}
              className="font-medium text-accent hover:underline"
            >
              {name}
            </Link>
          </Td>
          <Td className="tabular-nums">{connected.toLocaleString('en')}</Td>
          <Td className="tabular-nums">{nodes.active.toLocaleString('en')}</Td>
          <Td className="hidden tabular-nums sm:table-cell">{revision.toLocaleString('en')}</Td>
        </Tr>
      ))}
    </tbody>
  </Table>
);
