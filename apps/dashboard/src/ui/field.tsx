import { type ComponentProps, type ReactNode, useId } from 'react';
import { cx } from './class-names.js';

const BOX =
  'w-full rounded-lg border border-line-strong bg-surface px-3 text-ink placeholder:text-muted/80 ' +
  'disabled:bg-sunken disabled:text-muted aria-invalid:border-bad';

interface FieldProps {
  readonly label: ReactNode;
  readonly hint?: ReactNode;
  /** What is wrong with the value, and what to do. */
  readonly error?: string | undefined;
  readonly children: (ids: {
    id: string;
    'aria-describedby': string | undefined;
    'aria-invalid': boolean;
  }) => ReactNode;
  readonly className?: string;
}

/** Label above, hint and error below, tied to the control by id. */
export function Field({ label, hint, error, children, className }: FieldProps) {
  const id = useId();
  const described = [hint ? `${id}-hint` : '', error ? `${id}-error` : ''].filter(Boolean).join(' ') || undefined;
  return (
    <div className={cx('flex flex-col gap-1', className)}>
      <label htmlFor={id} className="text-sm font-medium">
        {label}
      </label>
      {children({ id, 'aria-describedby': described, 'aria-invalid': error !== undefined })}
      {hint && (
        <p id={`${id}-hint`} className="text-sm text-muted">
          {hint}
        </p>
      )}
      {error && (
        <p id={`${id}-error`} className="text-sm text-bad" role="alert">
          {error}
        </p>
      )}
    </div>
  );
}

export const Input = ({ className, ...rest }: ComponentProps<'input'>) => (
  <input spellCheck={false} autoCapitalize="off" {...rest} className={cx(BOX, 'h-10', className)} />
);

export const Textarea = ({ className, ...rest }: ComponentProps<'textarea'>) => (
  <textarea spellCheck={false} {...rest} className={cx(BOX, 'py-2 font-mono text-sm', className)} />
);

/** The browser's own: works with every keyboard and screen reader. */
export const Select = ({ className, ...rest }: ComponentProps<'select'>) => (
  <select {...rest} className={cx(BOX, 'h-10 pr-8', className)} />
);

type TextFieldProps = Omit<FieldProps, 'children'> & Omit<ComponentProps<'input'>, 'children' | 'id'>;

export const TextField = ({ label, hint, error, className, ...rest }: TextFieldProps) => (
  <Field label={label} hint={hint} error={error} {...(className && { className })}>
    {(ids) => <Input {...ids} {...rest} />}
  </Field>
);

type SelectFieldProps = Omit<FieldProps, 'children'> & Omit<ComponentProps<'select'>, 'id'>;

export const SelectField = ({ label, hint, error, className, children, ...rest }: SelectFieldProps) => (
  <Field label={label} hint={hint} error={error} {...(className && { className })}>
    {(ids) => (
      <Select {...ids} {...rest}>
        {children}
      </Select>
    )}
  </Field>
);

type TextareaFieldProps = Omit<FieldProps, 'children'> & Omit<ComponentProps<'textarea'>, 'children' | 'id'>;

export const TextareaField = ({ label, hint, error, className, ...rest }: TextareaFieldProps) => (
  <Field label={label} hint={hint} error={error} {...(className && { className })}>
    {(ids) => <Textarea {...ids} {...rest} />}
  </Field>
);

/** A box to tick, with its name and what it means beside it. */
export function Checkbox({ label, hint, ...rest }: ComponentProps<'input'> & { label: ReactNode; hint?: ReactNode }) {
  const id = useId();
  return (
    <div className="flex items-start gap-2.5">
      <input
        type="checkbox"
        id={id}
        aria-describedby={hint ? `${id}-hint` : undefined}
        {...rest}
        className="mt-0.5 size-5 shrink-0 accent-accent"
      />
      <div>
        <label htmlFor={id} className="font-medium">
          {label}
        </label>
        {hint && (
          <p id={`${id}-hint`} className="text-sm text-muted">
            {hint}
          </p>
        )}
      </div>
    </div>
  );
}
