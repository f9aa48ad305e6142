import { TriangleAlert } from 'lucide-react';
import type { FormEvent, ReactNode } from 'react';
import { actorText } from '../../shell/actor.js';
import { useActorNames } from '../../shell/actor-names.js';
import { Button } from '../../ui/button.js';
import { Card } from '../../ui/page.js';
import { ErrorState } from '../../ui/states.js';
import { Time } from '../../ui/time.js';
import { type NetworkForm, useLastChange } from './network-form.js';

interface SettingsCardProps {
  readonly title: string;
  readonly lead?: ReactNode;
  readonly networkId: string;
  readonly form: NetworkForm<Readonly<Record<string, string | boolean>>>;
  /** What fields are called, for saying what others changed. */
  readonly labels: Readonly<Record<string, string>>;
  readonly children: ReactNode;
}

/** Fields of a network with one button that saves them all. */
export function SettingsCard({ title, lead, networkId, form, labels, children }: SettingsCardProps) {
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (form.dirty) form.save();
  };
  return (
    <Card title={title}>
      <form onSubmit={submit} className="flex flex-col gap-4" noValidate>
        {lead && <div className="text-muted">{lead}</div>}
        {children}
        <Conflict form={form} networkId={networkId} labels={labels} />
        {form.errors.rest !== undefined && <ErrorState error={form.errors.rest} />}
        <div className="flex flex-wrap items-center gap-2">
          <Button type="submit" tone="primary" disabled={!form.dirty} busy={form.busy}>
            Save
          </Button>
          {form.dirty && (
            <Button onClick={form.discard} disabled={form.busy}>
              Discard changes
            </Button>
          )}
          {form.dirty && <span className="text-muted text-sm">Not saved yet.</span>}
        </div>
      </form>
    </Card>
  );
}

/** Somebody else changed the same fields: what they are now, and who decides. */
function Conflict({ form, networkId, labels }: Pick<SettingsCardProps, 'form' | 'networkId' | 'labels'>) {
  const theirs = Object.entries(form.theirs);
  const last = useLastChange(networkId, theirs.length > 0).data;
  const nameOf = useActorNames();
  if (theirs.length === 0) return null;
  return (
    <div role="alert" className="flex flex-col gap-3 rounded-xl border border-warn bg-warn-soft px-4 py-3">
      <div className="flex items-start gap-3">
        <TriangleAlert aria-hidden size={20} className="mt-0.5 shrink-0 text-warn" />
        <div className="min-w-0">
          <p className="font-medium">
            {last ? actorText(last.actor, nameOf) : 'Somebody'} changed this while you were editing
            {last && (
              <>
                {' '}
                (<Time at={last.at} />)
              </>
            )}
            . Nothing of yours was saved.
          </p>
          <ul className="mt-1 list-disc pl-5">
            {theirs.map(([key, value]) => (
              <li key={key} className="break-words">
                {labels[key] ?? key} is now <code>{shown(value)}</code>
              </li>
            ))}
          </ul>
        </div>
      </div>
      <div className="flex flex-wrap gap-2">
        <Button small onClick={form.rebase}>
          Keep my changes
        </Button>
        <Button small onClick={form.discard}>
          Take theirs
        </Button>
      </div>
    </div>
  );
}

const shown = (value: string | boolean | undefined): string =>
  value === '' || value === undefined ? 'empty' : String(value).replaceAll('\n', ', ');
