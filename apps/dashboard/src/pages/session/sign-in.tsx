import { useQuery } from '@tanstack/react-query';
import { useNavigate, useRouter, useSearch } from '@tanstack/react-router';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { useChange } from '../../api/mutation.js';
import { sessionQuery, signIn, signInStateQuery } from '../../api/session.js';
import { Button } from '../../ui/button.js';
import { ErrorState, Skeleton } from '../../ui/states.js';
import { ClearTextWarning, Door, LinkHelp } from './door.js';
import { PasswordField, UserNameForManagers } from './password-field.js';

/** The password, or how to get one. Whoever is signed in already goes on. */
export function SignIn() {
  const state = useQuery(signInStateQuery);
  const session = useQuery(sessionQuery);
  const goOn = useGoOn();
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when it is known
  useEffect(() => {
    if (session.data) goOn();
  }, [session.data]);
  return (
    <Door title="Sign in">
      {state.error ? (
        <ErrorState error={state.error} onRetry={() => void state.refetch()} />
      ) : !state.data ? (
        <Skeleton className="h-32 w-full" />
      ) : (
        <>
          {!state.data.encrypted && <ClearTextWarning />}
          {state.data.setUp ? <PasswordForm /> : <NotSetUp />}
        </>
      )}
    </Door>
  );
}

function PasswordForm() {
  const [password, setPassword] = useState('');
  const field = useRef<HTMLInputElement>(null);
  const change = useChange({ change: signIn, quiet: true });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    change.mutate(password, {
      onError: () => {
        field.current?.focus();
        field.current?.select();
      },
    });
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      <UserNameForManagers />
      <PasswordField
        ref={field}
        label="Password"
        name="password"
        autoComplete="current-password"
        required
        autoFocus
        value={password}
        onChange={(event) => setPassword(event.target.value)}
        error={change.error?.message}
      />
      <Button type="submit" tone="primary" busy={change.isPending}>
        Sign in
      </Button>
      <details className="text-muted text-sm">
        <summary>Password forgotten?</summary>
        <div className="pt-2">
          <LinkHelp />
        </div>
      </details>
    </form>
  );
}

const NotSetUp = () => (
  <div className="flex flex-col gap-3">
    <p>
      No password was set yet. Open the link that <code>warren serve</code> printed when it started: it begins with{' '}
      <code>{`${window.location.origin}/welcome#`}</code>
    </p>
    <LinkHelp />
  </div>
);

/** To where somebody was going before they had to sign in; only within this page. */
function useGoOn(): () => void {
  const { next } = useSearch({ from: '/sign-in' });
  const navigate = useNavigate();
  const router = useRouter();
  return () => {
    if (next !== undefined && /^\/(?![/\\])/.test(next)) router.history.replace(next);
    else void navigate({ to: '/', replace: true });
  };
}
