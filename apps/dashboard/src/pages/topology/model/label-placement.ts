/** A text beside its mark: where it may go, in the order of who comes first. */
export interface Label {
  readonly text: string;
  /** Left end of the middle of the text, CSS pixels. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

const HEIGHT = 15;
const CELL = 32;

/** Leaves out every label that would cover one before it. @param most no more than these. */
export function placeLabels<T extends Label>(labels: Iterable<T>, most: number): T[] {
  const cells = new Map<number, T[]>();
  const placed: T[] = [];
  for (const label of labels) {
    if (placed.length >= most) break;
    const keys = cellsOf(label);
    if (keys.some((key) => cells.get(key)?.some((other) => covers(other, label)))) continue;
    placed.push(label);
    for (const key of keys) {
      const cell = cells.get(key);
      if (cell) cell.push(label);
      else cells.set(key, [label]);
    }
  }
  return placed;
}

const covers = (a: Label, b: Label): boolean =>
  Math.abs(a.y - b.y) < HEIGHT && a.x < b.x + b.width + 4 && b.x < a.x + a.width + 4;

function cellsOf({ x, y, width }: Label): number[] {
  const keys: number[] = [];
  for (let row = Math.floor((y - HEIGHT) / CELL); row <= Math.floor((y + HEIGHT) / CELL); row++)
    for (let column = Math.floor((x - 4) / CELL); column <= Math.floor((x + width + 4) / CELL); column++)
      keys.push(row * 100_003 + column);
  return keys;
}
