import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useRouterState } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { WarrenProblem } from '../../api/client.js';
import { useChange } from '../../api/mutation.js';
import { signInStateQuery, spendSignInLink } from '../../api/session.js';
import { Button } from '../../ui/button.js';
import { ErrorState } from '../../ui/states.js';
import { ClearTextWarning, Door, LinkHelp } from './door.js';
import { PASSWORD_HINT, PasswordField, passwordProblem, UserNameForManagers } from './password-field.js';

/** Where a sign-in link leads: it sets the password, once. The link is behind the `#`, which no server is told. */
export function Welcome() {
  const link = useRouterState({ select: ({ location }) => location.hash });
  const state = useQuery(signInStateQuery);
  const isLink = link.startsWith('warrenlink_');
  const lead = state.data?.setUp
    ? 'Choose a new password for the administrator. Everybody else who is signed in will be signed out.'
    : 'This control plane is yours. Choose a password for its administrator.';
  return (
    <Door title="Welcome" {...(isLink && { lead })}>
      {state.data && !state.data.encrypted && <ClearTextWarning />}
      {isLink ? <ChoosePassword link={link} /> : <NoLink />}
    </Door>
  );
}

function ChoosePassword({ link }: { link: string }) {
  const navigate = useNavigate();
  const [password, setPassword] = useState('');
  const [problem, setProblem] = useState<string>();
  const change = useChange({
    change: spendSignInLink,
    quiet: true,
    onDone: () => void navigate({ to: '/', replace: true }),
  });
  const refused = change.error instanceof WarrenProblem && change.error.code === 'password-too-short';
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const found = passwordProblem(password);
    setProblem(found);
    if (found === undefined) change.mutate({ link, password });
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-4" noValidate>
      <UserNameForManagers />
      <PasswordField
        label="New password"
        name="password"
        autoComplete="new-password"
        required
        autoFocus
        value={password}
        onChange={(event) => {
          setPassword(event.target.value);
          if (problem !== undefined) setProblem(passwordProblem(event.target.value));
        }}
        hint={PASSWORD_HINT}
        error={problem ?? (refused ? change.error?.message : undefined)}
      />
      <Button type="submit" tone="primary" busy={change.isPending}>
        Set password and sign in
      </Button>
      {change.error && !refused && <ErrorState error={change.error} />}
    </form>
  );
}

const NoLink = () => (
  <div className="flex flex-col gap-3">
    <p>This address is not complete: the link that leads here has a part behind “#”. Copy the whole of it.</p>
    <LinkHelp />
    <Link to="/sign-in" search={{}} className="text-accent underline">
      Sign in with the password
    </Link>
  </div>
);
