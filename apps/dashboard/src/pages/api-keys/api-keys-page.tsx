import { useQuery } from '@tanstack/react-query';
import type { Schemas } from '@warren/client';
import { KeyRound, Plus, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { api, take } from '../../api/client.js';
import { useChange } from '../../api/mutation.js';
import { apiKeysQuery } from '../../api/queries.js';
import { Badge } from '../../ui/badge.js';
import { Button, IconButton } from '../../ui/button.js';
import { ConfirmDialog } from '../../ui/dialog.js';
import { Page } from '../../ui/page.js';
import { EmptyState, ErrorState, Skeleton } from '../../ui/states.js';
import { Table, Td, Th, Tr } from '../../ui/table.js';
import { Time } from '../../ui/time.js';
import { CreateKeyDialog } from './create-key.js';

type ApiKey = Schemas['ApiKey'];

export function ApiKeysPage() {
  const keys = useQuery(apiKeysQuery);
  const [creating, setCreating] = useState(false);
  const create = (
    <Button tone="primary" icon={<Plus aria-hidden size={16} />} onClick={() => setCreating(true)}>
      Create API key
    </Button>
  );
  return (
    <Page
      title="API keys"
      lead="For programs that use the REST API, and for the warren command on other machines."
      actions={create}
    >
      {keys.isPending && <Skeleton className="h-48 w-full" />}
      {keys.isError && <ErrorState error={keys.error} onRetry={() => void keys.refetch()} />}
      {keys.data?.length === 0 && (
        <EmptyState title="No API keys" icon={<KeyRound aria-hidden size={28} />} action={create}>
          Create one for a script, with no more scopes than it needs.{' '}
          <a className="text-accent underline" href="/api/docs">
            The API is documented here.
          </a>
        </EmptyState>
      )}
      {keys.data && keys.data.length > 0 && <KeyTable keys={keys.data} />}
      <CreateKeyDialog open={creating} onClose={() => setCreating(false)} />
    </Page>
  );
}

function KeyTable({ keys }: { keys: readonly ApiKey[] }) {
  const [asked, setAsked] = useState<ApiKey>();
  const revocation = useChange({
    change: (key: ApiKey) => take(api.DELETE('/api/v1/apikeys/{id}', { params: { path: { id: key.id } } })),
    optimistic: (key) => [
      { key: apiKeysQuery.queryKey, update: (old: ApiKey[]) => old.filter(({ id }) => id !== key.id) },
    ],
    stale: [apiKeysQuery.queryKey],
    done: (_, key) => `The API key “${key.name}” was revoked.`,
  });
  return (
    <>
      <Table label="API keys">
        <thead>
          <tr>
            <Th>Name</Th>
            <Th className="hidden sm:table-cell">Scopes</Th>
            <Th className="hidden md:table-cell">Used</Th>
            <Th className="hidden md:table-cell">Made</Th>
            <Th className="hidden sm:table-cell">Expires</Th>
            <Th>
              <span className="sr-only">Actions</span>
            </Th>
          </tr>
        </thead>
        <tbody>
          {keys.map((key) => (
            <Tr key={key.id}>
              <Td>
                <div className="break-words font-medium">{key.name}</div>
                <code className="text-muted text-sm">{key.id.slice(0, 8)}</code>
                <div className="mt-1 flex flex-col gap-1 sm:hidden">
                  <Scopes scopes={key.scopes} />
                  <span className="text-muted text-sm">
                    Expires: <Expiry at={key.expiresAt} />
                  </span>
                </div>
              </Td>
              <Td className="hidden sm:table-cell">
                <Scopes scopes={key.scopes} />
              </Td>
              <Td className="hidden text-muted md:table-cell">
                {key.lastUsedAt === null ? 'never' : <Time at={key.lastUsedAt} />}
              </Td>
              <Td className="hidden text-muted md:table-cell">
                <Time at={key.createdAt} />
              </Td>
              <Td className="hidden sm:table-cell">
                <Expiry at={key.expiresAt} />
              </Td>
              <Td className="w-0">
                <IconButton label={`Revoke ${key.name}`} onClick={() => setAsked(key)}>
                  <Trash2 aria-hidden size={17} />
                </IconButton>
              </Td>
            </Tr>
          ))}
        </tbody>
      </Table>
      <ConfirmDialog
        open={asked !== undefined}
        onClose={() => setAsked(undefined)}
        title={`Revoke the API key “${asked?.name ?? ''}”`}
        action="Revoke"
        onConfirm={() => {
          if (asked) revocation.mutate(asked);
          setAsked(undefined);
        }}
      >
        <p>Whatever uses it is refused from now on. This cannot be undone; make another key instead.</p>
        {asked?.lastUsedAt && (
          <p className="text-muted">
            It was used last <Time at={asked.lastUsedAt} />.
          </p>
        )}
      </ConfirmDialog>
    </>
  );
}

const Scopes = ({ scopes }: { scopes: readonly string[] }) => (
  <div className="flex max-w-xs flex-wrap gap-1">
    {scopes.map((scope) => (
      <Badge key={scope} tone={scope === 'admin' ? 'accent' : 'neutral'}>
        {scope}
      </Badge>
    ))}
  </div>
);

function Expiry({ at }: { at: string | null }) {
  if (at === null) return <span className="text-muted">never</span>;
  return Date.parse(at) <= Date.now() ? <Badge tone="bad">expired</Badge> : <Time at={at} />;
}
