import type { Point } from '../model/seed-layout.js';

const keyOf = (network: string): string => `warren.topology.${network}`;

/** Where nodes were on the last visit with this browser. What is not as we wrote it is not there. */
export function readSaved(network: string): ReadonlyMap<string, Point> {
  const points = new Map<string, Point>();
  try {
    const saved: unknown = JSON.parse(localStorage.getItem(keyOf(network)) ?? '{}');
    for (const [id, at] of Object.entries(saved as Record<string, unknown>)) {
      const [x, y] = Array.isArray(at) ? (at as unknown[]) : [];
      if (Number.isFinite(x) && Number.isFinite(y)) points.set(id, { x: x as number, y: y as number });
    }
  } catch {
    // Not ours: begun anew.
  }
  return points;
}

export function writeSaved(network: string, points: ReadonlyMap<string, Point>): void {
  const entries = [...points].map(([id, { x, y }]) => [id, [Math.round(x), Math.round(y)]] as const);
  try {
    localStorage.setItem(keyOf(network), JSON.stringify(Object.fromEntries(entries)));
  } catch {
    // No room left, or none allowed: the next visit arranges anew, the same way.
  }
}
