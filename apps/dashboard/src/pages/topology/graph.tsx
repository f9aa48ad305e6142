import { X } from 'lucide-react';
import { useEffect, useMemo, useState } from 'react';
import type { TopologySearch } from '../../router.js';
import { cx } from '../../ui/class-names.js';
import { AttentionList } from './attention-list.js';
import { GraphCanvas } from './canvas/graph-canvas.js';
import type { NodePositions } from './canvas/node-positions.js';
import { Legend } from './legend.js';
import type { Attention } from './model/attention.js';
import type { countLooks, Filter, Filtered } from './model/filter.js';
import { GROUPED_FROM, type Group, type GroupBy, groupNodes } from './model/grouping.js';
import type { TopologyNode } from './model/mesh.js';
import { buildScene } from './model/scene.js';
import { seedLayout } from './model/seed-layout.js';
import type { TopologyStore } from './model/topology-store.js';
import type { SearchPatch } from './use-view.js';

interface GraphProps {
  readonly network: string;
  readonly store: TopologyStore;
  readonly positions: NodePositions;
  readonly shown: Filtered;
  readonly matches: (node: TopologyNode) => boolean;
  readonly counts: ReturnType<typeof countLooks>;
  readonly attention: readonly Attention[];
  readonly description: string;
  readonly search: TopologySearch;
  readonly filter: Filter;
  readonly set: (patch: SearchPatch) => void;
}

/** The canvas, and what lies over it. */
export function Graph(props: GraphProps) {
  const { store, positions, shown, matches, search, set } = props;
  const groups = useGroups(props);
  const { structure } = store;
  // biome-ignore lint/correctness/useExhaustiveDependencies: what `shown` holds changes in place
  const scene = useMemo(
    () =>
      buildScene({
        ...{ shown, matches, positions: groups?.positions ?? positions.points },
        groups: groups && { list: groups.list, open: groups.open, circles: groups.circles },
      }),
    [shown, matches, positions, groups, structure],
  );
  const [leftOut, setLeftOut] = useState(0);
  return (
    <div className="flex min-h-0 min-w-0 grow flex-col">
      <div className="relative min-h-0 grow">
        <GraphCanvas
          {...{ store, scene, positions, description: props.description }}
          groupPositions={groups?.positions}
          selected={search.node}
          peer={search.peer}
          onLeftOut={setLeftOut}
          onSelect={(node, peer) => set({ node, peer })}
          onOpenGroup={(group) => groups?.toggle(group.key)}
        />
        <div className="pointer-events-none absolute inset-x-3 top-3 flex flex-col items-start gap-2 *:pointer-events-auto">
          <AttentionList network={props.network} attention={props.attention} mesh={store.mesh} />
          {groups && groups.openGroups.length > 0 && <OpenGroups groups={groups.openGroups} onClose={groups.toggle} />}
        </div>
        {leftOut > 0 && (
          <p className="absolute bottom-3 left-3 max-w-[calc(100%-5rem)] rounded-lg bg-raised px-2.5 py-1 text-muted text-sm">
            {leftOut.toLocaleString('en')} more paths than can be drawn here: zoom in, select a node or filter.
          </p>
        )}
      </div>
      <div className={cx(search.node !== undefined && 'max-lg:hidden')}>
        <Legend counts={props.counts} filter={props.filter} set={set} />
      </div>
    </div>
  );
}

const OpenGroups = ({ groups, onClose }: { groups: readonly Group[]; onClose: (key: string) => void }) => (
  <ul aria-label="Open groups" className="flex flex-wrap gap-1.5">
    {groups.map(({ key, name, members }) => (
      <li key={key}>
        <button
          type="button"
          aria-label={`Close the group ${name}`}
          onClick={() => onClose(key)}
          className="inline-flex h-8 items-center gap-1.5 rounded-full border border-line bg-raised px-3 text-sm hover:bg-sunken"
        >
          {name} ({members.length})
          <X aria-hidden size={14} />
        </button>
      </li>
    ))}
  </ul>
);

/** Groups while there are too many nodes to tell apart, or when somebody asked for them. */
function useGroups({ store, shown, search }: GraphProps) {
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const by = groupBy(search.group, shown.nodes.length);
  const { structure } = store;
  // biome-ignore lint/correctness/useExhaustiveDependencies: another way to group has other groups
  useEffect(() => setOpen(new Set()), [by]);
  // All nodes have a place, whatever is filtered: the rest does not move.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the mesh changes in place
  const layout = useMemo(() => {
    if (by === undefined) return undefined;
    const { circles, positions } = seedLayout(groupNodes(store.mesh, store.mesh.nodes.values(), by));
    return { circles, positions: new Map(positions) };
  }, [store, structure, by]);
  const list = useMemo(
    () => (by === undefined ? undefined : groupNodes(store.mesh, shown.nodes, by)),
    [store, shown, by],
  );
  const selected = search.node;
  useEffect(() => {
    const around = list?.find(({ members }) => members.length > 1 && members.some(({ id }) => id === selected));
    if (around) setOpen((before) => (before.has(around.key) ? before : new Set(before).add(around.key)));
  }, [list, selected]);
  return useMemo(() => {
    if (!layout || !list) return undefined;
    const toggle = (key: string): void =>
      setOpen((before) => {
        const next = new Set(before);
        if (!next.delete(key)) next.add(key);
        return next;
      });
    return {
      ...layout,
      list,
      open,
      toggle,
      openGroups: list.filter(({ key, members }) => open.has(key) && members.length > 1),
    };
  }, [layout, list, open]);
}

function groupBy(wanted: string | undefined, nodes: number): GroupBy | undefined {
  if (wanted === 'bounce' || wanted === 'tag' || wanted === 'site') return wanted;
  return wanted === undefined && nodes > GROUPED_FROM ? 'bounce' : undefined;
}
