import type { TopologyLink, TopologyNode } from './mesh.js';

/** What of a row is compared; null comes last whichever way. */
export interface SortKey<Row> {
  readonly id: string;
  readonly value: (row: Row) => string | number | null;
}

/** A path with its two nodes. */
export interface SortableLink {
  readonly key: string;
  readonly link: TopologyLink;
  readonly a: TopologyNode;
  readonly b: TopologyNode;
}

const collator = new Intl.Collator('en', { numeric: true });

/** @param sort id of a column, `-` before it: downwards. An id that no column has leaves the order as it is. */
export function sortRows<Row>(rows: readonly Row[], columns: readonly SortKey<Row>[], sort: string): readonly Row[] {
  const down = sort.startsWith('-');
  const column = columns.find(({ id }) => id === (down ? sort.slice(1) : sort));
  if (!column) return rows;
  const keyed = rows.map((row) => ({ row, value: column.value(row) }));
  keyed.sort((a, b) => {
    if (a.value === null || b.value === null) return Number(a.value === null) - Number(b.value === null);
    const order =
      typeof a.value === 'number' && typeof b.value === 'number'
        ? a.value - b.value
        : collator.compare(String(a.value), String(b.value));
    return down ? -order : order;
  });
  return keyed.map(({ row }) => row);
}
