import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useChange } from '../../api/mutation.js';
import { revokeSession, type Session, sessionsQuery } from '../../api/session.js';
import { signOut } from '../../shell/sign-out.js';
import { Badge } from '../../ui/badge.js';
import { Button } from '../../ui/button.js';
import { ConfirmDialog } from '../../ui/dialog.js';
import { Card, Page } from '../../ui/page.js';
import { ErrorState, Skeleton } from '../../ui/states.js';
import { Table, Td, Th, Tr } from '../../ui/table.js';
import { Time } from '../../ui/time.js';
import { browserName } from './browser-name.js';
import { ChangePassword } from './change-password.js';

/** Who is signed in, and the password. */
export function SessionsPage() {
  const sessions = useQuery(sessionsQuery);
  const [ending, setEnding] = useState<Session>();
  const end = useChange({
    change: ({ id }: Session) => revokeSession(id),
    optimistic: ({ id }) => [
      { key: sessionsQuery.queryKey, update: (old: readonly Session[]) => old.filter((one) => one.id !== id) },
    ],
    stale: [sessionsQuery.queryKey],
    done: () => 'that browser is signed out',
  });
  return (
    <Page
      title="Sessions"
      lead="Browsers that are signed in. A session ends after 12 hours without use, and after 7 days in any case."
      actions={<Button onClick={() => void signOut()}>Sign out here</Button>}
    >
      {sessions.error ? (
        <ErrorState error={sessions.error} onRetry={() => void sessions.refetch()} />
      ) : !sessions.data ? (
        <Skeleton className="h-40 w-full" />
      ) : (
        <SessionTable sessions={sessions.data} onEnd={setEnding} />
      )}
      <Card title="Change the password">
        <ChangePassword />
      </Card>
      <ConfirmDialog
        open={ending !== undefined}
        onClose={() => setEnding(undefined)}
        title="Sign that browser out?"
        action="Sign it out"
        onConfirm={() => {
          if (ending) end.mutate(ending);
          setEnding(undefined);
        }}
      >
        <p>
          {ending && browserName(ending.userAgent)}
          {ending?.address && ` at ${ending.address}`} will have to sign in again. What it shows goes at once.
        </p>
      </ConfirmDialog>
    </Page>
  );
}

/** Columns that a phone has no room for. */
const WIDE = 'max-sm:hidden';

/** Unless it is used before. */
const endOf = ({ idleExpiresAt, expiresAt }: Session): string => [idleExpiresAt, expiresAt].sort()[0]!;

const SessionTable = ({ sessions, onEnd }: { sessions: readonly Session[]; onEnd: (session: Session) => void }) => (
  <Table label="Sessions">
    <thead>
      <tr>
        <Th>Browser</Th>
        <Th className={WIDE}>From</Th>
        <Th className={WIDE}>Signed in</Th>
        <Th>Last seen</Th>
        <Th className={WIDE}>Ends</Th>
        <Th>
          <span className="sr-only">Actions</span>
        </Th>
      </tr>
    </thead>
    <tbody>
      {sessions.map((session) => (
        <Tr key={session.id}>
          <Td>
            <span title={session.userAgent ?? undefined}>{browserName(session.userAgent)}</span>{' '}
            {session.current && <Badge tone="accent">this one</Badge>}
            <div className="mono text-muted sm:hidden">{session.address}</div>
          </Td>
          <Td className={`mono ${WIDE}`}>{session.address ?? 'unknown'}</Td>
          <Td className={WIDE}>
            <Time at={session.createdAt} />
          </Td>
          <Td>
            <Time at={session.lastSeenAt} />
          </Td>
          <Td className={WIDE}>
            <Time at={endOf(session)} />
          </Td>
          <Td className="text-right">
            {!session.current && (
              <Button
                small
                onClick={() => onEnd(session)}
                aria-label={`Sign out ${browserName(session.userAgent)} from ${session.address ?? 'unknown'}`}
              >
                Sign out
              </Button>
            )}
          </Td>
        </Tr>
      ))}
    </tbody>
  </Table>
);
