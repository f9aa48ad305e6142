import { type KeyboardEvent, type PointerEvent, type RefObject, useLayoutEffect, useRef, useState } from 'react';
import { formatRate } from '../../ui/format.js';
import { chartScale, nearestIndex, type Point } from './chart-scale.js';

/** Until the width there is is known. */
const ANY_WIDTH = 800;
const HEIGHT = 260;
const LEFT = 92;
const BOTTOM = 24;
const TOP = 10;
/** Between two marks of the axis of time. */
const TIME_WIDTH = 100;

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const exact = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium', dateStyle: 'medium' });

/**
 * Received and sent over time. The point under the pointer, or chosen with the arrow keys, is said in words.
 *
 * @param points Unix milliseconds, bytes a second received, and sent; oldest first, two at least.
 */
export function TrafficChart({ points, name }: { points: readonly Point[]; name: string }) {
  const [chosen, setChosen] = useState<number>();
  const [box, width] = useWidth();
  const { from, to, most, rateTicks, timeTicks } = chartScale(points, Math.floor((width - LEFT) / TIME_WIDTH));
  const x = (at: number): number => LEFT + ((at - from) / (to - from)) * (width - LEFT - 8);
  const y = (rate: number): number => HEIGHT - BOTTOM - (rate / most) * (HEIGHT - BOTTOM - TOP);
  const line = (column: 1 | 2): string =>
    points.map((point) => `${x(point[0]).toFixed(1)},${y(point[column]).toFixed(1)}`).join(' ');
  const shown = points[chosen ?? points.length - 1] ?? points.at(-1)!;

  const follow = (event: PointerEvent<SVGSVGElement>): void => {
    const { left } = event.currentTarget.getBoundingClientRect();
    const at = from + (event.clientX - left - LEFT) * ((to - from) / (width - LEFT - 8));
    setChosen(nearestIndex(points, at));
  };
  const step = (event: KeyboardEvent): void => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    setChosen(Math.min(Math.max((chosen ?? points.length - 1) + by, 0), points.length - 1));
  };
  return (
    <figure ref={box} className="flex min-w-0 flex-col gap-2">
      <figcaption className="flex flex-wrap gap-x-5 gap-y-1 text-sm" aria-live="polite">
        <Legend mark="bg-path-direct" label="In" rate={shown[1]} />
        <Legend mark="bg-path-bounce" label="Out" rate={shown[2]} dashed />
        <span className="text-muted tabular-nums">{chosen === undefined ? 'now' : exact.format(shown[0])}</span>
      </figcaption>
      {/* biome-ignore-start lint/a11y/noNoninteractiveTabindex: arrow keys choose a point */}
      {/* biome-ignore-start lint/a11y/noNoninteractiveElementInteractions: as above */}
      <svg
        viewBox={`0 0 ${width} ${HEIGHT}`}
        role="img"
        aria-label={`Traffic of ${name} from ${clock.format(from)} to ${clock.format(to)}. Arrow keys choose a point.`}
        tabIndex={0}
        width={width}
        height={HEIGHT}
        className="max-w-full touch-pan-y"
        onPointerMove={follow}
        onPointerLeave={() => setChosen(undefined)}
        onKeyDown={step}
      >
        {rateTicks.map((rate) => (
          <g key={rate}>
            <line x1={LEFT} x2={width - 8} y1={y(rate)} y2={y(rate)} className="stroke-line" />
            <text x={LEFT - 8} y={y(rate) + 4} textAnchor="end" className="fill-muted text-xs">
              {formatRate(rate)}
            </text>
          </g>
        ))}
        {timeTicks.map((at) => (
          <text key={at} x={x(at)} y={HEIGHT - 6} textAnchor="middle" className="fill-muted text-xs">
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

/** Pixels that an element has, so that text is as large as elsewhere. */
function useWidth(): [RefObject<HTMLElement | null>, number] {
  const box = useRef<HTMLElement>(null);
  const [width, setWidth] = useState(ANY_WIDTH);
  useLayoutEffect(() => {
    const element = box.current!;
    const measure = (): void => setWidth(Math.max(element.clientWidth, 240));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [box, width];
}
