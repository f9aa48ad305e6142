import type { Schemas } from '@warren/client';
import { useState } from 'react';
import { api, take } from '../../api/client.js';
import { formErrors } from '../../api/form-errors.js';
import { useChange } from '../../api/mutation.js';
import { networkQuery, networksQuery } from '../../api/queries.js';
import { Button } from '../../ui/button.js';
import { Dialog } from '../../ui/dialog.js';
import { Checkbox, TextareaField, TextField } from '../../ui/field.js';
import { ErrorState } from '../../ui/states.js';
import { linesOf, type NetworkSettings } from './network-form.js';
import { RenumberPreview } from './renumber-preview.js';

interface Wanted {
  readonly cidrs: string;
  readonly pools: string;
}

/** Other addresses for all: typed, shown what would become of it, then done. */
export const RenumberDialog = ({
  network,
  open,
  onClose,
}: {
  network: NetworkSettings;
  open: boolean;
  onClose: () => void;
}) => (
  <Dialog
    open={open}
    onClose={onClose}
    wide
    title={`Renumber ${network.name}`}
    description="Gives every node other addresses. First you see what would change; nothing is done until you say so."
  >
    <Renumber network={network} onClose={onClose} />
  </Dialog>
);

function Renumber({ network, onClose }: { network: NetworkSettings; onClose: () => void }) {
  const [wanted, setWanted] = useState<Wanted>({ cidrs: network.cidrs.join('\n'), pools: '' });
  const [plan, setPlan] = useState<Schemas['Renumbering']>();
  const body = { cidrs: linesOf(wanted.cidrs), ...(wanted.pools.trim() !== '' && { pools: linesOf(wanted.pools) }) };
  const path = { params: { path: { id: network.id } } };
  const preview = useChange({
    change: () => take(api.POST('/api/v1/networks/{id}/renumber', { ...path, body: { ...body, dryRun: true } })),
    onDone: setPlan,
    quiet: true,
  });
  const renumbering = useChange({
    change: (allowLanClash: boolean) =>
      take(api.POST('/api/v1/networks/{id}/renumber', { ...path, body: { ...body, allowLanClash } })),
    stale: [networksQuery.queryKey, networkQuery(network.id).queryKey, ['addresses', network.id], ['nodes']],
    done: () => `${network.name} has other addresses now.`,
    onDone: onClose,
    quiet: true,
  });
  const errors = formErrors(preview.error, ['cidrs', 'pools'], 'cidrs');
  const set = (change: Partial<Wanted>): void => {
    setWanted({ ...wanted, ...change });
    setPlan(undefined);
  };
  return (
    <div className="flex flex-col gap-4">
      <div className="grid items-start gap-4 sm:grid-cols-2">
        <TextareaField
          label="New address ranges"
          rows={3}
          hint="One prefix a line. Nodes keep their place within the range where they can."
          value={wanted.cidrs}
          error={errors.fields.cidrs}
          onChange={(event) => set({ cidrs: event.target.value })}
        />
        <TextareaField
          label="New pools (optional)"
          rows={3}
          hint="Empty: the pools that there are move along."
          value={wanted.pools}
          error={errors.fields.pools}
          onChange={(event) => set({ pools: event.target.value })}
        />
      </div>
      {errors.rest !== undefined && <ErrorState error={errors.rest} />}
      {plan === undefined ? (
        <div className="flex flex-wrap justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button tone="primary" busy={preview.isPending} onClick={() => preview.mutate()}>
            Preview
          </Button>
        </div>
      ) : (
        <>
          <RenumberPreview plan={plan} />
          {renumbering.isError && <ErrorState error={renumbering.error} />}
          <Confirm
            name={network.name}
            clashes={plan.lanClashes.length > 0}
            busy={renumbering.isPending}
            onConfirm={(allowed) => renumbering.mutate(allowed)}
            onBack={() => setPlan(undefined)}
          />
        </>
      )}
    </div>
  );
}

function Confirm({
  name,
  clashes,
  busy,
  onConfirm,
  onBack,
}: {
  name: string;
  clashes: boolean;
  busy: boolean;
  onConfirm: (allowLanClash: boolean) => void;
  onBack: () => void;
}) {
  const [typed, setTyped] = useState('');
  const [allowed, setAllowed] = useState(false);
  return (
    <div className="flex flex-col gap-4">
      {clashes && (
        <Checkbox
          label="Renumber in spite of the LANs that overlap"
          hint="Those hosts may lose the way to their own LAN, or to this network."
          checked={allowed}
          onChange={(event) => setAllowed(event.target.checked)}
        />
      )}
      <TextField
        label={`Type “${name}” to confirm`}
        value={typed}
        autoComplete="off"
        onChange={(event) => setTyped(event.target.value)}
      />
      <div className="flex flex-wrap justify-end gap-2">
        <Button onClick={onBack}>Back</Button>
        <Button
          tone="danger"
          disabled={typed.trim() !== name || (clashes && !allowed)}
          busy={busy}
          onClick={() => onConfirm(allowed)}
        >
          Renumber
        </Button>
      </div>
    </div>
  );
}
