import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { Ticket } from 'lucide-react';
import { useState } from 'react';
import { tokensQuery } from '../../api/queries.js';
import { type CreatedToken, tokenState } from '../../api/tokens.js';
import { JoinToken } from '../../shell/join/join-token.js';
import { TokenForm } from '../../shell/join/token-form.js';
import { Button } from '../../ui/button.js';
import { Dialog } from '../../ui/dialog.js';
import { Checkbox } from '../../ui/field.js';
import { Card, Page } from '../../ui/page.js';
import { EmptyState, ErrorState, Skeleton } from '../../ui/states.js';
import { useNow } from '../../ui/time.js';
import { TokenTable } from './token-table.js';

/** Tokens by which hosts join a network. */
export function TokensPage() {
  const { network } = useParams({ from: '/signed-in/n/$network/tokens' });
  const [creating, setCreating] = useState(false);
  const [made, setMade] = useState<CreatedToken>();
  const create = (token: CreatedToken): void => {
    setMade(token);
    setCreating(false);
  };
  return (
    <Page
      title="Tokens"
      lead="Who has a usable token can join a host. What a token gives its hosts is set when it is made."
      actions={
        <Button tone="primary" onClick={() => setCreating(true)}>
          Make a token
        </Button>
      }
      wide
    >
      {made && (
        <Card
          title={made.name ?? 'Join line'}
          actions={
            <Button small onClick={() => setMade(undefined)}>
              Close
            </Button>
          }
        >
          <JoinToken key={made.id} network={network} token={made} />
        </Card>
      )}
      <TokenList network={network} onCreate={() => setCreating(true)} />
      <Dialog open={creating} onClose={() => setCreating(false)} title="Make a token" wide>
        <TokenForm network={network} onCreated={create} />
      </Dialog>
    </Page>
  );
}

function TokenList({ network, onCreate }: { network: string; onCreate: () => void }) {
  const tokens = useQuery(tokensQuery(network));
  const [all, setAll] = useState(false);
  const now = Math.max(useNow(), Date.now());
  if (tokens.isPending) return <Skeleton className="h-64 w-full" />;
  if (tokens.isError) return <ErrorState error={tokens.error} onRetry={() => void tokens.refetch()} />;
  const stated = tokens.data.map((token) => ({ ...token, state: tokenState(token, now) }));
  const usable = stated.filter(({ state }) => state === 'usable');
  const over = stated.length - usable.length;
  const shown = (all ? stated : usable).toSorted((a, b) => rank(a) - rank(b) || b.createdAt.localeCompare(a.createdAt));
  return (
    <>
      {over > 0 && (
        <Checkbox
          label={`Show what is over (${over})`}
          checked={all}
          onChange={(event) => setAll(event.target.checked)}
        />
      )}
      {shown.length === 0 ? (
        <EmptyState
          icon={<Ticket aria-hidden size={36} strokeWidth={1.5} />}
          title="No token is usable"
          action={
            <Button tone="primary" onClick={onCreate}>
              Make a token
            </Button>
          }
        >
          <p>A host needs one to join. The default is good for one host, within an hour.</p>
        </EmptyState>
      ) : (
        <TokenTable network={network} tokens={shown} />
      )}
    </>
  );
}

const rank = ({ state }: { state: string }): number => (state === 'usable' ? 0 : 1);
