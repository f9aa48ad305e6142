import { useId } from 'react';
import { Checkbox } from '../../ui/field.js';
import { AREAS, holds, type Scope } from './scope-list.js';

/** Boxes by what they are about; what another box implies is ticked and cannot be taken away alone. */
export function ScopePicker({
  scopes,
  onChange,
  error,
}: {
  scopes: ReadonlySet<Scope>;
  onChange: (scopes: ReadonlySet<Scope>) => void;
  error?: string | undefined;
}) {
  const id = useId();
  const set = (scope: Scope, held: boolean): void => {
    const next = new Set(scopes);
    if (held) next.add(scope);
    else next.delete(scope);
    onChange(next);
  };
  const box = (scope: Scope, label: string, about: string) => {
    const implied = holds(scopes, scope) && !scopes.has(scope);
    return (
      <label className="flex min-h-8 items-center gap-2">
        <input
          type="checkbox"
          aria-label={`${about}: ${label}`}
          checked={holds(scopes, scope)}
          disabled={implied}
          onChange={(event) => set(scope, event.target.checked)}
          className="size-5 shrink-0 accent-accent"
        />
        {label}
      </label>
    );
  };
  return (
    <fieldset aria-describedby={error ? `${id}-error` : undefined} className="flex flex-col gap-3">
      <legend className="mb-1 font-medium text-sm">Scopes</legend>
      <div className="rounded-xl border border-line p-3">
        <Checkbox
          label="Everything"
          hint="The scope admin: all that there is and will be. For people, rarely for programs."
          checked={scopes.has('admin')}
          onChange={(event) => set('admin', event.target.checked)}
        />
      </div>
      <div className="divide-y divide-line rounded-xl border border-line">
        {AREAS.map(({ label, hint, read, write }) => (
          <div key={read} className="flex flex-col gap-x-4 px-3 py-2 sm:flex-row sm:items-center">
            <div className="min-w-0 grow">
              <div className="font-medium">{label}</div>
              <div className="text-muted text-sm">{hint}</div>
            </div>
            <div className="flex shrink-0 gap-4 sm:w-44">
              {box(read, 'Read', label)}
              {write && box(write, 'Change', label)}
            </div>
          </div>
        ))}
      </div>
      {error && (
        <p id={`${id}-error`} role="alert" className="text-bad text-sm">
          {error}
        </p>
      )}
    </fieldset>
  );
}
