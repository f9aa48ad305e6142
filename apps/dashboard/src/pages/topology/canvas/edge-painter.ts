import { PATH_LOOKS, type PathLook } from '../../../ui/path.js';
import { type Box, type Camera, mayCross, type Size, seen } from '../model/camera.js';
import type { SceneEdge } from '../model/scene.js';
import type { Palette } from './palette.js';

/** Lines beyond these are left out, the least telling first: in a full mesh of a thousand there are half a million. */
const MOST_STILL = 4_000;
const MOST_MOVING = 2_000;
/** With more lines than this there are no dashes, which cost as much as lines each: one line of so many is told by its colour, or selected. */
const DASHED_STILL = 900;
const DASHED_MOVING = 400;
/** Segments in one path: larger ones take longer than their parts, where the processor draws. */
const CHUNK = 120;

export interface EdgeFrame {
  readonly camera: Camera;
  readonly size: Size;
  readonly palette: Palette;
  /** The view is being moved: speed before looks. */
  readonly moving: boolean;
  /** Those of the selection; undefined: nothing is selected. */
  readonly lit: ReadonlySet<SceneEdge> | undefined;
}

/** 0: no traffic worth showing, 3: over 10 MB a second. */
export function trafficLevel(rate: number): 0 | 1 | 2 | 3 {
  return rate < 1_000 ? 0 : rate < 100_000 ? 1 : rate < 10_000_000 ? 2 : 3;
}

const WIDTHS = [1.1, 1.8, 2.6, 3.8] as const;

/** One way to draw lines, and all lines that are drawn so: from and to on the screen. */
interface Batch {
  readonly look: PathLook;
  readonly width: number;
  readonly alpha: number;
  readonly points: number[];
}

/** @returns how many of the lines that could be seen were left out. */
export function paintEdges(context: CanvasRenderingContext2D, edges: readonly SceneEdge[], frame: EdgeFrame): number {
  const { camera, size, moving } = frame;
  const box = seen(camera, size, 0);
  const most = moving ? MOST_MOVING : MOST_STILL;
  const { batches, drawn, left } = collect(edges, box, most, frame);
  const dashed = drawn <= (moving ? DASHED_MOVING : DASHED_STILL);
  // The selection last, so that it lies on top; before it the worse paths over the better.
  for (const batch of [...batches.values()].sort((a, b) => a.alpha - b.alpha))
    stroke(context, batch, frame, dashed || batch.alpha === 1);
  context.globalAlpha = 1;
  context.setLineDash([]);
  return left;
}

function collect(edges: readonly SceneEdge[], box: Box, most: number, { camera, lit, moving }: EdgeFrame) {
  const batches = new Map<string, Batch>();
  const crowded = edges.length > 1_500;
  const single = crowded ? 0.42 : edges.length > 150 ? 0.6 : 0.85;
  // Bundles come first, the thickest before the others.
  const thickest = edges[0]?.count ?? 1;
  let drawn = 0;
  let left = 0;
  for (const edge of edges) {
    const { from, to, look } = edge;
    if (!mayCross(box, from, to)) continue;
    const chosen = lit?.has(edge) ?? false;
    if (drawn >= most && !chosen) {
      left += 1;
      continue;
    }
    drawn += 1;
    const width = widthOf(edge, chosen, crowded && moving);
    const alpha = edge.faded
      ? 0.08
      : lit
        ? chosen
          ? 1
          : 0.1
        : edge.entry
          ? single
          : bundleAlpha(edge.count, thickest);
    const key = `${look} ${width} ${alpha}`;
    let batch = batches.get(key);
    if (!batch) {
      batch = { look, width, alpha, points: [] };
      batches.set(key, batch);
    }
    batch.points.push(
      from.x * camera.scale + camera.x,
      from.y * camera.scale + camera.y,
      to.x * camera.scale + camera.x,
      to.y * camera.scale + camera.y,
    );
  }
  return { batches, drawn, left };
}

/** Between many groups there is a bundle for every two: the thin ones step back. In steps, to be drawn together. */
const bundleAlpha = (count: number, thickest: number): number =>
  thickest <= 1 ? 0.6 : 0.12 + 0.15 * Math.round((3 * count) / thickest);

function widthOf({ entry, count }: SceneEdge, chosen: boolean, thin: boolean): number {
  const width = entry ? WIDTHS[trafficLevel(entry.link.rate)] : Math.min(6, 1.2 + Math.log10(count) * 1.3);
  return chosen ? width + 0.9 : thin ? Math.min(width, 1) : width;
}

function stroke(
  context: CanvasRenderingContext2D,
  { look, width, alpha, points }: Batch,
  { palette }: EdgeFrame,
  dashed: boolean,
): void {
  context.strokeStyle = palette.paths[look];
  context.globalAlpha = alpha;
  context.lineWidth = width;
  context.setLineDash(dashed ? (PATH_LOOKS[look].dash as number[]) : []);
  for (let at = 0; at < points.length; at += 4 * CHUNK) {
    context.beginPath();
    for (let i = at; i < Math.min(at + 4 * CHUNK, points.length); i += 4) {
      context.moveTo(points[i]!, points[i + 1]!);
      context.lineTo(points[i + 2]!, points[i + 3]!);
    }
    context.stroke();
  }
}
