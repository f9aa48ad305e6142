import { parseHostPort, parseIpAddress } from '@warren/base';
import { NODE_NAME_RULE, parseNodeName } from '@warren/topology';
import { type FormEvent, type ReactNode, useState } from 'react';
import { api, messageOf, take } from '../../api/client.js';
import type { Node } from '../../api/queries.js';
import { Button } from '../../ui/button.js';
import { SelectField, TextField } from '../../ui/field.js';
import { Time } from '../../ui/time.js';
import { parseTags, tagsProblem } from './bulk-tags.js';
import { useNodeChange } from './node-changes.js';

interface FormProps {
  readonly node: Node;
  readonly onClose: () => void;
}

/** A form in a dialog: an error stays beside what was typed. */
const FormFrame = ({
  onSubmit,
  onClose,
  error,
  busy,
  disabled,
  action,
  children,
}: {
  onSubmit: () => void;
  onClose: () => void;
  error: Error | null;
  busy: boolean;
  disabled: boolean;
  action: string;
  children: ReactNode;
}) => (
  <form
    onSubmit={(event: FormEvent) => {
      event.preventDefault();
      if (!disabled) onSubmit();
    }}
    className="flex flex-col gap-4"
  >
    {children}
    {error && (
      <p role="alert" className="text-bad">
        {messageOf(error)}
      </p>
    )}
    <div className="flex flex-wrap justify-end gap-2">
      <Button onClick={onClose}>Cancel</Button>
      <Button type="submit" tone="primary" busy={busy} disabled={disabled}>
        {action}
      </Button>
    </div>
  </form>
);

/** A change of the node's own fields. */
function useUpdate({ node, onClose }: FormProps) {
  return useNodeChange<NodeFields>(node, {
    change: (body) => take(api.PATCH('/api/v1/nodes/{id}', { params: { path: { id: node.id } }, body })),
    patch: (body) => body,
    onDone: onClose,
    quiet: true,
  });
}

interface NodeFields {
  name?: string;
  tags?: string[];
  role?: Node['role'];
  endpoint?: string;
  addresses?: string[];
  publicKey?: string;
}

export function RenameForm(props: FormProps) {
  const [name, setName] = useState(props.node.name);
  const update = useUpdate(props);
  const text = name.trim();
  const problem = text !== '' && parseNodeName(text) === undefined ? NODE_NAME_RULE : undefined;
  return (
    <FormFrame
      onSubmit={() => update.mutate({ name: text })}
      onClose={props.onClose}
      error={update.error}
      busy={update.isPending}
      disabled={text === '' || text === props.node.name || problem !== undefined}
      action="Rename"
    >
      <TextField
        label="Name"
        hint="Unique in the network. Connections go on."
        error={problem}
        value={name}
        onChange={(event) => setName(event.target.value)}
        autoComplete="off"
      />
    </FormFrame>
  );
}

export function TagForm(props: FormProps) {
  const [text, setText] = useState(props.node.tags.join(', '));
  const update = useUpdate(props);
  const tags = parseTags(text);
  const problem = tagsProblem(tags);
  return (
    <FormFrame
      onSubmit={() => update.mutate({ tags })}
      onClose={props.onClose}
      error={update.error}
      busy={update.isPending}
      disabled={problem !== undefined || tags.join() === props.node.tags.join()}
      action="Change tags"
    >
      <TextField
        label="Tags"
        hint="Several with commas between; nothing takes all away."
        error={problem}
        value={text}
        onChange={(event) => setText(event.target.value)}
        autoComplete="off"
      />
    </FormFrame>
  );
}

const ROLE_HINTS: Record<Node['role'], string> = {
  client: 'Behind a NAT or firewall: it opens connections outwards.',
  direct: 'Others reach it at its endpoint; it does not relay.',
  bounce: 'Others reach it at its endpoint; it relays for others, and vanilla members are homed at it.',
};

export function RoleForm(props: FormProps) {
  const { node } = props;
  const [role, setRole] = useState(node.role);
  const [endpoint, setEndpoint] = useState(node.endpoint ?? '');
  const update = useUpdate(props);
  const text = endpoint.trim();
  const problem =
    text === ''
      ? role !== 'client' && node.endpoint === null
        ? `a ${role} node needs an endpoint by which others reach it`
        : undefined
      : parseHostPort(text) === undefined
        ? 'write it as host:port, an IPv6 address in brackets: vpn.example.org:51820 or [2001:db8::1]:51820'
        : undefined;
  const changed = {
    ...(role !== node.role && { role }),
    ...(text !== '' && text !== node.endpoint && { endpoint: text }),
  };
  return (
    <FormFrame
      onSubmit={() => update.mutate(changed)}
      onClose={props.onClose}
      error={update.error}
      busy={update.isPending}
      disabled={problem !== undefined || Object.keys(changed).length === 0}
      action="Change"
    >
      <SelectField
        label="Role"
        hint={ROLE_HINTS[role]}
        value={role}
        onChange={(event) => setRole(event.target.value as Node['role'])}
      >
        <option value="client">Client</option>
        <option value="direct">Direct</option>
        <option value="bounce">Bounce</option>
      </SelectField>
      <TextField
        label="Endpoint"
        hint={
          node.kind === 'agent'
            ? 'host:port at which others reach it. The port it listens on is chosen on its host.'
            : 'host:port at which others reach it. The name may be a dynamic one.'
        }
        error={problem}
        value={endpoint}
        placeholder="vpn.example.org:51820"
        onChange={(event) => setEndpoint(event.target.value)}
        autoComplete="off"
      />
      {role !== node.role && node.role === 'bounce' && (
        <p>Members that are homed here are given another bounce, and need their new file.</p>
      )}
    </FormFrame>
  );
}

export function AddressForm(props: FormProps) {
  const { node } = props;
  const [text, setText] = useState(node.addresses.join(', '));
  const update = useUpdate(props);
  const addresses = parseTags(text);
  const wrong = addresses.find((address) => parseIpAddress(address) === undefined);
  const problem =
    wrong !== undefined ? `“${wrong}” is no address` : addresses.length === 0 ? 'a node has an address' : undefined;
  return (
    <FormFrame
      onSubmit={() => update.mutate({ addresses })}
      onClose={props.onClose}
      error={update.error}
      busy={update.isPending}
      disabled={problem !== undefined || addresses.join() === node.addresses.join()}
      action="Change addresses"
    >
      <TextField
        label="Addresses"
        hint="One IPv4 address, one IPv6 address, or both, of the network and free."
        error={problem}
        value={text}
        onChange={(event) => setText(event.target.value)}
        autoComplete="off"
      />
      <p>
        {node.kind === 'agent'
          ? 'Every host follows at once. Old addresses work for 30 seconds more.'
          : `Every host follows at once. ${node.name} needs its new file.`}
      </p>
    </FormFrame>
  );
}

export function KeyForm(props: FormProps) {
  const { node } = props;
  const [text, setText] = useState('');
  const update = useUpdate(props);
  const publicKey = text.trim();
  const problem =
    publicKey !== '' && !/^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/.test(publicKey)
      ? 'a public key is 44 characters of base64, as `wg pubkey` prints it'
      : undefined;
  return (
    <FormFrame
      onSubmit={() => update.mutate({ publicKey })}
      onClose={props.onClose}
      error={update.error}
      busy={update.isPending}
      disabled={publicKey === '' || problem !== undefined}
      action={node.publicKey === null ? 'Tell the key' : 'Change key'}
    >
      <TextField
        label="Public key"
        hint="The key pair is made where the member runs. Its private key stays there."
        error={problem}
        value={text}
        onChange={(event) => setText(event.target.value)}
        autoComplete="off"
      />
      {node.publicKey !== null && (
        <p>
          {node.name} is cut off until it uses the new key. Vanilla members that have it as a peer need their new file.
        </p>
      )}
    </FormFrame>
  );
}

const EXPIRIES = [
  ['network', 'As the network says'],
  ['30d', '30 days'],
  ['90d', '90 days'],
  ['365d', 'A year'],
  ['never', 'Never'],
] as const;

export function ExtendForm({ node, onClose }: FormProps) {
  const [expires, setExpires] = useState<string>('network');
  const extend = useNodeChange(node, {
    change: () => {
      const body = expires === 'network' ? {} : { expires: expires === 'never' ? null : expires };
      return take(api.POST('/api/v1/nodes/{id}/extend', { params: { path: { id: node.id } }, body }));
    },
    onDone: onClose,
    quiet: true,
  });
  return (
    <FormFrame
      onSubmit={() => extend.mutate()}
      onClose={onClose}
      error={extend.error}
      busy={extend.isPending}
      disabled={false}
      action="Change expiry"
    >
      <p>
        {node.keyExpiresAt === null ? (
          'Its key never runs out now.'
        ) : (
          <>
            Its key {node.status === 'expired' ? 'ran out' : 'runs out'} <Time at={node.keyExpiresAt} />.
          </>
        )}
      </p>
      <SelectField label="From now on" value={expires} onChange={(event) => setExpires(event.target.value)}>
        {EXPIRIES.map(([value, name]) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </SelectField>
      {node.status === 'expired' && (
        <p>
          Then run <code>agent up</code> on its host.
        </p>
      )}
    </FormFrame>
  );
}
