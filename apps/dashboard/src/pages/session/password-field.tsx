import { Eye, EyeOff } from 'lucide-react';
import { type ComponentProps, type ReactNode, useState } from 'react';
import { IconButton } from '../../ui/button.js';
import { Field, Input } from '../../ui/field.js';

interface PasswordFieldProps extends Omit<ComponentProps<'input'>, 'type' | 'id' | 'className'> {
  readonly label: string;
  readonly hint?: ReactNode;
  readonly error?: string | undefined;
}

/** A password, which may be looked at while it is typed: then it needs to be typed once. */
export function PasswordField({ label, hint, error, ...rest }: PasswordFieldProps) {
  const [shown, setShown] = useState(false);
  return (
    <Field label={label} hint={hint} error={error}>
      {(ids) => (
        <div className="relative">
          <Input {...ids} {...rest} type={shown ? 'text' : 'password'} autoCorrect="off" className="pr-11" />
          <IconButton
            label={shown ? `Hide ${label.toLowerCase()}` : `Show ${label.toLowerCase()}`}
            aria-pressed={shown}
            onClick={() => setShown(!shown)}
            className="absolute top-0.5 right-0.5"
          >
            {shown ? <EyeOff aria-hidden size={18} /> : <Eye aria-hidden size={18} />}
          </IconButton>
        </div>
      )}
    </Field>
  );
}

/** Who signs in, for password managers; there is one user. */
export const UserNameForManagers = () => (
  <input type="text" name="username" autoComplete="username" value="admin" readOnly hidden aria-hidden tabIndex={-1} />
);

/** Characters (code points), as the control plane counts them. */
const SHORTEST = 10;

/** What is wrong with a password that is to be; undefined: nothing that can be seen here. */
export function passwordProblem(password: string): string | undefined {
  const missing = SHORTEST - [...password.normalize('NFC')].length;
  return missing > 0 ? `at least ${SHORTEST} characters: ${missing} more` : undefined;
}

export const PASSWORD_HINT = 'At least 10 characters. Several words are easier to remember than signs.';
