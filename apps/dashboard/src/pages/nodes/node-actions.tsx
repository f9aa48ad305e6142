import {
  Ban,
  Check,
  Clock,
  KeyRound,
  MapPin,
  MoreHorizontal,
  Pencil,
  Power,
  RadioTower,
  Tags,
  Trash2,
} from 'lucide-react';
import { api, take } from '../../api/client.js';
import type { Node } from '../../api/queries.js';
import type { Topology } from '../../api/telemetry.js';
import { Button } from '../../ui/button.js';
import { Menu, MenuItem, MenuSeparator } from '../../ui/menu.js';
import { useApprove, useNodeChange } from './node-changes.js';
import { useNodeDialogs } from './node-dialogs.js';

/** Everything that is done to a node, as far as its state allows it. */
export function NodeActions({
  network,
  node,
  topology,
}: {
  network: string;
  node: Node;
  topology: Topology | undefined;
}) {
  const { open, dialogs } = useNodeDialogs({ network, node, topology });
  const approve = useApprove(node);
  const rotate = useNodeChange(node, {
    change: () => take(api.POST('/api/v1/nodes/{id}/rotate-key', { params: { path: { id: node.id } } })),
    done: () => (node.online ? `${node.name} makes another key` : `${node.name} makes another key when it is back`),
  });
  const alive = node.status !== 'revoked';
  return (
    <>
      {alive && (
        <Button icon={<Pencil aria-hidden size={16} />} onClick={() => open('rename')}>
          Rename
        </Button>
      )}
      <Menu
        trigger={
          <Button icon={<MoreHorizontal aria-hidden size={18} />} aria-label={`Actions on ${node.name}`}>
            Actions
          </Button>
        }
      >
        {alive && (
          <>
            {node.status === 'pending' && node.publicKey !== null && (
              <MenuItem icon={<Check aria-hidden size={16} />} onSelect={() => approve.mutate()}>
                {node.disabledAt === null ? 'Approve' : 'Bring it back'}
              </MenuItem>
            )}
            <MenuItem icon={<Tags aria-hidden size={16} />} onSelect={() => open('tags')}>
              Change tags
            </MenuItem>
            <MenuItem icon={<RadioTower aria-hidden size={16} />} onSelect={() => open('role')}>
              Change role or endpoint
            </MenuItem>
            <MenuItem icon={<MapPin aria-hidden size={16} />} onSelect={() => open('addresses')}>
              Change addresses
            </MenuItem>
            {node.kind === 'agent' ? (
              <MenuItem
                icon={<KeyRound aria-hidden size={16} />}
                onSelect={() => rotate.mutate()}
                disabled={node.status !== 'active' || node.rotateGeneration !== null}
              >
                Rotate key
              </MenuItem>
            ) : (
              <MenuItem icon={<KeyRound aria-hidden size={16} />} onSelect={() => open('key')}>
                {node.publicKey === null ? 'Tell its key' : 'Change key'}
              </MenuItem>
            )}
            {node.kind === 'agent' && (
              <MenuItem icon={<Clock aria-hidden size={16} />} onSelect={() => open('extend')}>
                Change expiry of key
              </MenuItem>
            )}
            <MenuSeparator />
            {node.status === 'active' && (
              <MenuItem icon={<Power aria-hidden size={16} />} onSelect={() => open('disable')} danger>
                Disable
              </MenuItem>
            )}
            <MenuItem icon={<Ban aria-hidden size={16} />} onSelect={() => open('revoke')} danger>
              Revoke
            </MenuItem>
          </>
        )}
        <MenuItem icon={<Trash2 aria-hidden size={16} />} onSelect={() => open('delete')} danger>
          Delete
        </MenuItem>
      </Menu>
      {dialogs}
    </>
  );
}
