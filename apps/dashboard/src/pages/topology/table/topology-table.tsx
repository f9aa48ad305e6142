import { Link } from '@tanstack/react-router';
import { useDeferredValue, useMemo } from 'react';
import type { TopologySearch } from '../../../router.js';
import { cx } from '../../../ui/class-names.js';
import { EmptyState } from '../../../ui/states.js';
import type { Filtered } from '../model/filter.js';
import type { TopologyNode } from '../model/mesh.js';
import { type SortableLink, sortRows } from '../model/sorting.js';
import type { TopologyStore } from '../model/topology-store.js';
import type { SearchPatch } from '../use-view.js';
import { LINK_COLUMNS, NODE_COLUMNS } from './columns.js';
import { VirtualTable } from './virtual-table.js';

interface TopologyTableProps {
  readonly network: string;
  readonly store: TopologyStore;
  readonly version: number;
  readonly shown: Filtered;
  readonly matches: (node: TopologyNode) => boolean;
  readonly search: TopologySearch;
  readonly set: (patch: SearchPatch) => void;
}

/** The topology as text: nodes, or the paths between them. */
export function TopologyTable(props: TopologyTableProps) {
  const { network, search } = props;
  const links = search.list === 'links';
  const tab = (name: string, list: 'links' | undefined) => {
    const { list: _list, sort: _sort, ...rest } = search;
    return (
      <Link
        to="/n/$network/topology"
        params={{ network }}
        search={list ? { ...rest, list } : rest}
        replace
        aria-current={search.list === list ? 'true' : undefined}
        className={cx(
          '-mb-px flex h-10 items-center border-b-2 px-3 font-medium',
          search.list === list ? 'border-accent text-ink' : 'border-transparent text-muted hover:text-ink',
        )}
      >
        {name}
      </Link>
    );
  };
  return (
    <div className="flex min-h-0 min-w-0 grow flex-col gap-3 p-3 sm:p-4">
      <nav aria-label="Lists" className="flex gap-1 border-line border-b">
        {tab(`Nodes`, undefined)}
        {tab(`Paths`, 'links')}
      </nav>
      {links ? <LinkTable {...props} /> : <NodeTable {...props} />}
    </div>
  );
}

function NodeTable({ network, store, version, shown, matches, search, set }: TopologyTableProps) {
  const shownVersion = useDeferredValue(version);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the mesh changes in place; the version tells when
  const rows = useMemo(() => {
    const now = shown.nodes.map(({ id }) => store.mesh.nodes.get(id)).filter((node) => node !== undefined);
    return sortRows(now.filter(matches), NODE_COLUMNS, search.sort ?? 'name');
  }, [shown, matches, search.sort, shownVersion]);
  if (rows.length === 0) return <Nothing set={set} />;
  return (
    <VirtualTable
      label="Nodes of the network"
      columns={NODE_COLUMNS}
      context={{ network, select: (node, peer) => set({ node, peer }) }}
      rows={rows}
      keyOf={({ id }) => id}
      chosen={search.node}
      sort={search.sort ?? 'name'}
      onSort={(sort) => set({ sort })}
    />
  );
}

function LinkTable({ network, store, version, shown, matches, search, set }: TopologyTableProps) {
  const shownVersion = useDeferredValue(version);
  // biome-ignore lint/correctness/useExhaustiveDependencies: as above
  const rows = useMemo(() => {
    const rows: SortableLink[] = [];
    for (const { key, link } of shown.links) {
      const [a, b] = [store.mesh.nodes.get(link.a), store.mesh.nodes.get(link.b)];
      if (a && b && (matches(a) || matches(b))) rows.push({ key, link, a, b });
    }
    return sortRows(rows, LINK_COLUMNS, search.sort ?? '-path');
  }, [shown, matches, search.sort, shownVersion]);
  if (rows.length === 0) return <Nothing set={set} />;
  return (
    <VirtualTable
      label="Paths of the network"
      columns={LINK_COLUMNS}
      context={{ network, select: (node, peer) => set({ node, peer }) }}
      rows={rows}
      keyOf={({ key }) => key}
      chosen={search.node && search.peer ? [search.node, search.peer].sort().join(' ') : undefined}
      sort={search.sort ?? '-path'}
      onSort={(sort) => set({ sort })}
    />
  );
}

const Nothing = ({ set }: { set: (patch: SearchPatch) => void }) => (
  <EmptyState
    title="Nothing to show"
    action={
      <button
        type="button"
        className="text-accent underline"
        onClick={() => set({ q: undefined, tag: undefined, state: undefined, path: undefined, role: undefined })}
      >
        Clear search and filters
      </button>
    }
  >
    Nothing matches the search and filters, or nothing has been reported yet.
  </EmptyState>
);
