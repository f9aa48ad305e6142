import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { api, take } from '../../api/client.js';
import { formErrors } from '../../api/form-errors.js';
import { useChange } from '../../api/mutation.js';
import { type Network, networkQuery, networksQuery } from '../../api/queries.js';
import { Button } from '../../ui/button.js';
import { Dialog } from '../../ui/dialog.js';
import { TextField } from '../../ui/field.js';
import { ErrorState } from '../../ui/states.js';

/** @param network undefined: closed */
export const RenameNetwork = ({ network, onClose }: { network: Network | undefined; onClose: () => void }) => (
  <Dialog
    open={network !== undefined}
    onClose={onClose}
    title={`Rename ${network?.name ?? ''}`}
    description="The addresses of its pages change with it. Agents and files keep working."
  >
    {network && <RenameForm network={network} onClose={onClose} />}
  </Dialog>
);

function RenameForm({ network, onClose }: { network: Network; onClose: () => void }) {
  const [name, setName] = useState(network.name);
  const current = useQuery(networkQuery(network.id));
  const renaming = useChange({
    change: () =>
      take(
        api.PATCH('/api/v1/networks/{id}', {
          params: { path: { id: network.id }, header: { 'If-Match': current.data?.etag ?? '*' } },
          body: { name: name.trim().toLowerCase() },
        }),
      ),
    stale: [networksQuery.queryKey],
    onDone: onClose,
    quiet: true,
  });
  const errors = formErrors(renaming.error, ['name']);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    renaming.mutate();
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-4" noValidate>
      <TextField
        label="Name"
        value={name}
        error={errors.fields.name}
        autoComplete="off"
        onChange={(event) => setName(event.target.value)}
      />
      {errors.rest !== undefined && <ErrorState error={errors.rest} />}
      <div className="flex flex-wrap justify-end gap-2">
        <Button onClick={onClose}>Cancel</Button>
        <Button
          type="submit"
          tone="primary"
          busy={renaming.isPending || current.isPending}
          disabled={name.trim() === '' || name.trim() === network.name}
        >
          Rename
        </Button>
      </div>
    </form>
  );
}
