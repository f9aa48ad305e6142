import type { ReactNode } from 'react';
import type { Node } from '../../api/queries.js';
import type { NodeTelemetry, useNodeTelemetry } from '../../api/telemetry.js';
import { Card, Facts } from '../../ui/page.js';
import { EmptyState, ErrorState, Skeleton } from '../../ui/states.js';
import { Copyable } from './copyable.js';

/** RFC 4787 §4.1, in a sentence. */
const MAPPINGS: Readonly<Record<string, string>> = {
  none: 'No NAT: its own address is seen outside.',
  'endpoint-independent': 'One outer port for all destinations: direct paths work with most.',
  'address-dependent': 'Another outer port for each address: direct paths work with many.',
  'address-and-port-dependent':
    'Another outer port for each destination: direct paths only to nodes that are easy to reach.',
  unknown: 'Not found out: it takes two signal servers. Direct paths are tried all the same.',
};
/** RFC 4787 §5. */
const FILTERINGS: Readonly<Record<string, string>> = {
  none: 'Anybody may send to it.',
  'endpoint-independent': 'Anybody may send to a port that is open.',
  'address-dependent': 'Only addresses that it sent to may answer.',
  'address-and-port-dependent': 'Only addresses and ports that it sent to may answer.',
  unknown: 'Not found out.',
};

/** What the network between a node and the others lets through. */
export function NetworkTab({ node, telemetry }: { node: Node; telemetry: ReturnType<typeof useNodeTelemetry> }) {
  const { data, error, refetch } = telemetry;
  if (error && !data) return <ErrorState error={error} onRetry={() => void refetch()} />;
  if (!data) return <Skeleton className="h-64 rounded-2xl" />;
  if (node.kind === 'vanilla')
    return (
      <EmptyState title="A vanilla member tells nothing of its NAT">
        Only an agent finds out what the network lets through. Others reach this node at its endpoint, or through its
        home bounce.
      </EmptyState>
    );
  if (!data.nat)
    return (
      <EmptyState title="Nothing is known of its NAT">
        {data.online
          ? 'Its agent has not reported it yet; it does within a minute of its start.'
          : 'Its agent reports it while it is connected. On the host, `agent netcheck` says it at any time.'}
      </EmptyState>
    );
  return (
    <Card title="What its network lets through">
      <Facts facts={natFacts(data.nat)} />
    </Card>
  );
}

function natFacts(nat: NonNullable<NodeTelemetry['nat']>): (readonly [string, ReactNode])[] {
  return [
    ['UDP', nat.udp === null ? 'Not tried' : nat.udp ? 'Works' : 'Blocked: everything goes over TLS'],
    ['NAT mapping', <Behaviour key="mapping" kind={nat.mapping} meanings={MAPPINGS} />],
    ['NAT filtering', <Behaviour key="filtering" kind={nat.filtering} meanings={FILTERINGS} />],
    [
      'Seen from outside as',
      nat.reflexive.length === 0 ? (
        'Not known'
      ) : (
        <div key="reflexive" className="flex flex-col gap-2.5">
          {nat.reflexive.map((address) => (
            <Copyable key={address} text={address} what={`address ${address}`} />
          ))}
        </div>
      ),
    ],
    [
      'Port mapping',
      nat.portMapping === null
        ? 'None: no router here forwards a port'
        : `By ${PROTOCOLS[nat.portMapping] ?? nat.portMapping}`,
    ],
    ['Signal servers', nat.homes.length === 0 ? 'Registered at none' : `Registered at ${nat.homes.join(', ')}`],
  ];
}

const PROTOCOLS: Readonly<Record<string, string>> = { pcp: 'PCP', 'nat-pmp': 'NAT-PMP', upnp: 'UPnP' };

const Behaviour = ({ kind, meanings }: { kind: string; meanings: Readonly<Record<string, string>> }) => (
  <>
    <div>{kind}</div>
    <div className="text-muted text-sm">{meanings[kind]}</div>
  </>
);
