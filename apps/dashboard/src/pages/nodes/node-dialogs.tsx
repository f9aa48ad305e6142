import { useNavigate } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { api, take } from '../../api/client.js';
import type { Node } from '../../api/queries.js';
import type { Topology } from '../../api/telemetry.js';
import { ConfirmDialog, Dialog } from '../../ui/dialog.js';
import { DeleteText, DisableText, RevokeText } from './consequences.js';
import { useNodeChange } from './node-changes.js';
import { AddressForm, ExtendForm, KeyForm, RenameForm, RoleForm, TagForm } from './node-forms.js';

const FORMS = {
  rename: { title: 'Rename', Form: RenameForm },
  tags: { title: 'Change tags of', Form: TagForm },
  role: { title: 'Change role or endpoint of', Form: RoleForm },
  addresses: { title: 'Change addresses of', Form: AddressForm },
  key: { title: 'Change key of', Form: KeyForm },
  extend: { title: 'Change expiry of', Form: ExtendForm },
} as const;

type FormName = keyof typeof FORMS;
type Verb = 'disable' | 'revoke' | 'delete';

interface DialogFacts {
  readonly network: string;
  readonly node: Node;
  readonly topology: Topology | undefined;
}

/** The dialogs of a node: one at a time. */
export function useNodeDialogs(facts: DialogFacts): { open: (name: FormName | Verb) => void; dialogs: ReactNode } {
  const [shown, setShown] = useState<FormName | Verb>();
  const close = (): void => setShown(undefined);
  const { node } = facts;
  if (shown === undefined) return { open: setShown, dialogs: null };
  if (shown === 'disable' || shown === 'revoke' || shown === 'delete')
    return { open: setShown, dialogs: <ConfirmVerb {...facts} verb={shown} onClose={close} /> };
  const { title, Form } = FORMS[shown];
  const dialogs = (
    <Dialog open onClose={close} title={`${title} ${node.name}`}>
      <Form node={node} onClose={close} />
    </Dialog>
  );
  return { open: setShown, dialogs };
}

const VERBS = {
  disable: { label: 'Disable', done: 'is disabled', Text: DisableText },
  revoke: { label: 'Revoke', done: 'is revoked', Text: RevokeText },
  delete: { label: 'Delete', done: 'is deleted', Text: DeleteText },
} as const;

function ConfirmVerb({ network, node, topology, verb, onClose }: DialogFacts & { verb: Verb; onClose: () => void }) {
  const { label, done, Text } = VERBS[verb];
  const navigate = useNavigate();
  const params = { params: { path: { id: node.id } } };
  const change = useNodeChange(node, {
    change: () =>
      verb === 'delete'
        ? take(api.DELETE('/api/v1/nodes/{id}', params))
        : verb === 'revoke'
          ? take(api.POST('/api/v1/nodes/{id}/revoke', params))
          : take(api.POST('/api/v1/nodes/{id}/disable', params)),
    patch: () => patchOf(verb),
    done: () => `${node.name} ${done}`,
    onDone: () => {
      if (verb === 'delete') void navigate({ to: '/n/$network/nodes', params: { network }, search: {} });
    },
  });
  const confirm = (): void => {
    change.mutate();
    onClose();
  };
  const typed = node.role === 'bounce' && verb !== 'disable' && node.status !== 'revoked' ? node.name : undefined;
  return (
    <ConfirmDialog
      open
      onClose={onClose}
      onConfirm={confirm}
      title={`${label} ${node.name}`}
      action={`${label} ${node.name}`}
      typed={typed}
    >
      <Text nodes={[node]} topology={topology} />
    </ConfirmDialog>
  );
}

/** What the page shows until the answer is there. */
function patchOf(verb: Verb): Partial<Node> {
  const now = new Date().toISOString();
  if (verb === 'disable') return { status: 'pending', disabledAt: now, online: null };
  return verb === 'revoke' ? { status: 'revoked', revokedAt: now } : {};
}
