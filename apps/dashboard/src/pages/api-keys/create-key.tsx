import type { Schemas } from '@warren/client';
import { type FormEvent, useState } from 'react';
import { api, take } from '../../api/client.js';
import { formErrors } from '../../api/form-errors.js';
import { useChange } from '../../api/mutation.js';
import { apiKeysQuery } from '../../api/queries.js';
import { Button } from '../../ui/button.js';
import { CopyBlock } from '../../ui/copy.js';
import { Dialog } from '../../ui/dialog.js';
import { ExpiryField } from '../../ui/expiry-field.js';
import { TextField } from '../../ui/field.js';
import { ErrorState } from '../../ui/states.js';
import { type Scope, shortest } from './scope-list.js';
import { ScopePicker } from './scope-picker.js';

type CreatedKey = Schemas['CreatedApiKey'];

export function CreateKeyDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const [made, setMade] = useState<CreatedKey>();
  const close = (): void => {
    setMade(undefined);
    onClose();
  };
  return (
    <Dialog open={open} onClose={close} wide title={made ? `API key “${made.name}”` : 'Create an API key'}>
      {made ? <Secret made={made} onClose={close} /> : <CreateForm onMade={setMade} onClose={close} />}
    </Dialog>
  );
}

function CreateForm({ onMade, onClose }: { onMade: (key: CreatedKey) => void; onClose: () => void }) {
  const [name, setName] = useState('');
  const [scopes, setScopes] = useState<ReadonlySet<Scope>>(new Set());
  const [expires, setExpires] = useState<string | null>('90d');
  const creation = useChange({
    change: () => take(api.POST('/api/v1/apikeys', { body: { name: name.trim(), scopes: shortest(scopes), expires } })),
    stale: [apiKeysQuery.queryKey],
    onDone: onMade,
    quiet: true,
  });
  const { fields, rest } = formErrors(creation.error, ['name', 'scopes', 'expires']);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    creation.mutate();
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-4" noValidate>
      <TextField
        label="Name"
        hint="What it is for, such as backup script."
        value={name}
        error={fields.name}
        autoComplete="off"
        onChange={(event) => setName(event.target.value)}
      />
      <ScopePicker scopes={scopes} onChange={setScopes} error={fields.scopes} />
      <ExpiryField value={expires} onChange={setExpires} error={fields.expires} />
      {rest !== undefined && <ErrorState error={rest} />}
      <div className="flex flex-wrap justify-end gap-2">
        <Button onClick={onClose}>Cancel</Button>
        <Button
          type="submit"
          tone="primary"
          busy={creation.isPending}
          disabled={name.trim() === '' || scopes.size === 0}
        >
          Create API key
        </Button>
      </div>
    </form>
  );
}

function Secret({ made, onClose }: { made: CreatedKey; onClose: () => void }) {
  const { origin } = window.location;
  return (
    <div className="flex flex-col gap-4">
      <p>This is shown once. Keep it where secrets are kept; it cannot be looked up later.</p>
      <CopyBlock text={made.secret} what="the API key" wrap />
      <div className="flex flex-col gap-2">
        <h3 className="font-medium">With the warren command</h3>
        <CopyBlock text={`WARREN_URL=${origin} WARREN_TOKEN=${made.secret} warren status`} what="the command" wrap />
        <h3 className="font-medium">With curl</h3>
        <CopyBlock
          text={`curl -H "Authorization: Bearer ${made.secret}" ${origin}/api/v1/status`}
          what="the curl command"
          wrap
        />
      </div>
      <div className="flex justify-end">
        <Button tone="primary" onClick={onClose}>
          Done
        </Button>
      </div>
    </div>
  );
}
