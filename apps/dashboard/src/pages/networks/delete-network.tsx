import { api, take } from '../../api/client.js';
import { useChange } from '../../api/mutation.js';
import { networksQuery } from '../../api/queries.js';
import { ConfirmDialog } from '../../ui/dialog.js';
import { ErrorState } from '../../ui/states.js';

/** @param network undefined: closed */
export function DeleteNetwork({
  network,
  onClose,
  onDeleted,
}: {
  network: { readonly id: string; readonly name: string } | undefined;
  onClose: () => void;
  onDeleted?: () => void;
}) {
  const removal = useChange({
    change: (id: string) => take(api.DELETE('/api/v1/networks/{id}', { params: { path: { id } } })),
    stale: [networksQuery.queryKey],
    done: () => `The network ${network?.name ?? ''} was deleted.`,
    onDone: () => {
      onClose();
      onDeleted?.();
    },
    quiet: true,
  });
  const close = (): void => {
    removal.reset();
    onClose();
  };
  return (
    <ConfirmDialog
      open={network !== undefined}
      onClose={close}
      title={`Delete the network ${network?.name ?? ''}`}
      action="Delete network"
      typed={network?.name}
      busy={removal.isPending}
      onConfirm={() => network && removal.mutate(network.id)}
    >
      <p>
        Its join tokens, reservations, settings and revocations are deleted with it. Files of vanilla members that are
        out there stop working. This cannot be undone.
      </p>
      {removal.isError && <ErrorState error={removal.error} />}
    </ConfirmDialog>
  );
}
