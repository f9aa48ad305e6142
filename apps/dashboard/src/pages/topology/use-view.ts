import { getRouteApi } from '@tanstack/react-router';
import { useCallback, useMemo } from 'react';
import type { TopologySearch } from '../../router.js';
import type { PathLook } from '../../ui/path.js';
import { type Filter, readSet } from './model/filter.js';
import type { NodeShape, NodeState } from './model/node-look.js';

const route = getRouteApi('/signed-in/n/$network/topology');

/** Undefined takes something out of the address. */
export type SearchPatch = { readonly [K in keyof TopologySearch]?: TopologySearch[K] | undefined };

/** What of the topology is looked at: read from the address, and written to it. */
export function useView() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { tag, state, role, path } = search;
  const filter = useMemo(
    (): Filter => ({
      tags: readSet(tag),
      states: readSet<NodeState>(state),
      shapes: readSet<NodeShape>(role),
      paths: readSet<PathLook>(path),
    }),
    [tag, state, role, path],
  );
  const set = useCallback(
    (patch: SearchPatch) =>
      void navigate({
        search: (before: TopologySearch) => {
          const next = Object.entries({ ...before, ...patch }).filter(([, value]) => value !== undefined);
          return Object.fromEntries(next) as TopologySearch;
        },
        replace: true,
        resetScroll: false,
      }),
    [navigate],
  );
  return { search, filter, set };
}
