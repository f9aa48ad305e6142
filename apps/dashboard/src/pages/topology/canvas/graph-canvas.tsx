import { Maximize, Minus, Plus, RotateCcw } from 'lucide-react';
import { type ReactNode, useEffect, useId, useRef, useState } from 'react';
import { useDark } from '../../../shell/theme.js';
import { IconButton } from '../../../ui/button.js';
import { plural } from '../../../ui/format.js';
import { PATH_LOOKS } from '../../../ui/path.js';
import type { Group } from '../model/grouping.js';
import { NODE_SHAPES, NODE_STATES } from '../model/node-look.js';
import type { Scene, SceneNode } from '../model/scene.js';
import type { Point } from '../model/seed-layout.js';
import type { TopologyStore } from '../model/topology-store.js';
import { GraphController } from './graph-controller.js';
import type { NodePositions } from './node-positions.js';

interface GraphCanvasProps {
  readonly store: TopologyStore;
  readonly scene: Scene;
  readonly positions: NodePositions;
  /** While nodes stand in groups: where. */
  readonly groupPositions: Map<string, Point> | undefined;
  readonly selected: string | undefined;
  readonly peer: string | undefined;
  /** The graph in words. */
  readonly description: string;
  readonly onSelect: (node: string | undefined, peer: string | undefined) => void;
  readonly onOpenGroup: (group: Group) => void;
  readonly onLeftOut: (count: number) => void;
}

export function GraphCanvas(props: GraphCanvasProps) {
  const { store, scene, positions, groupPositions, selected, peer, description } = props;
  const surface = useRef<HTMLDivElement>(null);
  const latest = useRef(props);
  latest.current = props;
  const [controller, setController] = useState<GraphController>();
  const [said, setSaid] = useState('');
  const help = useId();
  useEffect(() => {
    const made = new GraphController(surface.current!, store, positions, {
      onSelect: (node, other) => latest.current.onSelect(node, other),
      onOpenGroup: (group) => latest.current.onOpenGroup(group),
      onLeftOut: (count) => latest.current.onLeftOut(count),
      onFocus: (node, controllerScene) => setSaid(node ? describeNode(node, controllerScene) : ''),
      onEnter: () => setTimeout(() => document.getElementById('topology-selection')?.focus(), 60),
    });
    setController(made);
    return () => {
      made.close();
      setController(undefined);
    };
  }, [store, positions]);
  useEffect(() => controller?.show(scene, groupPositions), [controller, scene, groupPositions]);
  useEffect(() => controller?.select(selected, peer), [controller, selected, peer]);
  const dark = useDark();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the tokens are others in the dark
  useEffect(() => controller?.recolour(), [controller, dark]);
  return (
    <>
      <div
        ref={surface}
        role="application"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: an application takes keys of its own; the table is the plain view
        tabIndex={0}
        aria-label={`Graph of the network. ${description}`}
        aria-describedby={help}
        className="absolute inset-0 cursor-grab touch-none overflow-hidden focus-visible:outline-offset-[-3px]"
      >
        <canvas aria-hidden className="absolute inset-0 size-full" />
        <canvas aria-hidden className="pointer-events-none absolute inset-0 size-full" />
      </div>
      <p id={help} className="sr-only">
        Arrow keys move between nodes, Enter selects one or opens a group, Shift and Enter selects a pair, plus and
        minus zoom, 0 shows all, Escape clears the selection. The table view shows the same as text.
      </p>
      <p className="sr-only" aria-live="assertive">
        {said}
      </p>
      <div className="absolute right-3 bottom-3 flex flex-col rounded-xl border border-line bg-raised">
        <Control label="Zoom in" onClick={() => controller?.zoomBy(1.5)}>
          <Plus aria-hidden size={18} />
        </Control>
        <Control label="Zoom out" onClick={() => controller?.zoomBy(1 / 1.5)}>
          <Minus aria-hidden size={18} />
        </Control>
        <Control label="Show all" onClick={() => controller?.fitAll()}>
          <Maximize aria-hidden size={17} />
        </Control>
        <Control label="Arrange anew" onClick={() => controller?.arrange()}>
          <RotateCcw aria-hidden size={17} />
        </Control>
      </div>
    </>
  );
}

const Control = ({ label, onClick, children }: { label: string; onClick: () => void; children: ReactNode }) => (
  <IconButton label={label} onClick={onClick}>
    {children}
  </IconButton>
);

/** What a screen reader says of the node that the arrow keys reached. */
function describeNode(node: SceneNode, scene: Scene): string {
  if (node.group) return `Group ${node.label}. Enter opens it.`;
  const looks = new Map<string, number>();
  for (const { look } of scene.edgesOf.get(node.id) ?? []) {
    const { name } = PATH_LOOKS[look];
    looks.set(name, (looks.get(name) ?? 0) + 1);
  }
  const paths = [...looks].map(([name, count]) => `${plural(count, 'path')} ${name.toLowerCase()}`).join(', ');
  return `${node.label}, ${NODE_SHAPES[node.shape]}, ${NODE_STATES[node.state]}, ${paths || 'no paths'}`;
}
