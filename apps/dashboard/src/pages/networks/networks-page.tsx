import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { EllipsisVertical, FileInput, Network as NetworkIcon, Pencil, Plus, Settings, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { type Network, networksQuery, statusQuery } from '../../api/queries.js';
import { Button, IconButton } from '../../ui/button.js';
import { plural } from '../../ui/format.js';
import { Menu, MenuItem, MenuSeparator } from '../../ui/menu.js';
import { Page } from '../../ui/page.js';
import { EmptyState, ErrorState, Skeleton } from '../../ui/states.js';
import { Table, Td, Th, Tr } from '../../ui/table.js';
import { Time } from '../../ui/time.js';
import { CreateNetwork } from './create-network.js';
import { DeleteNetwork } from './delete-network.js';
import { ImportDialog } from './import-dialog.js';
import { RenameNetwork } from './rename-network.js';

type Dialog = { readonly is: 'create' | 'import' } | { readonly is: 'rename' | 'delete'; readonly network: Network };

export function NetworksPage() {
  const networks = useQuery(networksQuery);
  const [dialog, setDialog] = useState<Dialog>();
  const close = (): void => setDialog(undefined);
  const create = (
    <Button tone="primary" icon={<Plus aria-hidden size={16} />} onClick={() => setDialog({ is: 'create' })}>
      Create network
    </Button>
  );
  return (
    <Page
      title="Networks"
      lead="Each network has addresses, members and settings of its own. Nodes of different networks do not see each other."
      actions={
        <>
          <Button icon={<FileInput aria-hidden size={16} />} onClick={() => setDialog({ is: 'import' })}>
            Import
          </Button>
          {create}
        </>
      }
    >
      {networks.isPending && <Skeleton className="h-48 w-full" />}
      {networks.isError && <ErrorState error={networks.error} onRetry={() => void networks.refetch()} />}
      {networks.data?.length === 0 && (
        <EmptyState title="No networks yet" icon={<NetworkIcon aria-hidden size={28} />} action={create}>
          Create one, then add peers to it. Or import the wg-quick files of a WireGuard network that runs already.
        </EmptyState>
      )}
      {networks.data && networks.data.length > 0 && <NetworkTable networks={networks.data} onDialog={setDialog} />}
      <CreateNetwork open={dialog?.is === 'create'} onClose={close} />
      <ImportDialog open={dialog?.is === 'import'} onClose={close} />
      <RenameNetwork network={dialog?.is === 'rename' ? dialog.network : undefined} onClose={close} />
      <DeleteNetwork network={dialog?.is === 'delete' ? dialog.network : undefined} onClose={close} />
    </Page>
  );
}

function NetworkTable({ networks, onDialog }: { networks: readonly Network[]; onDialog: (dialog: Dialog) => void }) {
  const status = useQuery(statusQuery).data;
  return (
    <Table label="Networks">
      <thead>
        <tr>
          <Th>Name</Th>
          <Th>Nodes</Th>
          <Th className="hidden sm:table-cell">Addresses</Th>
          <Th className="hidden md:table-cell">Made</Th>
          <Th>
            <span className="sr-only">Actions</span>
          </Th>
        </tr>
      </thead>
      <tbody>
        {networks.map((network) => (
          <Tr key={network.id}>
            <Td>
              <Link
                to="/n/$network/topology"
                params={{ network: network.name }}
                search={{}}
                className="break-all font-medium text-accent hover:underline"
              >
                {network.name}
              </Link>
              <ul className="mono text-muted text-sm sm:hidden">
                {network.cidrs.map((cidr) => (
                  <li key={cidr} className="break-all">
                    {cidr}
                  </li>
                ))}
              </ul>
            </Td>
            <Td>
              <NodeCounts counts={status?.networks.find(({ id }) => id === network.id)} />
            </Td>
            <Td className="mono hidden break-words text-sm sm:table-cell">{network.cidrs.join(', ')}</Td>
            <Td className="hidden text-muted md:table-cell">
              <Time at={network.createdAt} />
            </Td>
            <Td className="w-0 text-right">
              <Actions network={network} onDialog={onDialog} />
            </Td>
          </Tr>
        ))}
      </tbody>
    </Table>
  );
}

type Counts = { readonly connected: number; readonly nodes: { readonly active: number; readonly pending: number } };

const NodeCounts = ({ counts }: { counts: Counts | undefined }) =>
  counts === undefined ? (
    <Skeleton className="h-5 w-24" />
  ) : (
    <div className="sm:whitespace-nowrap">
      <div className="whitespace-nowrap tabular-nums">{plural(counts.nodes.active, 'node')}</div>
      <div className="text-muted text-sm">
        {plural(counts.connected, 'agent')} online
        {counts.nodes.pending > 0 && `, ${counts.nodes.pending} pending`}
      </div>
    </div>
  );

function Actions({ network, onDialog }: { network: Network; onDialog: (dialog: Dialog) => void }) {
  const navigate = useNavigate();
  const settings = (): void =>
    void navigate({ to: '/n/$network/settings', params: { network: network.name }, search: {} });
  return (
    <div className="flex justify-end">
      <Link
        to="/n/$network/settings"
        params={{ network: network.name }}
        search={{}}
        aria-label={`Settings of ${network.name}`}
        title={`Settings of ${network.name}`}
        className="hidden size-9 items-center sm:inline-flex justify-center rounded-lg text-muted hover:bg-sunken hover:text-ink"
      >
        <Settings aria-hidden size={18} />
      </Link>
      <Menu
        trigger={
          <IconButton label={`More for ${network.name}`}>
            <EllipsisVertical aria-hidden size={18} />
          </IconButton>
        }
      >
        <MenuItem icon={<Settings aria-hidden size={16} />} onSelect={settings}>
          Settings
        </MenuItem>
        <MenuItem icon={<Pencil aria-hidden size={16} />} onSelect={() => onDialog({ is: 'rename', network })}>
          Rename
        </MenuItem>
        <MenuSeparator />
        <MenuItem danger icon={<Trash2 aria-hidden size={16} />} onSelect={() => onDialog({ is: 'delete', network })}>
          Delete
        </MenuItem>
      </Menu>
    </div>
  );
}
