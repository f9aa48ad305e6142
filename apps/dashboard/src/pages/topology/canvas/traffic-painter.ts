import { type Camera, mayCross, type Size, seen } from '../model/camera.js';
import type { SceneEdge } from '../model/scene.js';
import { trafficLevel } from './edge-painter.js';
import type { Palette } from './palette.js';

/** The busiest lines only: more dots are a swarm. */
const MOST_BUSY = 150;
/** CSS pixels a second, by how much goes. */
const SPEEDS = [0, 30, 60, 110] as const;
const APART = 46;
const ENDS = 13;

/** Whether the canvas still shows dots of the frame before. */
const dirty = new WeakSet<CanvasRenderingContext2D>();

/** Dots that run along lines with traffic: both ways, since both are counted together. */
export function paintTraffic(
  context: CanvasRenderingContext2D,
  { edges, lit }: { readonly edges: readonly SceneEdge[]; readonly lit: ReadonlySet<SceneEdge> | undefined },
  camera: Camera,
  size: Size,
  palette: Palette,
): void {
  if (dirty.delete(context)) context.clearRect(0, 0, size.width, size.height);
  const box = seen(camera, size, 0);
  const seconds = performance.now() / 1_000;
  let busy = 0;
  for (const edge of edges) {
    const { entry, from, to } = edge;
    // Groups come first, then busy pairs, then idle ones.
    if (!entry) continue;
    if (entry.link.rate === 0 && busy > 0) break;
    const level = trafficLevel(entry.link.rate);
    if (level === 0 || edge.faded || (lit && !lit.has(edge)) || !mayCross(box, from, to)) continue;
    busy += 1;
    if (busy > MOST_BUSY) break;
    context.fillStyle = palette.paths[edge.look];
    dirty.add(context);
    paintDots(context, camera, edge, level, seconds);
  }
}

function paintDots(
  context: CanvasRenderingContext2D,
  { scale, x: left, y: top }: Camera,
  { from, to }: SceneEdge,
  level: 1 | 2 | 3,
  seconds: number,
): void {
  const [dx, dy] = [(to.x - from.x) * scale, (to.y - from.y) * scale];
  const length = Math.hypot(dx, dy);
  // Not over the marks at its ends.
  const end = ENDS / length;
  if (length < 3 * ENDS) return;
  const size = 2.5 + level;
  const dots = Math.min(24, Math.max(1, Math.floor(length / APART)));
  const shift = (seconds * SPEEDS[level]) / length;
  for (let i = 0; i < dots; i++) {
    const part = (((i / dots + (i % 2 === 0 ? shift : -shift)) % 1) + 1) % 1;
    const along = end + part * (1 - 2 * end);
    const x = from.x * scale + left + dx * along;
    const y = from.y * scale + top + dy * along;
    context.fillRect(x - size / 2, y - size / 2, size, size);
  }
}
