import { useMemo, useRef, useState } from 'react';
import type { NodeEntry } from './node-list.js';

export interface Selection {
  readonly ids: ReadonlySet<string>;
  readonly all: 'all' | 'some' | 'none';
  /** @param range everything between the row that was changed last and this one, too. */
  toggle(index: number, range: boolean): void;
  toggleAll(): void;
  keep(ids: Iterable<string>): void;
  clear(): void;
}

/** Which rows are ticked; what is no longer shown is not selected either, so that nothing is done to unseen rows. */
export function useSelection(shown: readonly NodeEntry[]): Selection {
  const [ticked, setTicked] = useState<ReadonlySet<string>>(new Set());
  const last = useRef<string | undefined>(undefined);
  const ids = useMemo(
    () => (ticked.size === 0 ? ticked : new Set(shown.map(({ node }) => node.id).filter((id) => ticked.has(id)))),
    [shown, ticked],
  );
  return {
    ids,
    all: ids.size === 0 ? 'none' : ids.size === shown.length ? 'all' : 'some',
    toggle: (index, range) => {
      const id = shown[index]!.node.id;
      const on = !ids.has(id);
      const from = range ? shown.findIndex(({ node }) => node.id === last.current) : -1;
      const [low, high] = from < 0 ? [index, index] : [Math.min(from, index), Math.max(from, index)];
      const next = new Set(ids);
      for (const { node } of shown.slice(low, high + 1)) {
        if (on) next.add(node.id);
        else next.delete(node.id);
      }
      last.current = id;
      setTicked(next);
    },
    toggleAll: () => setTicked(ids.size === shown.length ? new Set() : new Set(shown.map(({ node }) => node.id))),
    keep: (kept) => setTicked(new Set(kept)),
    clear: () => setTicked(new Set()),
  };
}
