const UNITS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
/** Beyond this a date has no RFC 3339 text that everybody reads. */
const LONGEST = 100 * 365 * UNITS.d;

/** Milliseconds of `90s`, `30m`, `1h`, `7d`, `2w` or a sum of them (`1h30m`). @returns undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  if (!/^(\d{1,9}[smhdw])+$/.test(text)) return undefined;
  let total = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)([smhdw])/g))
    total += Number(count) * UNITS[unit as keyof typeof UNITS];
  return total > 0 && total <= LONGEST ? total : undefined;
}
