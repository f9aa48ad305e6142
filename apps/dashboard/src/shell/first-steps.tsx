import { Link } from '@tanstack/react-router';
import { Rabbit } from 'lucide-react';
import { lazy, Suspense, useState } from 'react';
import { useChange } from '../api/mutation.js';
import { type CreatedToken, createToken } from '../api/tokens.js';
import { Button } from '../ui/button.js';
import { Card } from '../ui/page.js';
import { EmptyState, Skeleton } from '../ui/states.js';

const JoinToken = lazy(() => import('./join/join-token.js').then(({ JoinToken }) => ({ default: JoinToken })));

/** A network without nodes: the line that brings in the first one is one press away, and it is awaited here. */
export function FirstSteps({ network }: { network: string }) {
  const [token, setToken] = useState<CreatedToken>();
  const create = useChange({ change: createToken, stale: [['tokens']], onDone: setToken });
  if (token)
    return (
      <Card title={`Add the first host to ${network}`}>
        <Suspense fallback={<Skeleton className="h-72 w-full" />}>
          <JoinToken network={network} token={token} />
        </Suspense>
      </Card>
    );
  return (
    <EmptyState
      icon={<Rabbit aria-hidden size={40} strokeWidth={1.5} />}
      title={`Nobody is in ${network} yet`}
      action={
        <div className="mt-1 flex flex-wrap items-center justify-center gap-x-5 gap-y-3">
          <Button tone="primary" busy={create.isPending} onClick={() => create.mutate({ network })}>
            Get the join line
          </Button>
          <Link to="/n/$network/add" params={{ network }} className="text-accent underline underline-offset-2">
            With role, tags, approval
          </Link>
          <Link
            to="/n/$network/add"
            params={{ network }}
            search={{ kind: 'device' }}
            className="text-accent underline underline-offset-2"
          >
            A phone or router
          </Link>
        </div>
      }
    >
      <p>Run one line on a host, and it is a member: its keys are made there and never leave it.</p>
    </EmptyState>
  );
}
