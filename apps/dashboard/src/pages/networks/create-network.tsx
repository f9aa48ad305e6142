import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { api, take } from '../../api/client.js';
import { formErrors } from '../../api/form-errors.js';
import { useChange } from '../../api/mutation.js';
import { networksQuery, statusQuery } from '../../api/queries.js';
import { Button } from '../../ui/button.js';
import { Dialog } from '../../ui/dialog.js';
import { TextareaField, TextField } from '../../ui/field.js';
import { ErrorState } from '../../ui/states.js';
import { linesOf } from './network-form.js';

export const CreateNetwork = ({ open, onClose }: { open: boolean; onClose: () => void }) => (
  <Dialog open={open} onClose={onClose} title="Create a network" description="Name and addresses are all it needs.">
    <CreateForm onClose={onClose} />
  </Dialog>
);

/** RFC 4193 §3.2: 40 random bits, so that two networks that meet one day do not overlap. */
function randomUla(): string {
  const [a = 0, b = 0, c = 0] = crypto.getRandomValues(new Uint16Array(3));
  const hex = (value: number): string => value.toString(16);
  return `fd${hex(a & 0xff).padStart(2, '0')}:${hex(b)}:${hex(c)}::/64`;
}

/** A /16 of 10.0.0.0/8, away from what home and office networks use most. */
const randomIpv4 = (): string => `10.${64 + (crypto.getRandomValues(new Uint8Array(1))[0]! % 128)}.0.0/16`;

function CreateForm({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState('');
  const [cidrs, setCidrs] = useState(() => `${randomIpv4()}\n${randomUla()}`);
  const navigate = useNavigate();
  const creation = useChange({
    change: () =>
      take(api.POST('/api/v1/networks', { body: { name: name.trim().toLowerCase(), cidrs: linesOf(cidrs) } })),
    stale: [networksQuery.queryKey, statusQuery.queryKey],
    done: (network) => `The network ${network.name} was made.`,
    onDone: (network) => {
      onClose();
      void navigate({ to: '/n/$network/add', params: { network: network.name }, search: {} });
    },
    quiet: true,
  });
  const errors = formErrors(creation.error, ['name', 'cidrs'], 'cidrs');
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    creation.mutate();
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-4" noValidate>
      <TextField
        label="Name"
        hint="Small letters, digits and hyphens, such as office."
        value={name}
        error={errors.fields.name}
        autoComplete="off"
        onChange={(event) => setName(event.target.value)}
      />
      <TextareaField
        label="Address ranges"
        rows={3}
        hint="One prefix a line, up to four. These are random, so that they clash with no LAN; change them if you like."
        value={cidrs}
        error={errors.fields.cidrs}
        onChange={(event) => setCidrs(event.target.value)}
      />
      {errors.rest !== undefined && <ErrorState error={errors.rest} />}
      <div className="flex flex-wrap justify-end gap-2">
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" tone="primary" busy={creation.isPending} disabled={name.trim() === ''}>
          Create network
        </Button>
      </div>
    </form>
  );
}
