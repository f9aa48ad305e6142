import { useQuery } from '@tanstack/react-query';
import { Trash2 } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { api, take } from '../../api/client.js';
import { formErrors } from '../../api/form-errors.js';
import { useChange } from '../../api/mutation.js';
import { Button, IconButton } from '../../ui/button.js';
import { ConfirmDialog } from '../../ui/dialog.js';
import { TextField } from '../../ui/field.js';
import { Card } from '../../ui/page.js';
import { ErrorState, Skeleton } from '../../ui/states.js';
import { Table, Td, Th, Tr } from '../../ui/table.js';
import { Time } from '../../ui/time.js';
import { reservationsQuery } from './address-queries.js';
import type { NetworkSettings } from './network-form.js';

/** Addresses that are kept for a node to come, or back from all. */
export function Reservations({ network }: { network: NetworkSettings }) {
  const reservations = useQuery(reservationsQuery(network.id));
  const [asked, setAsked] = useState<string>();
  const key = reservationsQuery(network.id).queryKey;
  const removal = useChange({
    change: (prefix: string) =>
      take(api.DELETE('/api/v1/networks/{id}/reservations/{prefix}', { params: { path: { id: network.id, prefix } } })),
    optimistic: (prefix) => [
      { key, update: (old: { prefix: string }[]) => old.filter((reservation) => reservation.prefix !== prefix) },
    ],
    stale: [['addresses', network.id]],
  });
  return (
    <Card title="Reservations">
      <div className="flex flex-col gap-4">
        <p className="text-muted">
          Reserved addresses are handed out to nobody else. With a name, the node that joins by that name gets them.
        </p>
        {reservations.isPending && <Skeleton className="h-16 w-full" />}
        {reservations.isError && <ErrorState error={reservations.error} onRetry={() => void reservations.refetch()} />}
        {reservations.data && reservations.data.length > 0 && (
          <Table label="Reservations">
            <thead>
              <tr>
                <Th>Addresses</Th>
                <Th>For</Th>
                <Th className="hidden sm:table-cell">Made</Th>
                <Th>
                  <span className="sr-only">Actions</span>
                </Th>
              </tr>
            </thead>
            <tbody>
              {reservations.data.map(({ prefix, name, note, createdAt }) => (
                <Tr key={prefix}>
                  <Td>
                    <code>{prefix}</code>
                  </Td>
                  <Td>
                    {name ?? <span className="text-muted">nobody</span>}
                    {note && <div className="text-muted text-sm">{note}</div>}
                  </Td>
                  <Td className="hidden text-muted sm:table-cell">
                    <Time at={createdAt} />
                  </Td>
                  <Td className="w-0">
                    <IconButton label={`Release ${prefix}`} onClick={() => setAsked(prefix)}>
                      <Trash2 aria-hidden size={17} />
                    </IconButton>
                  </Td>
                </Tr>
              ))}
            </tbody>
          </Table>
        )}
        <ReserveForm network={network} />
      </div>
      <ConfirmDialog
        open={asked !== undefined}
        onClose={() => setAsked(undefined)}
        title={`Release ${asked ?? ''}`}
        action="Release"
        onConfirm={() => {
          if (asked !== undefined) removal.mutate(asked);
          setAsked(undefined);
        }}
      >
        <p>Nodes that join from now on may get these addresses. Nodes that have some of them keep them.</p>
      </ConfirmDialog>
    </Card>
  );
}

const EMPTY = { prefix: '', name: '', note: '' };

function ReserveForm({ network }: { network: NetworkSettings }) {
  const [values, setValues] = useState(EMPTY);
  const reserving = useChange({
    change: () => {
      const [prefix, name, note] = [values.prefix.trim(), values.name.trim(), values.note.trim()];
      const body = { prefix, ...(name !== '' && { name }), ...(note !== '' && { note }) };
      return take(api.POST('/api/v1/networks/{id}/reservations', { params: { path: { id: network.id } }, body }));
    },
    stale: [['addresses', network.id]],
    done: ({ prefix }) => `${prefix} is reserved.`,
    onDone: () => setValues(EMPTY),
    quiet: true,
  });
  const { fields, rest } = formErrors(reserving.error, ['prefix', 'name', 'note'], 'prefix');
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    reserving.mutate();
  };
  const field = (key: keyof typeof EMPTY) => ({
    value: values[key],
    error: fields[key],
    onChange: (event: { target: { value: string } }) => setValues({ ...values, [key]: event.target.value }),
  });
  return (
    <form onSubmit={submit} className="flex flex-col gap-3" noValidate>
      <div className="grid items-start gap-3 sm:grid-cols-3">
        <TextField label="Address or prefix" placeholder={exampleOf(network)} {...field('prefix')} />
        <TextField label="Name of the node (optional)" placeholder="printer" {...field('name')} />
        <TextField label="Note (optional)" {...field('note')} />
      </div>
      {rest !== undefined && <ErrorState error={rest} />}
      <Button type="submit" className="self-start" busy={reserving.isPending} disabled={values.prefix.trim() === ''}>
        Reserve
      </Button>
    </form>
  );
}

/** An address of the network, to show how one is written. */
const exampleOf = ({ cidrs: [first = '10.44.0.0/16'] }: NetworkSettings): string =>
  first.replace(/\.\d+\/\d+$/, '.50').replace(/::\/\d+$/, '::50');
