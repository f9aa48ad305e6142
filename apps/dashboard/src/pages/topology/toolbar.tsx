import { Link } from '@tanstack/react-router';
import { ListFilter, PlusCircle, Search, Share2, Table2 } from 'lucide-react';
import { type KeyboardEvent, useEffect, useState } from 'react';
import type { TopologySearch } from '../../router.js';
import { IconButton } from '../../ui/button.js';
import { cx } from '../../ui/class-names.js';
import { Input, Select } from '../../ui/field.js';
import { formatRate, plural } from '../../ui/format.js';
import { type countLooks, matcher } from './model/filter.js';
import { GROUPINGS } from './model/grouping.js';
import type { Mesh } from './model/mesh.js';
import type { Totals } from './model/summary.js';
import type { SearchPatch } from './use-view.js';

interface ToolbarProps {
  readonly network: string;
  readonly search: TopologySearch;
  readonly set: (patch: SearchPatch) => void;
  readonly totals: Totals;
  readonly counts: ReturnType<typeof countLooks>;
  readonly mesh: Mesh;
}

export function Toolbar(props: ToolbarProps) {
  const { network, search, set, totals, counts } = props;
  const [open, setOpen] = useState(false);
  const tags = [...counts.tags].sort(([a], [b]) => (a < b ? -1 : 1));
  return (
    <header className="flex flex-wrap items-center gap-x-3 gap-y-2 border-line border-b bg-surface px-3 py-2 sm:px-4">
      <div className="min-w-0 grow basis-40 sm:basis-60">
        <h1 className="font-semibold text-lg leading-tight tracking-tight">Topology</h1>
        <p className="min-h-5 truncate text-muted text-sm tabular-nums">
          {totals.nodes > 0 && <Numbers {...totals} />}
        </p>
      </div>
      <ViewSwitch search={search} network={network} />
      <div className="order-last flex w-full flex-wrap gap-2 sm:flex-nowrap 2xl:order-none 2xl:w-auto">
        <SearchBox {...props} />
        <IconButton
          label={open ? 'Hide the filters' : 'Show the filters'}
          aria-expanded={open}
          onClick={() => setOpen(!open)}
          className="size-10! border border-line-strong/60 sm:hidden"
        >
          <ListFilter aria-hidden size={17} />
        </IconButton>
        <div className={cx('gap-2 max-sm:w-full sm:flex', open ? 'flex' : 'hidden')}>
          {(tags.length > 0 || search.tag) && (
            <Select
              aria-label="Tag"
              className="sm:w-36!"
              value={search.tag ?? ''}
              onChange={(event) => set({ tag: event.target.value || undefined })}
            >
              <option value="">All tags</option>
              {search.tag && !counts.tags.has(search.tag) && <option value={search.tag}>{search.tag}</option>}
              {tags.map(([tag, count]) => (
                <option key={tag} value={tag}>
                  {tag} ({count})
                </option>
              ))}
            </Select>
          )}
          {search.view !== 'table' && (
            <Select
              aria-label="Group nodes"
              className="sm:w-44!"
              value={search.group ?? ''}
              onChange={(event) => set({ group: event.target.value || undefined })}
            >
              <option value="">Group: auto</option>
              <option value="none">No groups</option>
              {Object.entries(GROUPINGS).map(([by, name]) => (
                <option key={by} value={by}>
                  By {name.toLowerCase()}
                </option>
              ))}
            </Select>
          )}
        </div>
      </div>
      <Link
        to="/n/$network/add"
        params={{ network }}
        search={{}}
        aria-label="Add a peer"
        className="inline-flex h-10 items-center gap-2 rounded-lg bg-accent px-3 font-medium text-accent-ink hover:brightness-110"
      >
        <PlusCircle aria-hidden size={17} />
        <span className="hidden sm:inline">Add</span>
      </Link>
    </header>
  );
}

const Numbers = ({ nodes, online, direct, relay, bounce, none, rate }: Totals) => (
  <>
    {plural(nodes, 'node')}, {online.toLocaleString('en')} online
    {none > 0 && <span className="text-bad"> · {none.toLocaleString('en')} without a path</span>} ·{' '}
    {direct.toLocaleString('en')} direct
    {relay > 0 && <> · {relay.toLocaleString('en')} relayed</>}
    {bounce > 0 && <> · {bounce.toLocaleString('en')} bounced</>}
    {rate >= 1 && <> · {formatRate(rate)}</>}
  </>
);

/** Typing marks what is meant; Enter goes to the first. */
function SearchBox({ search, set, mesh }: ToolbarProps) {
  const [text, setText] = useState(search.q ?? '');
  useEffect(() => setText(search.q ?? ''), [search.q]);
  useEffect(() => {
    if (text === (search.q ?? '')) return;
    const timer = setTimeout(() => set({ q: text.trim() || undefined }), 150);
    return () => clearTimeout(timer);
  }, [text, search.q, set]);
  const press = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') setText('');
    if (event.key !== 'Enter' || text.trim() === '') return;
    const matches = matcher(text);
    const first = [...mesh.nodes.values()].find(matches);
    if (first) set({ q: text.trim(), node: first.id, peer: undefined });
  };
  return (
    <div className="relative min-w-0 grow 2xl:w-48">
      <Search aria-hidden size={16} className="absolute top-3 left-3 text-muted" />
      <Input
        type="search"
        aria-label="Search nodes"
        placeholder="Name, address, tag"
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={press}
        className="pl-9"
      />
    </div>
  );
}

function ViewSwitch({ search, network }: { search: TopologySearch; network: string }) {
  const { view: _view, ...rest } = search;
  const option = (name: string, Icon: typeof Share2, to: TopologySearch, chosen: boolean) => (
    <Link
      to="/n/$network/topology"
      params={{ network }}
      search={to}
      replace
      aria-current={chosen ? 'true' : undefined}
      className={cx(
        'inline-flex h-8 items-center gap-1.5 rounded-md px-2.5 font-medium text-sm',
        chosen ? 'bg-surface text-ink shadow-sm' : 'text-muted hover:text-ink',
      )}
    >
      <Icon aria-hidden size={15} />
      <span className="max-sm:sr-only">{name}</span>
    </Link>
  );
  return (
    <nav aria-label="How to show it" className="flex gap-0.5 rounded-lg bg-sunken p-1">
      {option('Graph', Share2, rest, search.view !== 'table')}
      {option('Table', Table2, { ...rest, view: 'table' }, search.view === 'table')}
    </nav>
  );
}
