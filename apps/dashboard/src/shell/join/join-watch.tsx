import { useQueries, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { CircleAlert, CircleCheck, Hourglass, LoaderCircle } from 'lucide-react';
import type { ReactNode } from 'react';
import { useState } from 'react';
import { useChange } from '../../api/mutation.js';
import { type Node, nodeQuery, statusQuery } from '../../api/queries.js';
import { useNodeTelemetry } from '../../api/telemetry.js';
import { approveNode, joinsQuery, revokeNode, type Token, tokenQuery, tokenState } from '../../api/tokens.js';
import { Button } from '../../ui/button.js';
import { ConfirmDialog } from '../../ui/dialog.js';
import { plural } from '../../ui/format.js';
import { ErrorState } from '../../ui/states.js';
import { Time, useNow } from '../../ui/time.js';

/** Hosts that are shown; who came before them is in the list of nodes. */
const MOST_SHOWN = 5;

/** Waits for hosts that join with a token, and shows them as they come. */
export function JoinWatch({ network, token }: { network: string; token: Token }) {
  const joins = useQuery(joinsQuery(token.id));
  const current = useQuery(tokenQuery(token.id)).data ?? token;
  const state = tokenState(current, Math.max(useNow(), Date.now()));
  const ids = joins.data ?? [];
  const nodes = useQueries({ queries: ids.slice(0, MOST_SHOWN).map(nodeQuery) });
  return (
    <div role="status" aria-live="polite" data-joined={ids.length} className="flex min-w-0 flex-col gap-2">
      {nodes.map(({ data }) => data && <JoinedNode key={data.id} network={network} node={data} />)}
      {ids.length > MOST_SHOWN && <p className="text-muted">and {plural(ids.length - MOST_SHOWN, 'more host')}</p>}
      {joins.isError && <ErrorState error={joins.error} onRetry={() => void joins.refetch()} />}
      <Waiting token={current} state={state} joined={ids.length} />
    </div>
  );
}

const Line = ({ icon, children }: { icon: ReactNode; children: ReactNode }) => (
  <div className="flex min-h-11 items-start gap-3 rounded-xl border border-line bg-sunken/60 px-3 py-2.5">
    <span className="mt-0.5 shrink-0">{icon}</span>
    <div className="flex min-w-0 grow flex-wrap items-center gap-x-3 gap-y-2">{children}</div>
  </div>
);

const OVER: Readonly<Record<Exclude<Token['state'], 'usable'>, string>> = {
  'used-up': 'The token is used up. Another host needs another token.',
  expired: 'The token has expired before a host used it. Make another one.',
  revoked: 'The token was revoked: nobody joins with it any more. Make another one.',
};

function Waiting({ token, state, joined }: { token: Token; state: Token['state']; joined: number }) {
  if (state !== 'usable') {
    // One host was asked for, and one came.
    if (joined > 0 && state === 'used-up') return null;
    return (
      <Line icon={<CircleAlert aria-hidden size={18} className="text-warn" />}>
        {state === 'expired' && joined > 0 ? 'The token has expired. Another host needs another one.' : OVER[state]}
      </Line>
    );
  }
  const left = token.maxUses === null ? undefined : token.maxUses - token.uses;
  return (
    <>
      <Line icon={<LoaderCircle aria-hidden size={18} className="animate-spin text-accent" />}>
        <span className="grow">
          {joined === 0 ? 'Waiting for the host…' : 'Waiting for more hosts…'}
          {joined > 0 && left !== undefined && ` ${plural(left, 'use')} left.`}
        </span>
        {token.expiresAt !== null && (
          <span className="text-muted text-sm">
            Token expires <Time at={token.expiresAt} />
          </span>
        )}
      </Line>
      {joined === 0 && <NothingHappens />}
    </>
  );
}

/** What the host says, and what it means: the page cannot see what never reached the control plane. */
function NothingHappens() {
  const agents = useQuery(statusQuery).data?.agents ?? [];
  return (
    <details>
      <summary className="w-fit rounded py-1 text-accent">Nothing happens?</summary>
      <dl className="mt-2 grid gap-x-4 gap-y-2 text-sm sm:grid-cols-[minmax(10rem,max-content)_minmax(0,1fr)]">
        <dt className="font-medium">control plane did not answer</dt>
        <dd className="text-muted">
          The host has to reach {agents.length > 0 ? <code className="break-all">{agents.join(' or ')}</code> : 'it'} by
          TCP. Open the port in firewalls. If the address is wrong, start the control plane with --public-host and make
          another token.
        </dd>
        <dt className="font-medium">token unknown, used up, expired</dt>
        <dd className="text-muted">Make another one, and copy the whole line.</dd>
        <dt className="font-medium">/dev/net/tun does not exist</dt>
        <dd className="text-muted">
          <code>modprobe tun</code>; in a container: --device /dev/net/tun --cap-add NET_ADMIN.
        </dd>
        <dt className="font-medium">UDP port 51820 is in use</dt>
        <dd className="text-muted">Another WireGuard runs there: add --listen-port 0.</dd>
        <dt className="font-medium">the network overlaps</dt>
        <dd className="text-muted">
          The host’s own LAN uses addresses of this network. Use another network, or give this one other prefixes.
        </dd>
      </dl>
    </details>
  );
}

function JoinedNode({ network, node }: { network: string; node: Node }) {
  const link = (
    <Link
      to="/n/$network/nodes/$id"
      params={{ network, id: node.id }}
      className="font-semibold text-accent underline underline-offset-2"
    >
      {node.name}
    </Link>
  );
  if (node.status === 'pending' && node.disabledAt === null) return <Pending node={node} link={link} />;
  const good = node.status === 'active' && node.online;
  const icon = good ? (
    <CircleCheck aria-hidden size={18} className="text-good" />
  ) : (
    <Hourglass aria-hidden size={18} className="text-warn" />
  );
  return (
    <Line icon={icon}>
      <span className="min-w-0 break-words">
        {link} joined, <span className="mono">{node.addresses[0]}</span>, {standing(node)}
        {good && <Paths id={node.id} />}
      </span>
    </Line>
  );
}

/** By which kinds of path it reaches the others, as its agent tells. */
function Paths({ id }: { id: string }) {
  const paths = useNodeTelemetry(id).data?.paths ?? [];
  const counts = KINDS.map(({ kind, text }) => [paths.filter((path) => path.kind === kind).length, text] as const);
  const text = counts.flatMap(([count, words]) => (count > 0 ? [`${words} ${count}`] : [])).join(', ');
  return text === '' ? null : <span className="text-muted">: {text}</span>;
}

const KINDS = [
  { kind: 'direct', text: 'direct to' },
  { kind: 'relay', text: 'by relay to' },
  { kind: 'bounce', text: 'by a bounce to' },
  { kind: 'none', text: 'no path yet to' },
] as const;

function standing({ status, online, disabledAt }: Node): string {
  if (disabledAt !== null) return 'disabled';
  if (status !== 'active') return status;
  return online ? 'reachable' : 'but its agent is not connected: run “agent up” on the host';
}

function Pending({ node, link }: { node: Node; link: ReactNode }) {
  const [refusing, setRefusing] = useState(false);
  const approve = useChange({ change: approveNode, stale: [['nodes']] });
  const refuse = useChange({ change: revokeNode, stale: [['nodes']], onDone: () => setRefusing(false) });
  return (
    <Line icon={<Hourglass aria-hidden size={18} className="text-warn" />}>
      <span className="min-w-0 grow break-words">
        {link} joined, <span className="mono">{node.addresses[0]}</span>, and waits for approval
      </span>
      <span className="flex gap-2">
        <Button small onClick={() => setRefusing(true)}>
          Refuse
        </Button>
        <Button small tone="primary" busy={approve.isPending} onClick={() => approve.mutate(node.id)}>
          Approve
        </Button>
      </span>
      <ConfirmDialog
        open={refusing}
        onClose={() => setRefusing(false)}
        title={`Refuse ${node.name}?`}
        action="Refuse"
        busy={refuse.isPending}
        onConfirm={() => refuse.mutate(node.id)}
      >
        <p>It is revoked: its keys are banned, and it cannot join again with them.</p>
      </ConfirmDialog>
    </Line>
  );
}
