import { Search } from 'lucide-react';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { Button } from '../../ui/button.js';
import { Input, Select } from '../../ui/field.js';
import { plural } from '../../ui/format.js';
import { type NodeEntry, type NodeFilter, parseSort, SORTS } from './node-list.js';
import { NODE_STATES, type NodeState } from './node-state.js';

interface ToolbarProps {
  readonly filter: NodeFilter;
  readonly onChange: (filter: NodeFilter) => void;
  readonly tags: readonly (readonly [tag: string, count: number])[];
  readonly entries: readonly NodeEntry[];
}

/** A filter without the fields that say nothing. */
const without = (filter: { readonly [key in keyof NodeFilter]: string | undefined }): NodeFilter =>
  Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined && value !== ''));

/** Search, filters and order of the list. */
export function NodeToolbar({ filter, onChange, tags, entries }: ToolbarProps) {
  const set = (change: { readonly [key in keyof NodeFilter]?: string | undefined }): void =>
    onChange(without({ ...filter, ...change } as NodeFilter));
  const waiting = entries.filter(({ state }) => state === 'pending').length;
  const { key, reversed } = parseSort(filter.sort);
  return (
    <div className="flex flex-col gap-3">
      <div className="grid grid-cols-2 gap-2 md:flex md:flex-wrap">
        <SearchBox value={filter.q ?? ''} onChange={(q) => set({ q })} />
        <Choice label="State" value={filter.state} onChange={(state) => set({ state })} none="Not revoked">
          {Object.entries(NODE_STATES).map(([state, { name }]) => (
            <option key={state} value={state}>
              {name} ({count(entries, state as NodeState)})
            </option>
          ))}
          <option value="all">Any state</option>
        </Choice>
        <Choice label="Role" value={filter.role} onChange={(role) => set({ role })} none="Any role">
          <option value="bounce">Bounce</option>
          <option value="direct">Direct</option>
          <option value="client">Client</option>
          <option value="vanilla">Vanilla member</option>
        </Choice>
        <Choice label="Tag" value={filter.tag} onChange={(tag) => set({ tag })} none="Any tag">
          {tags.map(([tag, nodes]) => (
            <option key={tag} value={tag}>
              {tag} ({nodes})
            </option>
          ))}
        </Choice>
        <Select
          aria-label="Order"
          value={`${reversed ? '-' : ''}${key}`}
          onChange={(event) => set({ sort: event.target.value === 'name' ? undefined : event.target.value })}
          className="min-w-0 md:w-48 xl:hidden"
        >
          {Object.entries(SORTS).flatMap(([sort, { name }]) => [
            <option key={sort} value={sort}>
              By {name.toLowerCase()}
            </option>,
            <option key={`-${sort}`} value={`-${sort}`}>
              By {name.toLowerCase()}, reversed
            </option>,
          ])}
        </Select>
      </div>
      {waiting > 0 && filter.state !== 'pending' && (
        <div className="flex flex-wrap items-center gap-3 rounded-xl border border-warn bg-warn-soft px-4 py-2">
          <p className="grow">{plural(waiting, 'node waits', 'nodes wait')} to be let in, or for a public key.</p>
          <Button small onClick={() => onChange({ state: 'pending' })}>
            Show
          </Button>
        </div>
      )}
    </div>
  );
}

const count = (entries: readonly NodeEntry[], state: NodeState): number =>
  entries.filter((entry) => entry.state === state).length;

/** Its own text at once; the address follows, and leads when it changes elsewhere. */
function SearchBox({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const [text, setText] = useState(value);
  const said = useRef(value);
  useEffect(() => {
    if (value !== said.current) setText(value);
    said.current = value;
  }, [value]);
  return (
    <div className="relative col-span-2 md:min-w-64 md:grow">
      <Search aria-hidden size={17} className="pointer-events-none absolute top-3 left-3 text-muted" />
      <Input
        type="search"
        aria-label="Search nodes"
        placeholder="Name, address, tag, key"
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          said.current = event.target.value;
          onChange(event.target.value);
        }}
        className="pl-9"
      />
    </div>
  );
}

const Choice = ({
  label,
  value,
  onChange,
  none,
  children,
}: {
  label: string;
  value: string | undefined;
  onChange: (value: string | undefined) => void;
  none: string;
  children: ReactNode;
}) => (
  <Select
    aria-label={label}
    value={value ?? ''}
    onChange={(event) => onChange(event.target.value || undefined)}
    className="min-w-0 md:w-48"
  >
    <option value="">{none}</option>
    {children}
  </Select>
);
