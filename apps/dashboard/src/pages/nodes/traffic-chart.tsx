import { type KeyboardEvent, type PointerEvent, useState } from 'react';
import { formatRate } from '../../ui/format.js';
import { chartScale, nearestIndex, type Point } from './chart-scale.js';

const WIDTH = 800;
const HEIGHT = 260;
const LEFT = 92;
const BOTTOM = 24;
const TOP = 10;

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const exact = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium', dateStyle: 'medium' });

/**
 * Received and sent over time. The point under the pointer, or chosen with the arrow keys, is said in words.
 *
 * @param points Unix milliseconds, bytes a second received, and sent; oldest first, two at least.
 */
export function TrafficChart({ points, name }: { points: readonly Point[]; name: string }) {
  const [chosen, setChosen] = useState<number>();
  const { from, to, most, rateTicks, timeTicks } = chartScale(points);
  const x = (at: number): number => LEFT + ((at - from) / (to - from)) * (WIDTH - LEFT - 8);
  const y = (rate: number): number => HEIGHT - BOTTOM - (rate / most) * (HEIGHT - BOTTOM - TOP);
  const line = (column: 1 | 2): string =>
    points.map((point) => `${x(point[0]).toFixed(1)},${y(point[column]).toFixed(1)}`).join(' ');
  const shown = points[chosen ?? points.length - 1] ?? points.at(-1)!;

  const follow = (event: PointerEvent<SVGSVGElement>): void => {
    const box = event.currentTarget.getBoundingClientRect();
    const at = from + (((event.clientX - box.left) / box.width) * WIDTH - LEFT) * ((to - from) / (WIDTH - LEFT - 8));
    setChosen(nearestIndex(points, at));
  };
  const step = (event: KeyboardEvent): void => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    setChosen(Math.min(Math.max((chosen ?? points.length - 1) + by, 0), points.length - 1));
  };
  return (
    <figure className="flex flex-col gap-2">
      <figcaption className="flex flex-wrap gap-x-5 gap-y-1 text-sm" aria-live="polite">
        <Legend mark="bg-path-direct" label="In" rate={shown[1]} />
        <Legend mark="bg-path-bounce" label="Out" rate={shown[2]} dashed />
        <span className="text-muted tabular-nums">{chosen === undefined ? 'now' : exact.format(shown[0])}</span>
      </figcaption>
      {/* biome-ignore-start lint/a11y/noNoninteractiveTabindex: arrow keys choose a point */}
      {/* biome-ignore-start lint/a11y/noNoninteractiveElementInteractions: as above */}
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        role="img"
        aria-label={`Traffic of ${name} from ${clock.format(from)} to ${clock.format(to)}. Arrow keys choose a point.`}
        tabIndex={0}
        className="w-full touch-pan-y"
        onPointerMove={follow}
        onPointerLeave={() => setChosen(undefined)}
        onKeyDown={step}
      >
        {rateTicks.map((rate) => (
          <g key={rate}>
            <line x1={LEFT} x2={WIDTH - 8} y1={y(rate)} y2={y(rate)} className="stroke-line" />
            <text x={LEFT - 8} y={y(rate) + 4} textAnchor="end" className="fill-muted text-[13px]">
              {formatRate(rate)}
            </text>
          </g>
        ))}
        {timeTicks.map((at) => (
          <text key={at} x={x(at)} y={HEIGHT - 6} textAnchor="middle" className="fill-muted text-[13px]">
            {clock.format(at)}
          </text>
        ))}
        <polyline points={line(1)} fill="none" strokeWidth={2} strokeLinejoin="round" className="stroke-path-direct" />
        <polyline
          points={line(2)}
          fill="none"
          strokeWidth={2}
          strokeLinejoin="round"
          strokeDasharray="6 4"
          className="stroke-path-bounce"
        />
        {chosen !== undefined && (
          <line x1={x(shown[0])} x2={x(shown[0])} y1={TOP} y2={HEIGHT - BOTTOM} className="stroke-line-strong" />
        )}
      </svg>
      {/* biome-ignore-end lint/a11y/noNoninteractiveElementInteractions: as above */}
      {/* biome-ignore-end lint/a11y/noNoninteractiveTabindex: as above */}
    </figure>
  );
}

const Legend = ({ mark, label, rate, dashed }: { mark: string; label: string; rate: number; dashed?: boolean }) => (
  <span className="flex items-center gap-2">
    <span aria-hidden className="flex w-5 gap-1">
      <span className={`h-0.5 grow ${mark}`} />
      {dashed && <span className={`h-0.5 grow ${mark}`} />}
    </span>
    {label}
    <span className="font-medium tabular-nums">{formatRate(rate)}</span>
  </span>
);
