import type { Point } from './seed-layout.js';

/** World to screen: `screen = world * scale + offset`, CSS pixels. */
export interface Camera {
  readonly scale: number;
  readonly x: number;
  readonly y: number;
}
export interface Size {
  readonly width: number;
  readonly height: number;
}
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

const SMALLEST = 0.02;
const LARGEST = 6;

export const toScreen = (camera: Camera, { x, y }: Point): Point => ({
  x: x * camera.scale + camera.x,
  y: y * camera.scale + camera.y,
});
export const toWorld = (camera: Camera, { x, y }: Point): Point => ({
  x: (x - camera.x) / camera.scale,
  y: (y - camera.y) / camera.scale,
});
export const pan = (camera: Camera, dx: number, dy: number): Camera => ({
  ...camera,
  x: camera.x + dx,
  y: camera.y + dy,
});

/** What is at `at` on the screen stays there. */
export function zoom(camera: Camera, factor: number, at: Point): Camera {
  const scale = Math.min(LARGEST, Math.max(SMALLEST, camera.scale * factor));
  const by = scale / camera.scale;
  return { scale, x: at.x - (at.x - camera.x) * by, y: at.y - (at.y - camera.y) * by };
}

/** The world that is seen, and `margin` pixels around it. */
export function seen(camera: Camera, { width, height }: Size, margin: number): Box {
  const { x: left, y: top } = toWorld(camera, { x: -margin, y: -margin });
  const { x: right, y: bottom } = toWorld(camera, { x: width + margin, y: height + margin });
  return { left, top, right, bottom };
}

/** Shows all of `points`, never larger than in life. */
export function cameraOver(points: Iterable<Point>, { width, height }: Size, margin = 56): Camera {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const { x, y } of points) {
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
  }
  if (left === Infinity) return { scale: 1, x: width / 2, y: height / 2 };
  const room = { width: Math.max(width - 2 * margin, 40), height: Math.max(height - 2 * margin, 40) };
  const wanted = Math.min(room.width / Math.max(right - left, 1), room.height / Math.max(bottom - top, 1));
  const scale = Math.min(1.4, Math.max(SMALLEST, wanted));
  return { scale, x: width / 2 - ((left + right) / 2) * scale, y: height / 2 - ((top + bottom) / 2) * scale };
}

/** Whether a line may be seen: false when it surely is not. */
export const mayCross = ({ left, top, right, bottom }: Box, a: Point, b: Point): boolean =>
  !(
    (a.x < left && b.x < left) ||
    (a.x > right && b.x > right) ||
    (a.y < top && b.y < top) ||
    (a.y > bottom && b.y > bottom)
  );
