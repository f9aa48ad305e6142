import { queryOptions, useQuery } from '@tanstack/react-query';
import type { Schemas } from '@warren/client';
import { useState } from 'react';
import { api, take } from '../../api/client.js';
import { useChange } from '../../api/mutation.js';
import { Badge, type BadgeTone } from '../../ui/badge.js';
import { Button } from '../../ui/button.js';
import { ConfirmDialog } from '../../ui/dialog.js';
import { ErrorState } from '../../ui/states.js';
import { Table, Td, Th, Tr } from '../../ui/table.js';
import { Time } from '../../ui/time.js';

type Token = Schemas['SignalToken'];
const tokensQuery = queryOptions({
  queryKey: ['signals', 'tokens'],
  queryFn: async () => (await take(api.GET('/api/v1/signal-tokens'))).items,
});

/** Tokens that were given to machines to come, latest first; nothing where none was ever made. */
export function TokenTable() {
  const tokens = useQuery(tokensQuery);
  const [asked, setAsked] = useState<Token>();
  const revocation = useChange({
    change: ({ id }: Token) => take(api.DELETE('/api/v1/signal-tokens/{id}', { params: { path: { id } } })),
    stale: [tokensQuery.queryKey],
    done: (_, { region }) => `The token for ${region} was revoked.`,
  });
  if (tokens.isError) return <ErrorState error={tokens.error} onRetry={() => void tokens.refetch()} />;
  if (!tokens.data || tokens.data.length === 0) return null;
  return (
    <div className="flex flex-col gap-3">
      <h2 className="font-semibold text-lg">Enrolment tokens</h2>
      <Table label="Enrolment tokens">
        <thead>
          <tr>
            <Th>Region</Th>
            <Th>State</Th>
            <Th className="hidden sm:table-cell">Made</Th>
            <Th className="hidden sm:table-cell">Expires</Th>
            <Th>
              <span className="sr-only">Actions</span>
            </Th>
          </tr>
        </thead>
        <tbody>
          {tokens.data.toReversed().map((token) => (
            <Tr key={token.id}>
              <Td className="font-medium">{token.region}</Td>
              <Td>
                <Badge tone={stateOf(token).tone}>{stateOf(token).label}</Badge>
              </Td>
              <Td className="hidden text-muted sm:table-cell">
                <Time at={token.createdAt} />
              </Td>
              <Td className="hidden text-muted sm:table-cell">
                {token.expiresAt === null ? 'never' : <Time at={token.expiresAt} />}
              </Td>
              <Td className="w-0">
                {stateOf(token).label === 'usable' && (
                  <Button small onClick={() => setAsked(token)}>
                    Revoke
                  </Button>
                )}
              </Td>
            </Tr>
          ))}
        </tbody>
      </Table>
      <ConfirmDialog
        open={asked !== undefined}
        onClose={() => setAsked(undefined)}
        title={`Revoke the token for ${asked?.region ?? ''}`}
        action="Revoke"
        onConfirm={() => {
          if (asked) revocation.mutate(asked);
          setAsked(undefined);
        }}
      >
        <p>No machine can enrol with it any more. A server that did so already goes on.</p>
      </ConfirmDialog>
    </div>
  );
}

function stateOf({ revokedAt, used, expiresAt }: Token): { label: string; tone: BadgeTone } {
  if (revokedAt !== null) return { label: 'revoked', tone: 'bad' };
  if (used) return { label: 'used', tone: 'neutral' };
  if (expiresAt !== null && Date.parse(expiresAt) <= Date.now()) return { label: 'expired', tone: 'warn' };
  return { label: 'usable', tone: 'good' };
}
