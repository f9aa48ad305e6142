import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { ArrowDown, ArrowUp } from 'lucide-react';
import { useLayoutEffect, useRef, useState, useSyncExternalStore } from 'react';
import { cx } from '../../ui/class-names.js';
import { type NodeEntry, type NodeFilter, parseSort } from './node-list.js';
import { COLUMNS, NodeRow } from './node-row.js';
import type { Selection } from './selection.js';

/** From here on rows have columns; below they are cards. As Tailwind's `md`. */
const COLUMNS_FROM = '(min-width: 48rem)';
/** Pixels; what the classes of a row say. */
const ROW = 56;
const CARD = 116;

interface TableProps {
  readonly network: string;
  readonly entries: readonly NodeEntry[];
  readonly filter: NodeFilter;
  readonly onChange: (filter: NodeFilter) => void;
  readonly selection: Selection;
  /** Bytes of each minute by node. */
  readonly traffic: ReadonlyMap<string, readonly number[]> | undefined;
}

/** Of any number of nodes only those in sight are made; the page itself scrolls. */
export function NodeTable({ network, entries, filter, onChange, selection, traffic }: TableProps) {
  const list = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const wide = useMedia(COLUMNS_FROM);
  useLayoutEffect(() => {
    const measure = (): void => setTop((list.current?.getBoundingClientRect().top ?? 0) + window.scrollY);
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(document.body);
    return () => observer.disconnect();
  }, []);
  const virtualizer = useWindowVirtualizer({
    count: entries.length,
    estimateSize: () => (wide ? ROW : CARD),
    getItemKey: (index) => entries[index]!.node.id,
    scrollMargin: top,
    overscan: 12,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: heights are measured anew when rows become cards
  useLayoutEffect(() => virtualizer.measure(), [wide]);
  return (
    // biome-ignore-start lint/a11y/useSemanticElements: rows that are not made have no place in a table element
    <div
      role="table"
      aria-label="Nodes"
      aria-rowcount={entries.length + 1}
      className="rounded-2xl border border-line bg-surface"
    >
      <div role="rowgroup">
        <Header filter={filter} onChange={onChange} selection={selection} />
      </div>
      <div ref={list} role="rowgroup" className="relative" style={{ height: virtualizer.getTotalSize() }}>
        {virtualizer.getVirtualItems().map(({ index, start, key }) => {
          const entry = entries[index]!;
          return (
            <NodeRow
              key={key}
              network={network}
              entry={entry}
              traffic={traffic?.get(entry.node.id)}
              selected={selection.ids.has(entry.node.id)}
              onSelect={(range) => selection.toggle(index, range)}
              rowIndex={index + 2}
              top={start - top}
              last={index === entries.length - 1}
            />
          );
        })}
      </div>
    </div>
    // biome-ignore-end lint/a11y/useSemanticElements: as above
  );
}

const HEADERS = [
  { label: 'State', sort: 'state', className: '' },
  { label: 'Name', sort: 'name', className: '' },
  { label: 'Addresses', sort: 'address', className: '' },
  { label: 'Paths', sort: 'paths', className: '' },
  { label: 'Last seen', sort: 'seen', className: '' },
  { label: 'Version', sort: 'version', className: 'hidden xl:block' },
  { label: 'Traffic', sort: 'traffic', className: 'hidden xl:block' },
  { label: 'Tags', sort: undefined, className: 'hidden xl:block' },
] as const;

function Header({ filter, onChange, selection }: Pick<TableProps, 'filter' | 'onChange' | 'selection'>) {
  const sort = parseSort(filter.sort);
  const turn = (key: string): void => {
    const { sort: _before, ...rest } = filter;
    const next = sort.key === key && !sort.reversed ? `-${key}` : key;
    onChange(next === 'name' ? rest : { ...rest, sort: next });
  };
  return (
    // biome-ignore-start lint/a11y/useSemanticElements: as above
    // biome-ignore-start lint/a11y/useFocusableInteractive: what is pressed in them are buttons
    <div
      role="row"
      aria-rowindex={1}
      className={cx(COLUMNS, 'h-11 border-line border-b px-3 max-md:flex max-md:items-center')}
    >
      <span role="columnheader" className="flex items-center">
        <input
          type="checkbox"
          aria-label="Select all nodes that are shown"
          className="size-5 accent-accent"
          checked={selection.all === 'all'}
          ref={(box) => {
            if (box) box.indeterminate = selection.all === 'some';
          }}
          onChange={selection.toggleAll}
        />
        <span className="ml-3 text-muted text-sm md:hidden" aria-hidden>
          All
        </span>
      </span>
      {HEADERS.map(({ label, sort: key, className }) => (
        <span
          key={label}
          role="columnheader"
          aria-sort={sort.key === key ? (sort.reversed ? 'descending' : 'ascending') : undefined}
          className={cx('min-w-0 max-md:sr-only', className)}
        >
          {key === undefined ? (
            <span className="font-medium text-muted text-sm">{label}</span>
          ) : (
            <>
              <span className="md:hidden">{label}</span>
              <button
                type="button"
                onClick={() => turn(key)}
                className="inline-flex h-8 max-w-full items-center gap-1 rounded font-medium text-muted text-sm hover:text-ink max-md:hidden"
              >
                {label}
                {sort.key === key &&
                  (sort.reversed ? <ArrowUp aria-hidden size={14} /> : <ArrowDown aria-hidden size={14} />)}
              </button>
            </>
          )}
        </span>
      ))}
    </div>
    // biome-ignore-end lint/a11y/useFocusableInteractive: as above
    // biome-ignore-end lint/a11y/useSemanticElements: as above
  );
}

function useMedia(query: string): boolean {
  return useSyncExternalStore(
    (changed) => {
      const list = window.matchMedia(query);
      list.addEventListener('change', changed);
      return () => list.removeEventListener('change', changed);
    },
    () => window.matchMedia(query).matches,
  );
}
