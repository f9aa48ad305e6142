import { type FormEvent, useState } from 'react';
import { Button } from '../../ui/button.js';
import { SelectField, TextField } from '../../ui/field.js';
import { ErrorState } from '../../ui/states.js';
import { type DeviceFaults, type DeviceFields, deviceFaults, NEW_DEVICE } from './device-fields.js';

/** Asks what the device is; nothing is sent from here. */
export function DeviceForm({
  busy,
  error,
  onSubmit,
}: {
  busy: boolean;
  error: unknown;
  onSubmit: (fields: DeviceFields) => void;
}) {
  const [fields, setFields] = useState(NEW_DEVICE);
  const [faults, setFaults] = useState<DeviceFaults>({});
  const set = (change: Partial<DeviceFields>): void => {
    setFields({ ...fields, ...change });
    setFaults(Object.fromEntries(Object.entries(faults).filter(([key]) => !(key in change))));
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const found = deviceFaults(fields);
    setFaults(found);
    if (Object.keys(found).length === 0) onSubmit(fields);
  };
  return (
    <form onSubmit={submit} noValidate className="flex flex-col gap-4">
      <div className="grid items-start gap-4 sm:grid-cols-2">
        <TextField
          label="Name"
          placeholder="phone"
          hint="Lower-case letters, digits and hyphens."
          value={fields.name}
          error={faults.name}
          onChange={(event) => set({ name: event.target.value })}
          autoComplete="off"
        />
        <SelectField
          label="Role"
          hint={ROLE_HINTS[fields.role]}
          value={fields.role}
          onChange={(event) => set({ role: event.target.value as DeviceFields['role'] })}
        >
          <option value="client">Client</option>
          <option value="direct">Direct</option>
          <option value="bounce">Bounce</option>
        </SelectField>
        {fields.role !== 'client' && (
          <TextField
            label="Endpoint"
            hint="Host and UDP port by which others reach it; a dynamic name is fine."
            placeholder="router.example.org:51820"
            value={fields.endpoint}
            error={faults.endpoint}
            onChange={(event) => set({ endpoint: event.target.value })}
            autoComplete="off"
          />
        )}
        <TextField
          label="Tags"
          hint="With commas between; may stay empty."
          value={fields.tags}
          error={faults.tags}
          onChange={(event) => set({ tags: event.target.value })}
          autoComplete="off"
        />
      </div>
      <KeyChoice fields={fields} set={set} fault={faults.publicKey} />
      {error != null && <ErrorState error={error} />}
      <div className="flex justify-end">
        <Button type="submit" tone="primary" busy={busy} className="max-sm:w-full">
          Add the device
        </Button>
      </div>
    </form>
  );
}

const ROLE_HINTS: Readonly<Record<DeviceFields['role'], string>> = {
  client: 'A phone, or a router behind a NAT.',
  direct: 'Others reach it at its endpoint.',
  bounce: 'Others reach it at its endpoint, and it forwards for them.',
};

function KeyChoice({
  fields,
  set,
  fault,
}: {
  fields: DeviceFields;
  set: (change: Partial<DeviceFields>) => void;
  fault: string | undefined;
}) {
  const choice = (key: DeviceFields['key'], label: string, hint: string) => (
    <label className="flex cursor-pointer items-start gap-2.5">
      <input
        type="radio"
        name="key"
        value={key}
        checked={fields.key === key}
        onChange={() => set({ key })}
        className="mt-0.5 size-5 shrink-0 accent-accent"
      />
      <span>
        <span className="font-medium">{label}</span>
        <span className="block text-muted text-sm">{hint}</span>
      </span>
    </label>
  );
  return (
    <fieldset className="flex flex-col gap-3">
      <legend className="mb-2 font-medium text-sm">Key pair</legend>
      {choice(
        'here',
        'Make it in this browser',
        'The private key goes into the QR code and the file, and is sent nowhere.',
      )}
      {choice('own', 'The device has one', 'Give its public key; the private key stays where it is.')}
      {fields.key === 'own' && (
        <TextField
          label="Public key"
          value={fields.publicKey}
          error={fault}
          onChange={(event) => set({ publicKey: event.target.value })}
          autoComplete="off"
          className="mono"
        />
      )}
    </fieldset>
  );
}
