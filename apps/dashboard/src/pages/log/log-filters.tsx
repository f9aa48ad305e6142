import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { X } from 'lucide-react';
import { useEffect, useState } from 'react';
import { apiKeysQuery, networksQuery } from '../../api/queries.js';
import { Button } from '../../ui/button.js';
import { SelectField, TextField } from '../../ui/field.js';
import { ACTIONS } from './sentences.js';

const FAMILIES: readonly (readonly [prefix: string, label: string])[] = [
  ['node.', 'Nodes'],
  ['network.', 'Networks'],
  ['token.', 'Join tokens'],
  ['apikey.', 'API keys'],
  ['session.', 'Sessions'],
  ['user.', 'Users'],
  ['config-key.', 'Config keys'],
  ['preshared-key.', 'Preshared keys'],
  ['bounce.', 'Bounces'],
  ['signal-server.', 'Signal servers'],
  ['signal-token.', 'Signal tokens'],
];

/** After the last key, milliseconds. */
const TYPING = 250;

/** All of it is in the address, so that a filtered log can be passed on. */
export function LogFilters() {
  const search = useSearch({ from: '/signed-in/log' });
  const navigate = useNavigate({ from: '/log' });
  const set = (change: Record<string, string | undefined>): void => {
    const next = Object.entries({ ...search, ...change }).filter(([, value]) => value);
    void navigate({ search: Object.fromEntries(next), replace: true });
  };
  const filtered = Object.keys(search).length > 0;
  return (
    <search className="flex flex-col gap-3">
      <div className="grid gap-3 sm:grid-cols-2 lg:grid-cols-4">
        <TextFilter value={search.q ?? ''} onChange={(q) => set({ q })} />
        <ActionFilter value={search.action ?? ''} onChange={(action) => set({ action })} />
        <ActorFilter value={search.actor ?? ''} onChange={(actor) => set({ actor })} />
        <NetworkFilter value={search.network ?? ''} onChange={(network) => set({ network })} />
      </div>
      {filtered && (
        <div className="flex flex-wrap items-center gap-2">
          {search.subject && (
            <span className="text-muted text-sm">
              Only about <code className="break-all">{search.subject}</code>
            </span>
          )}
          <Button small icon={<X aria-hidden size={14} />} onClick={() => void navigate({ search: {}, replace: true })}>
            Clear filters
          </Button>
        </div>
      )}
    </search>
  );
}

interface FilterProps {
  readonly value: string;
  readonly onChange: (value: string | undefined) => void;
}

function TextFilter({ value, onChange }: FilterProps) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: waits after what is typed only
  useEffect(() => {
    if (text === value) return;
    const timer = setTimeout(() => onChange(text), TYPING);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <TextField
      label="Text"
      type="search"
      placeholder="Name, address, key…"
      value={text}
      onChange={(event) => setText(event.target.value)}
    />
  );
}

const ActionFilter = ({ value, onChange }: FilterProps) => (
  <SelectField label="What" value={value} onChange={(event) => onChange(event.target.value)}>
    <option value="">Everything</option>
    {value !== '' && !ACTIONS.includes(value) && !FAMILIES.some(([prefix]) => prefix === value) && (
      <option value={value}>{value}</option>
    )}
    <optgroup label="Kinds">
      {FAMILIES.map(([prefix, label]) => (
        <option key={prefix} value={prefix}>
          {label}
        </option>
      ))}
    </optgroup>
    <optgroup label="Actions">
      {ACTIONS.map((action) => (
        <option key={action} value={action}>
          {action}
        </option>
      ))}
    </optgroup>
  </SelectField>
);

function ActorFilter({ value, onChange }: FilterProps) {
  const keys = useQuery(apiKeysQuery).data ?? [];
  const known = [
    ['user:admin', 'admin'],
    ['local', 'The local warren command'],
    ['control', 'The control plane'],
    ...keys.map(({ id, name }) => [`apikey:${id}`, `API key “${name}”`] as const),
  ] as const;
  return (
    <SelectField label="By whom" value={value} onChange={(event) => onChange(event.target.value)}>
      <option value="">Everybody</option>
      {known.map(([actor, label]) => (
        <option key={actor} value={actor}>
          {label}
        </option>
      ))}
      {value !== '' && !known.some(([actor]) => actor === value) && <option value={value}>{value}</option>}
    </SelectField>
  );
}

function NetworkFilter({ value, onChange }: FilterProps) {
  const networks = useQuery(networksQuery).data ?? [];
  return (
    <SelectField label="Network" value={value} onChange={(event) => onChange(event.target.value)}>
      <option value="">All networks</option>
      {networks.map(({ id, name }) => (
        <option key={id} value={name}>
          {name}
        </option>
      ))}
      {value !== '' && !networks.some(({ name }) => name === value) && <option value={value}>{value}</option>}
    </SelectField>
  );
}
