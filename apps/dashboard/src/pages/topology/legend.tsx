import { ChevronDown } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { cx } from '../../ui/class-names.js';
import { PATH_LOOKS, type PathLook } from '../../ui/path.js';
import { SHAPE_POINTS } from './canvas/shapes.js';
import { type countLooks, type Filter, toggled, writeSet } from './model/filter.js';
import { NODE_SHAPES, NODE_STATES, type NodeShape, type NodeState } from './model/node-look.js';
import type { SearchPatch } from './use-view.js';

interface LegendProps {
  readonly counts: ReturnType<typeof countLooks>;
  readonly filter: Filter;
  readonly set: (patch: SearchPatch) => void;
}

const WIDE = window.matchMedia('(min-width: 64rem)');

/** What marks mean, how many there are of each, and a filter: what is pressed is shown alone. */
export function Legend({ counts, filter, set }: LegendProps) {
  const [open, setOpen] = useState(WIDE.matches);
  const chosen = filter.paths.size + filter.states.size + filter.shapes.size;
  return (
    <section
      aria-label="Legend and filters"
      className="flex flex-col border-line border-t bg-surface text-sm lg:flex-row lg:items-start"
    >
      <div className="flex shrink-0 items-center">
        <button
          type="button"
          aria-expanded={open}
          onClick={() => setOpen(!open)}
          className="flex h-9 items-center gap-1.5 px-3 font-medium"
        >
          <ChevronDown aria-hidden size={15} className={cx('transition-transform', !open && '-rotate-90')} />
          Legend
        </button>
        {chosen > 0 && (
          <button
            type="button"
            onClick={() => set({ path: undefined, state: undefined, role: undefined })}
            className="mr-2 ml-auto h-7 rounded-md px-2 text-accent hover:bg-sunken"
          >
            Show all
          </button>
        )}
      </div>
      {open && (
        <div className="flex max-h-[36dvh] flex-col gap-x-5 gap-y-0.5 overflow-y-auto px-2 py-1 sm:flex-row sm:flex-wrap">
          <Row name="Path">
            {entries<PathLook, (typeof PATH_LOOKS)[PathLook]>(PATH_LOOKS).map(([look, { name, colour, dash }]) => (
              <Entry
                key={look}
                name={name}
                count={counts.paths.get(look) ?? 0}
                chosen={filter.paths.has(look)}
                onToggle={() => set({ path: writeSet(toggled(filter.paths, look)) })}
              >
                <Line colour={`var(${colour})`} dash={dash} />
              </Entry>
            ))}
          </Row>
          <Row name="Node">
            {entries<NodeShape, string>(NODE_SHAPES).map(([shape, name]) => (
              <Entry
                key={shape}
                name={name}
                count={counts.shapes.get(shape) ?? 0}
                chosen={filter.shapes.has(shape)}
                onToggle={() => set({ role: writeSet(toggled(filter.shapes, shape)) })}
              >
                <Shape shape={shape} className="fill-line-strong stroke-ink" />
              </Entry>
            ))}
          </Row>
          <Row name="State">
            {entries<NodeState, string>(NODE_STATES).map(([state, name]) => (
              <Entry
                key={state}
                name={name}
                count={counts.states.get(state) ?? 0}
                chosen={filter.states.has(state)}
                onToggle={() => set({ state: writeSet(toggled(filter.states, state)) })}
              >
                <State state={state} />
              </Entry>
            ))}
          </Row>
        </div>
      )}
    </section>
  );
}

const entries = <K extends string, V>(record: Readonly<Record<K, V>>) => Object.entries(record) as [K, V][];

const Row = ({ name, children }: { name: string; children: ReactNode }) => (
  <fieldset aria-label={name} className="flex min-w-0 flex-wrap gap-1">
    {children}
  </fieldset>
);

/** What there is none of is not offered, unless it is chosen. */
function Entry({
  name,
  count,
  chosen,
  onToggle,
  children,
}: {
  name: string;
  count: number;
  chosen: boolean;
  onToggle: () => void;
  children: ReactNode;
}) {
  if (count === 0 && !chosen) return null;
  return (
    <button
      type="button"
      aria-pressed={chosen}
      onClick={onToggle}
      className={cx(
        'inline-flex h-7 items-center gap-1.5 rounded-lg border px-2',
        chosen ? 'border-accent bg-accent-soft' : 'border-transparent hover:bg-sunken',
      )}
    >
      {children}
      {name}
      <span className="text-muted tabular-nums">{count.toLocaleString('en')}</span>
    </button>
  );
}

const Line = ({ colour, dash }: { colour: string; dash: readonly number[] }) => (
  <svg aria-hidden="true" width="24" height="8" viewBox="0 0 24 8">
    <line x1="0" x2="24" y1="4" y2="4" stroke={colour} strokeWidth="2.5" strokeDasharray={dash.join(' ')} />
  </svg>
);

const points = (shape: NodeShape): string =>
  SHAPE_POINTS[shape].map(([x, y]) => `${(x * 6 + 8).toFixed(1)},${(y * 6 + 8).toFixed(1)}`).join(' ');

const Shape = ({ shape, className }: { shape: NodeShape; className: string }) => (
  <svg aria-hidden="true" width="16" height="16" viewBox="0 0 16 16">
    <polygon points={points(shape)} strokeWidth="1.25" className={className} />
  </svg>
);

const STATE_CLASSES: Record<NodeState, string> = {
  online: 'fill-good stroke-good',
  offline: 'fill-surface stroke-bad',
  unseen: 'fill-surface stroke-line-strong',
  pending: 'fill-surface stroke-warn',
  disabled: 'fill-line stroke-line-strong',
  expired: 'fill-bad-soft stroke-bad',
};
const SIGNS: Partial<Record<NodeState, string>> = {
  offline: 'M5.5 5.5 10.5 10.5M10.5 5.5 5.5 10.5',
  expired: 'M5.5 5.5 10.5 10.5M10.5 5.5 5.5 10.5',
  disabled: 'M5 8H11',
  pending: 'M8 7.4V8.6',
};

const State = ({ state }: { state: NodeState }) => (
  <svg aria-hidden="true" width="16" height="16" viewBox="0 0 16 16" className={STATE_CLASSES[state]}>
    <circle cx="8" cy="8" r="6" strokeWidth="1.75" strokeDasharray={state === 'pending' ? '3 2.5' : undefined} />
    {SIGNS[state] && <path d={SIGNS[state]} fill="none" strokeWidth="1.75" />}
  </svg>
);
