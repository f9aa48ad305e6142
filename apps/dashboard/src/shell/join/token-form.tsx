import { type FormEvent, useState } from 'react';
import { useChange } from '../../api/mutation.js';
import { type CreatedToken, createToken } from '../../api/tokens.js';
import { Button } from '../../ui/button.js';
import { Checkbox, SelectField, TextField } from '../../ui/field.js';
import { ErrorState } from '../../ui/states.js';
import { NEW_TOKEN, type TokenFaults, type TokenFields, tokenRequest } from './token-fields.js';

/** Makes a token; the defaults are right for one host that joins now. */
export function TokenForm({ network, onCreated }: { network: string; onCreated: (token: CreatedToken) => void }) {
  const [fields, setFields] = useState(NEW_TOKEN);
  const [faults, setFaults] = useState<TokenFaults>({});
  const create = useChange({ change: createToken, stale: [['tokens']], quiet: true, onDone: onCreated });
  const set = (change: Partial<TokenFields>): void => {
    setFields({ ...fields, ...change });
    const mended = Object.keys(change);
    setFaults(Object.fromEntries(Object.entries(faults).filter(([key]) => !mended.includes(key))));
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const request = tokenRequest(network, fields);
    if ('faults' in request) setFaults(request.faults);
    else create.mutate(request.body);
  };
  return (
    <form onSubmit={submit} noValidate className="flex flex-col gap-4">
      <div className="grid items-start gap-4 sm:grid-cols-3">
        <Role fields={fields} set={set} />
        <Uses fields={fields} set={set} faults={faults} />
        <Expiry fields={fields} set={set} faults={faults} />
      </div>
      <More fields={fields} set={set} faults={faults} />
      {create.isError && <ErrorState error={create.error} />}
      <div className="flex justify-end">
        <Button type="submit" tone="primary" busy={create.isPending} className="max-sm:w-full">
          Make the join line
        </Button>
      </div>
    </form>
  );
}

interface Part {
  readonly fields: TokenFields;
  readonly set: (change: Partial<TokenFields>) => void;
}
type CheckedPart = Part & { readonly faults: TokenFaults };

const ROLE_HINTS: Readonly<Record<TokenFields['role'], string>> = {
  '': 'A client, unless the join line says otherwise.',
  client: 'Behind a NAT or firewall, as most hosts are.',
  direct: 'Others reach it at a public or LAN address.',
  bounce: 'Publicly reachable; also relays for others, and phones connect to it.',
};

const Role = ({ fields, set }: Part) => (
  <SelectField
    label="Role"
    hint={ROLE_HINTS[fields.role]}
    value={fields.role}
    onChange={(event) => set({ role: event.target.value as TokenFields['role'] })}
  >
    <option value="">Chosen on the host</option>
    <option value="client">Client</option>
    <option value="direct">Direct</option>
    <option value="bounce">Bounce</option>
  </SelectField>
);

const Uses = ({ fields, set, faults }: CheckedPart) => (
  <div className="flex flex-col gap-2">
    <SelectField
      label="Good for"
      value={fields.uses}
      onChange={(event) => set({ uses: event.target.value as TokenFields['uses'] })}
    >
      <option value="one">One host</option>
      <option value="some">Several hosts</option>
      <option value="any">Any number of hosts</option>
    </SelectField>
    {fields.uses === 'some' && (
      <TextField
        label="How many hosts"
        type="number"
        inputMode="numeric"
        min={1}
        value={fields.count}
        error={faults.count}
        onChange={(event) => set({ count: event.target.value })}
      />
    )}
  </div>
);

const Expiry = ({ fields, set, faults }: CheckedPart) => (
  <div className="flex flex-col gap-2">
    <SelectField
      label="Expires after"
      value={fields.expires}
      onChange={(event) => set({ expires: event.target.value })}
    >
      <option value="15m">15 minutes</option>
      <option value="1h">1 hour</option>
      <option value="1d">1 day</option>
      <option value="7d">7 days</option>
      <option value="30d">30 days</option>
      <option value="other">Another time</option>
      <option value="never">Never</option>
    </SelectField>
    {fields.expires === 'other' && (
      <TextField
        label="Time until it expires"
        placeholder="3d"
        value={fields.otherExpiry}
        error={faults.otherExpiry}
        onChange={(event) => set({ otherExpiry: event.target.value })}
      />
    )}
  </div>
);

const More = ({ fields, set, faults }: CheckedPart) => (
  <details open={faults.name || faults.tags ? true : undefined} className="group">
    <summary className="w-fit rounded py-1 font-medium text-accent">Name, tags and approval</summary>
    <div className="mt-3 grid items-start gap-4 sm:grid-cols-2">
      <TextField
        label="Name of the token"
        hint="What it is for; shown in the list of tokens."
        value={fields.name}
        error={faults.name}
        onChange={(event) => set({ name: event.target.value })}
        autoComplete="off"
      />
      <TextField
        label="Tags"
        hint="Given to whoever joins, with commas between."
        placeholder="office, printer"
        value={fields.tags}
        error={faults.tags}
        onChange={(event) => set({ tags: event.target.value })}
        autoComplete="off"
      />
      <Checkbox
        label="Wait for approval"
        hint="A host that joins sees nobody until it is approved here."
        checked={fields.approval}
        onChange={(event) => set({ approval: event.target.checked })}
      />
      <Checkbox
        label="Ephemeral"
        hint="For hosts that come and go: removed some minutes after they are gone."
        checked={fields.ephemeral}
        onChange={(event) => set({ ephemeral: event.target.checked })}
      />
    </div>
  </details>
);
