import type { Schemas } from '@warren/client';
import { type FormEvent, useState } from 'react';
import { api, take } from '../../api/client.js';
import { formErrors } from '../../api/form-errors.js';
import { useChange } from '../../api/mutation.js';
import { Button } from '../../ui/button.js';
import { CopyBlock } from '../../ui/copy.js';
import { Dialog } from '../../ui/dialog.js';
import { ExpiryField } from '../../ui/expiry-field.js';
import { TextField } from '../../ui/field.js';
import { ErrorState } from '../../ui/states.js';

type CreatedToken = Schemas['CreatedSignalToken'];

/** A token for a signal server on another machine, and the command that uses it. */
export function EnrolDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const [made, setMade] = useState<CreatedToken>();
  const [host, setHost] = useState('');
  const close = (): void => {
    setMade(undefined);
    setHost('');
    onClose();
  };
  return (
    <Dialog
      open={open}
      onClose={close}
      wide
      title={made ? `Signal server for ${made.region}` : 'Add a region'}
      description={made ? undefined : 'Another machine with a public address then serves signalling and relay.'}
    >
      {made ? (
        <Command token={made.token} host={host} onHost={setHost} onClose={close} />
      ) : (
        <EnrolForm onMade={setMade} host={host} onHost={setHost} onClose={close} />
      )}
    </Dialog>
  );
}

interface HostProps {
  readonly host: string;
  readonly onHost: (host: string) => void;
  readonly onClose: () => void;
}

const HostField = ({ host, onHost }: Pick<HostProps, 'host' | 'onHost'>) => (
  <TextField
    label="Public name or address of that machine"
    hint="How agents reach it. It goes into the command only."
    placeholder="signal.example.org"
    value={host}
    autoComplete="off"
    onChange={(event) => onHost(event.target.value)}
  />
);

function EnrolForm({ onMade, host, onHost, onClose }: HostProps & { onMade: (token: CreatedToken) => void }) {
  const [region, setRegion] = useState('');
  const [expires, setExpires] = useState<string | null>('1h');
  const creation = useChange({
    change: () => take(api.POST('/api/v1/signal-tokens', { body: { region: region.trim(), expires } })),
    stale: [['signals', 'tokens']],
    onDone: onMade,
    quiet: true,
  });
  const { fields, rest } = formErrors(creation.error, ['region', 'expires']);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    creation.mutate();
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-4" noValidate>
      <TextField
        label="Region"
        hint="Where that machine is, for people: letters, digits and inner . _ -"
        placeholder="frankfurt"
        value={region}
        error={fields.region}
        autoComplete="off"
        onChange={(event) => setRegion(event.target.value)}
      />
      <HostField host={host} onHost={onHost} />
      <ExpiryField value={expires} onChange={setExpires} error={fields.expires} />
      {rest !== undefined && <ErrorState error={rest} />}
      <div className="flex flex-wrap justify-end gap-2">
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" tone="primary" busy={creation.isPending} disabled={region.trim() === ''}>
          Create token
        </Button>
      </div>
    </form>
  );
}

function Command({ token, host, onHost, onClose }: HostProps & { token: string }) {
  const command = `warren signal --token ${token} --public-host ${quoted(host.trim()) || 'HOST'}`;
  return (
    <div className="flex flex-col gap-4">
      <p>Run this on that machine. The token is shown once, and works once; afterwards the server renews by itself.</p>
      <HostField host={host} onHost={onHost} />
      <CopyBlock text={command} what="the command" wrap />
      <p className="text-muted text-sm">
        It serves STUN, signalling and relay by UDP and TLS: let the ports through that it says when it starts. Once it
        has enrolled, it appears in the list and agents are told of it.
      </p>
      <div className="flex justify-end">
        <Button tone="primary" onClick={onClose}>
          Done
        </Button>
      </div>
    </div>
  );
}

/** What is typed is pasted into a shell. */
const quoted = (text: string): string =>
  text === '' || /^[\w.:[\]-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
