import { queryOptions, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { KeyRound } from 'lucide-react';
import { type FormEvent, useId, useState } from 'react';
import { api, messageOf, take } from '../../api/client.js';
import { useChange } from '../../api/mutation.js';
import { all, type Node, nodesQuery } from '../../api/queries.js';
import { Button } from '../../ui/button.js';
import { ConfirmDialog, Dialog } from '../../ui/dialog.js';
import { Field, Input, TextField } from '../../ui/field.js';
import { EmptyState, ErrorState, Skeleton } from '../../ui/states.js';
import { Table, Td, Th, Tr } from '../../ui/table.js';
import { Time } from '../../ui/time.js';

const presharedKeysQuery = (id: string) =>
  queryOptions({
    queryKey: ['nodes', 'psk', id],
    queryFn: () =>
      all((query) => take(api.GET('/api/v1/nodes/{id}/preshared-keys', { params: { path: { id }, query } as never }))),
  });

/** Keys that a node shares with one other: of pairs with a vanilla member. */
export function PresharedKeysTab({ network, node }: { network: string; node: Node }) {
  const { data, error, refetch } = useQuery(presharedKeysQuery(node.id));
  const [adding, setAdding] = useState(false);
  const [removing, setRemoving] = useState<{ peerId: string; peer: string }>();
  const remove = useChange({
    change: (peer: string) =>
      take(api.DELETE('/api/v1/nodes/{id}/preshared-keys/{peer}', { params: { path: { id: node.id, peer } } })),
    optimistic: (peer) => [
      {
        key: presharedKeysQuery(node.id).queryKey,
        update: ((keys: { peerId: string }[]) => keys.filter(({ peerId }) => peerId !== peer)) as (
          old: never,
        ) => unknown,
      },
    ],
    stale: [presharedKeysQuery(node.id).queryKey],
  });
  if (error && !data) return <ErrorState error={error} onRetry={() => void refetch()} />;
  if (!data) return <Skeleton className="h-48 rounded-2xl" />;
  const addButton = node.status !== 'revoked' && <Button onClick={() => setAdding(true)}>Set a preshared key</Button>;
  return (
    <div className="flex flex-col gap-3">
      {data.length === 0 ? (
        <EmptyState title="No preshared keys" icon={<KeyRound aria-hidden size={28} />} action={addButton}>
          A second, symmetric secret of a pair of which one is a vanilla member. It is in the files of these two only.
        </EmptyState>
      ) : (
        <>
          <div className="flex justify-end">{addButton}</div>
          <Table label={`Preshared keys of ${node.name}`}>
            <thead>
              <tr>
                <Th>With</Th>
                <Th>Set</Th>
                <Th>
                  <span className="sr-only">Actions</span>
                </Th>
              </tr>
            </thead>
            <tbody>
              {data.map((key) => (
                <Tr key={key.peerId}>
                  <Td>
                    <Link
                      to="/n/$network/nodes/$id"
                      params={{ network, id: key.peerId }}
                      search={{}}
                      className="font-medium hover:underline"
                    >
                      {key.peer}
                    </Link>
                  </Td>
                  <Td>
                    <Time at={key.createdAt} />
                  </Td>
                  <Td className="text-right">
                    <Button small onClick={() => setRemoving(key)} aria-label={`Take away the key with ${key.peer}`}>
                      Take away
                    </Button>
                  </Td>
                </Tr>
              ))}
            </tbody>
          </Table>
        </>
      )}
      <Dialog open={adding} onClose={() => setAdding(false)} title={`Set a preshared key of ${node.name}`}>
        <PresharedKeyForm network={network} node={node} onClose={() => setAdding(false)} />
      </Dialog>
      <ConfirmDialog
        open={removing !== undefined}
        onClose={() => setRemoving(undefined)}
        onConfirm={() => {
          remove.mutate(removing!.peerId);
          setRemoving(undefined);
        }}
        title="Take away the preshared key"
        action="Take it away"
      >
        <p>
          {node.name} and {removing?.peer} cannot talk until the vanilla member of the two has its new file.
        </p>
      </ConfirmDialog>
    </div>
  );
}

function PresharedKeyForm({ network, node, onClose }: { network: string; node: Node; onClose: () => void }) {
  const [name, setName] = useState('');
  const [secret, setSecret] = useState('');
  const listId = useId();
  const nodes = useQuery(nodesQuery(network)).data ?? [];
  // Of two agents no pair is: those have keys of their own.
  const peers = nodes.filter(
    ({ id, kind, status }) => id !== node.id && status !== 'revoked' && (node.kind === 'vanilla' || kind === 'vanilla'),
  );
  const peer = peers.find((each) => each.name === name.trim());
  const set = useChange({
    change: (id: string) => {
      const presharedKey = secret.trim();
      return take(
        api.PUT('/api/v1/nodes/{id}/preshared-keys/{peer}', {
          params: { path: { id: node.id, peer: id } },
          body: presharedKey === '' ? {} : { presharedKey },
        }),
      );
    },
    stale: [['nodes']],
    done: () => 'The preshared key is set: the vanilla member needs its new file',
    onDone: onClose,
    quiet: true,
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (peer) set.mutate(peer.id);
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      <Field
        label="With"
        hint={node.kind === 'vanilla' ? 'The name of the other node.' : 'The name of a vanilla member.'}
        error={name.trim() !== '' && !peer && nodes.length > 0 ? suggestion(peers, name.trim()) : undefined}
      >
        {(ids) => (
          <>
            <Input
              {...ids}
              list={listId}
              value={name}
              onChange={(event) => setName(event.target.value)}
              autoComplete="off"
            />
            <datalist id={listId}>
              {peers.slice(0, 500).map((each) => (
                <option key={each.id} value={each.name} />
              ))}
            </datalist>
          </>
        )}
      </Field>
      <TextField
        label="Key"
        hint="Empty: a random one is made. Else base64 of 32 bytes, as `wg genpsk` prints it."
        type="password"
        value={secret}
        onChange={(event) => setSecret(event.target.value)}
        autoComplete="off"
      />
      <p>The two cannot talk until the vanilla member has its new file.</p>
      {set.error && (
        <p role="alert" className="text-bad">
          {messageOf(set.error)}
        </p>
      )}
      <div className="flex flex-wrap justify-end gap-2">
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" tone="primary" busy={set.isPending} disabled={!peer}>
          Set key
        </Button>
      </div>
    </form>
  );
}

const suggestion = (peers: readonly Node[], text: string): string | undefined => {
  const near = peers.filter(({ name }) => name.includes(text.toLowerCase())).slice(0, 3);
  return near.length > 0 ? `go on typing: ${near.map(({ name }) => name).join(', ')}` : 'no such node';
};
