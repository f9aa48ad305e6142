import type { Group } from './grouping.js';

export interface Point {
  readonly x: number;
  readonly y: number;
}
export interface Circle extends Point {
  readonly r: number;
}

/** Room of one node in world units: at scale 1 that many CSS pixels apart. */
const SPACING = 46;
const MARGIN = 40;
const GOLDEN = Math.PI * (3 - Math.sqrt(5));
/** Circles on a sunflower do not overlap from here on, of nearly one size. */
const LOOSE = 1.5;
/** So many are tested against each other; more would take longer than anybody waits. */
const MOST_TESTED = 400;

/** Where groups and their members go before anything is known about where they were: the same for the same network. */
export function seedLayout(groups: readonly Group[]): {
  readonly circles: ReadonlyMap<string, Circle>;
  readonly positions: ReadonlyMap<string, Point>;
} {
  const circles = packGroups(groups);
  const positions = new Map<string, Point>();
  for (const { key, members } of groups) {
    const centre = circles.get(key)!;
    // Hubs in the middle, everybody else around them.
    const ordered = [...members].sort((a, b) => Number(b.role === 'bounce') - Number(a.role === 'bounce'));
    for (const [index, { id }] of ordered.entries()) {
      const reach = SPACING * 0.62 * Math.sqrt(index);
      const angle = index * GOLDEN;
      positions.set(id, { x: centre.x + reach * Math.cos(angle), y: centre.y + reach * Math.sin(angle) });
    }
  }
  return { circles, positions };
}

/** In steps, so that one node more does not move everybody. */
function groupRadius(size: number): number {
  const step = 1.3 ** Math.ceil(Math.log(Math.max(size, 1)) / Math.log(1.3));
  return SPACING * 0.62 * Math.sqrt(step) + MARGIN;
}

function packGroups(groups: readonly Group[]): ReadonlyMap<string, Circle> {
  const placed: Circle[] = [];
  const circles = new Map<string, Circle>();
  let area = 0;
  for (const [index, { key, members }] of groups.entries()) {
    const r = groupRadius(members.length);
    area += r * r;
    const angle = index * GOLDEN;
    let reach = index === 0 ? 0 : LOOSE * Math.sqrt(area - r * r * 0.5);
    if (groups.length <= MOST_TESTED) {
      reach *= 0.6;
      while (placed.some((other) => overlaps(other, reach * Math.cos(angle), reach * Math.sin(angle), r)))
        reach += r / 4;
    }
    const circle = { x: reach * Math.cos(angle), y: reach * Math.sin(angle), r };
    placed.push(circle);
    circles.set(key, circle);
  }
  return circles;
}

const overlaps = (other: Circle, x: number, y: number, r: number): boolean =>
  Math.hypot(other.x - x, other.y - y) < other.r + r;
