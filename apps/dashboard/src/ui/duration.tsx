import type { ReactNode } from 'react';
import { TextField } from './field.js';
import { formatDuration } from './format.js';

export const NOT_A_DURATION = 'write it as 30m, 12h, 7d or 2w';
const UNITS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/** Milliseconds of `30m`, `1h`, `7d` or a sum (`1h30m`), as the control plane reads it; undefined: it is none. */
export function parseDurationText(text: string): number | undefined {
  if (!/^(\d{1,9}[smhdw])+$/.test(text)) return undefined;
  let total = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)([smhdw])/g))
    total += Number(count) * UNITS[unit as keyof typeof UNITS];
  return total > 0 ? total : undefined;
}

/** The shortest text of a length of time: `7d`, `1h30m`; null gives an empty one. */
export function durationText(milliseconds: number | null): string {
  let left = Math.round((milliseconds ?? 0) / 1_000);
  let text = '';
  for (const [unit, size] of [
    ['d', 86_400],
    ['h', 3_600],
    ['m', 60],
    ['s', 1],
  ] as const) {
    const count = Math.floor(left / size);
    if (count > 0) text += `${count}${unit}`;
    left -= count * size;
  }
  return text;
}

/** A length of time, typed as `7d`; what was understood is said beside it. */
export function DurationField({
  label,
  hint,
  error,
  value,
  onChange,
  empty,
}: {
  label: string;
  hint?: ReactNode;
  error?: string | undefined;
  value: string;
  onChange: (value: string) => void;
  /** What an empty field means. */
  empty: string;
}) {
  const text = value.trim();
  const milliseconds = parseDurationText(text);
  const wrong = text !== '' && milliseconds === undefined ? NOT_A_DURATION : undefined;
  const meaning = text === '' ? empty : milliseconds === undefined ? '' : formatDuration(milliseconds);
  return (
    <TextField
      label={
        <>
          {label} {meaning && <span className="font-normal text-muted">({meaning})</span>}
        </>
      }
      hint={hint}
      error={error ?? wrong}
      value={value}
      placeholder={empty}
      autoComplete="off"
      onChange={(event) => onChange(event.target.value)}
    />
  );
}
