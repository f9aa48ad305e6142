import { useVirtualizer } from '@tanstack/react-virtual';
import { ArrowDown, ArrowUp } from 'lucide-react';
import { useRef } from 'react';
import { cx } from '../../../ui/class-names.js';
import { Td, Th } from '../../../ui/table.js';
import type { CellContext, Column } from './columns.js';

const ROW = 41;

interface VirtualTableProps<Row> {
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly context: CellContext;
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  readonly chosen: string | undefined;
  /** Id of a column, `-` before it: downwards. */
  readonly sort: string;
  readonly onSort: (sort: string) => void;
}

/** A real table of which only the rows in sight exist: ten thousand would take seconds to lay out. */
export function VirtualTable<Row>(props: VirtualTableProps<Row>) {
  const { label, columns, context, rows, keyOf, chosen } = props;
  const scroller = useRef<HTMLElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 12,
  });
  const items = virtual.getVirtualItems();
  const before = items[0]?.start ?? 0;
  const after = virtual.getTotalSize() - (items.at(-1)?.end ?? 0);
  return (
    <section
      ref={scroller}
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so it has to be reachable by keyboard
      tabIndex={0}
      className="min-h-0 overflow-auto rounded-2xl border border-line bg-surface"
    >
      <table aria-rowcount={rows.length + 1} className="w-full border-separate border-spacing-0 text-left">
        <caption className="sr-only">{label}</caption>
        <thead className="sticky top-0 z-10 bg-surface">
          <tr aria-rowindex={1}>
            {columns.map((column) => (
              <Heading key={column.id} column={column} sort={props.sort} onSort={props.onSort} />
            ))}
          </tr>
        </thead>
        <tbody>
          {before > 0 && <Space height={before} columns={columns.length} />}
          {items.map(({ index }) => {
            const row = rows[index]!;
            const key = keyOf(row);
            return (
              <tr
                key={key}
                aria-rowindex={index + 2}
                aria-current={key === chosen ? 'true' : undefined}
                className={cx('h-[41px]', key === chosen ? 'bg-accent-soft' : 'hover:bg-sunken/60')}
              >
                {columns.map((column) => (
                  <Td
                    key={column.id}
                    className={cx('max-w-72 truncate whitespace-nowrap', column.right && 'text-right tabular-nums')}
                  >
                    {column.cell(row, context)}
                  </Td>
                ))}
              </tr>
            );
          })}
          {after > 0 && <Space height={after} columns={columns.length} />}
        </tbody>
      </table>
    </section>
  );
}

/** Stands for the rows that are not in sight. */
const Space = ({ height, columns }: { height: number; columns: number }) => (
  <tr aria-hidden>
    <td colSpan={columns} style={{ height, padding: 0 }} />
  </tr>
);

function Heading<Row>({ column, sort, onSort }: { column: Column<Row>; sort: string; onSort: (sort: string) => void }) {
  const up = sort === column.id;
  const down = sort === `-${column.id}`;
  return (
    <Th aria-sort={up ? 'ascending' : down ? 'descending' : undefined} className={cx(column.right && 'text-right')}>
      <button
        type="button"
        onClick={() => onSort(up ? `-${column.id}` : column.id)}
        className="inline-flex h-7 items-center gap-1 rounded font-medium hover:text-ink"
      >
        {column.name}
        {up && <ArrowUp aria-hidden size={13} />}
        {down && <ArrowDown aria-hidden size={13} />}
      </button>
    </Th>
  );
}
