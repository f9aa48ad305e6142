import { type FormEvent, useState } from 'react';
import { WarrenProblem } from '../../api/client.js';
import { useChange } from '../../api/mutation.js';
import { changePassword, sessionsQuery } from '../../api/session.js';
import { Button } from '../../ui/button.js';
import { ErrorState } from '../../ui/states.js';
import { PASSWORD_HINT, PasswordField, passwordProblem, UserNameForManagers } from './password-field.js';

/** Needs the one before; ends all other sessions. */
export function ChangePassword() {
  const [current, setCurrent] = useState('');
  const [password, setPassword] = useState('');
  const [problem, setProblem] = useState<string>();
  const change = useChange({
    change: changePassword,
    quiet: true,
    stale: [sessionsQuery.queryKey],
    done: () => 'the password is changed; other browsers are signed out',
    onDone: () => {
      setCurrent('');
      setPassword('');
    },
  });
  const code = change.error instanceof WarrenProblem ? change.error.code : undefined;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const found = passwordProblem(password);
    setProblem(found);
    if (found === undefined) change.mutate({ current, password });
  };
  return (
    <form onSubmit={submit} className="flex max-w-sm flex-col gap-4">
      <UserNameForManagers />
      <PasswordField
        label="Current password"
        name="current"
        autoComplete="current-password"
        required
        value={current}
        onChange={(event) => {
          setCurrent(event.target.value);
          if (code === 'password-wrong') change.reset();
        }}
        error={code === 'password-wrong' ? change.error?.message : undefined}
      />
      <PasswordField
        label="New password"
        name="password"
        autoComplete="new-password"
        required
        value={password}
        onChange={(event) => {
          setPassword(event.target.value);
          if (problem !== undefined) setProblem(passwordProblem(event.target.value));
        }}
        hint={PASSWORD_HINT}
        error={problem ?? (code === 'password-too-short' ? change.error?.message : undefined)}
      />
      <div>
        <Button type="submit" tone="primary" busy={change.isPending}>
          Change the password
        </Button>
      </div>
      {change.error && code !== 'password-wrong' && code !== 'password-too-short' && (
        <ErrorState error={change.error} />
      )}
    </form>
  );
}
