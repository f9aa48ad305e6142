const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const;
/** Beyond it a second unit says nothing that anybody wants to know. */
const COARSE = 10;

/** A duration in milliseconds as people read it: `90s` is `1m30s`, `12d3h` is `12d`. At most two units. */
export function durationText(ms: number): string {
  const first = UNITS.findIndex(([, size]) => ms >= size);
  if (first === -1) return '0s';
  const [unit, size] = UNITS[first]!;
  const count = Math.floor(ms / size);
  const next = UNITS[first + 1];
  const rest = next ? Math.floor((ms - count * size) / next[1]) : 0;
  return `${count}${unit}${next && rest > 0 && count < COARSE ? `${rest}${next[0]}` : ''}`;
}

/** An RFC 3339 time seen from `now` (Unix milliseconds): `5m ago`, `in 6d23h`, `now`. Text that is no time comes back. */
export function relativeTime(time: string, now: number): string {
  const at = Date.parse(time);
  if (Number.isNaN(at)) return time;
  const away = at - now;
  if (Math.abs(away) < 1_000) return 'now';
  return away < 0 ? `${durationText(-away)} ago` : `in ${durationText(away)}`;
}
