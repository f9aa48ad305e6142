import { useState } from 'react';
import { useChange } from '../../api/mutation.js';
import { tokensQuery } from '../../api/queries.js';
import { revokeToken, type Token } from '../../api/tokens.js';
import { Badge, type BadgeTone } from '../../ui/badge.js';
import { Button } from '../../ui/button.js';
import { CopyButton } from '../../ui/copy.js';
import { ConfirmDialog } from '../../ui/dialog.js';
import { Table, Td, Th, Tr } from '../../ui/table.js';
import { Time } from '../../ui/time.js';

const STATES: Readonly<Record<Token['state'], { readonly text: string; readonly tone: BadgeTone }>> = {
  usable: { text: 'Usable', tone: 'good' },
  'used-up': { text: 'Used up', tone: 'neutral' },
  expired: { text: 'Expired', tone: 'neutral' },
  revoked: { text: 'Revoked', tone: 'bad' },
};

export function TokenTable({ network, tokens }: { network: string; tokens: readonly Token[] }) {
  const [revoking, setRevoking] = useState<Token>();
  const revoke = useChange({
    change: ({ id }: Token) => revokeToken(id),
    optimistic: ({ id }) => [
      {
        key: tokensQuery(network).queryKey,
        update: (old: readonly Token[]) => old.map((it) => (it.id === id ? { ...it, state: 'revoked' as const } : it)),
      },
    ],
    stale: [['tokens']],
    done: (_, token) => `Revoked ${titleOf(token)}.`,
  });
  const confirm = (): void => {
    if (revoking) revoke.mutate(revoking);
    setRevoking(undefined);
  };
  return (
    <>
      <ul className="flex flex-col gap-3 sm:hidden">
        {tokens.map((token) => (
          <Item key={token.id} token={token} onRevoke={() => setRevoking(token)} />
        ))}
      </ul>
      <div className="max-sm:hidden">
        <Table label="Tokens">
          <thead>
            <tr>
              {['Token', 'State', 'Used', 'Expires', 'Role', 'Gives', 'Made'].map((title) => (
                <Th key={title}>{title}</Th>
              ))}
              <Th>
                <span className="sr-only">Actions</span>
              </Th>
            </tr>
          </thead>
          <tbody>
            {tokens.map((token) => (
              <Row key={token.id} token={token} onRevoke={() => setRevoking(token)} />
            ))}
          </tbody>
        </Table>
      </div>
      <ConfirmDialog
        open={revoking !== undefined}
        onClose={() => setRevoking(undefined)}
        title={`Revoke ${revoking ? titleOf(revoking) : ''}?`}
        action="Revoke"
        onConfirm={confirm}
      >
        <p>Nobody can join with it any more. Hosts that joined with it stay.</p>
      </ConfirmDialog>
    </>
  );
}

const titleOf = ({ name, id }: Token): string => (name === null ? `the token ${id}` : `“${name}”`);

interface RowProps {
  readonly token: Token;
  readonly onRevoke: () => void;
}

const State = ({ state }: Token) => <Badge tone={STATES[state].tone}>{STATES[state].text}</Badge>;
const Title = ({ id, name }: Token) => (
  <div className="flex min-w-0 items-center gap-1">
    <span className={name === null ? 'mono break-all text-muted' : 'min-w-0 break-words font-medium'}>
      {name ?? id}
    </span>
    <CopyButton text={id} what="Copy the id of the token" />
  </div>
);
const Expiry = ({ expiresAt }: Token) => (expiresAt === null ? 'never' : <Time at={expiresAt} />);
const Revoke = ({ token, onRevoke }: RowProps) =>
  token.state === 'usable' && (
    <Button small onClick={onRevoke} aria-label={`Revoke ${titleOf(token)}`}>
      Revoke
    </Button>
  );

/** The same for narrow screens. */
const Item = ({ token, onRevoke }: RowProps) => (
  <li className="flex flex-col gap-2 rounded-2xl border border-line bg-surface px-4 py-3">
    <div className="flex items-center gap-2">
      <div className="min-w-0 grow">
        <Title {...token} />
      </div>
      <State {...token} />
    </div>
    <p className="text-muted text-sm">
      Used {token.uses} of {token.maxUses ?? 'any number'} · {token.role ?? 'any role'} · made{' '}
      <Time at={token.createdAt} />
    </p>
    <div className="flex items-end gap-2">
      <div className="flex min-w-0 grow flex-col gap-2 text-sm">
        <Gives token={token} />
        {token.state === 'usable' && (
          <span>
            Expires <Expiry {...token} />
          </span>
        )}
      </div>
      <Revoke token={token} onRevoke={onRevoke} />
    </div>
  </li>
);

const Row = ({ token, onRevoke }: RowProps) => (
  <Tr>
    <Td>
      <Title {...token} />
    </Td>
    <Td>
      <State {...token} />
    </Td>
    <Td className="whitespace-nowrap tabular-nums">
      {token.uses} of {token.maxUses ?? 'any number'}
    </Td>
    <Td>
      <Expiry {...token} />
    </Td>
    <Td>{token.role ?? <span className="text-muted">any</span>}</Td>
    <Td>
      <Gives token={token} />
    </Td>
    <Td>
      <Time at={token.createdAt} />
    </Td>
    <Td className="text-right">
      <Revoke token={token} onRevoke={onRevoke} />
    </Td>
  </Tr>
);

function Gives({ token: { tags, approval, ephemeral } }: { token: Token }) {
  if (tags.length === 0 && !approval && !ephemeral) return null;
  return (
    <span className="flex flex-wrap gap-1">
      {tags.map((tag) => (
        <Badge key={tag}>{tag}</Badge>
      ))}
      {approval && <Badge tone="warn">waits for approval</Badge>}
      {ephemeral && <Badge tone="accent">ephemeral</Badge>}
    </span>
  );
}
