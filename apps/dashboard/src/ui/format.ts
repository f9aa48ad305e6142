/** Text for people, the same everywhere. */

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

/** Decimal units, three digits: `1.23 MB`. */
export function formatBytes(bytes: number): string {
  const power = bytes < 1_000 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), UNITS.length - 1);
  const value = bytes / 1_000 ** power;
  return `${power === 0 ? Math.round(value) : value.toPrecision(3)} ${UNITS[power]}`;
}

/** Bytes a second, in bits as networks are measured: `8.40 Mbit/s`; nothing below one bit. */
export function formatRate(bytesPerSecond: number): string {
  const bits = bytesPerSecond * 8;
  if (bits < 1) return '0';
  const power = bits < 1_000 ? 0 : Math.min(Math.floor(Math.log10(bits) / 3), 4);
  const value = bits / 1_000 ** power;
  return `${power === 0 ? Math.round(value) : value.toPrecision(3)} ${['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s', 'Tbit/s'][power]}`;
}

/** `0.8 ms`, `12 ms`. */
export const formatRtt = (milliseconds: number): string =>
  `${milliseconds < 10 ? milliseconds.toFixed(1) : Math.round(milliseconds)} ms`;

const STEPS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['year', 31_557_600],
  ['month', 2_629_800],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'short' });

/** `3 min. ago`, `in 2 hr.`; within ten seconds `now`. */
export function formatAgo(at: number, now: number): string {
  const seconds = (at - now) / 1_000;
  for (const [unit, size] of STEPS)
    if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
  return Math.abs(seconds) < 10 ? 'now' : relative.format(Math.trunc(seconds), 'second');
}

/** A length of time: `7 days`, `90 min`. */
export function formatDuration(milliseconds: number): string {
  const units = [
    ['day', 86_400_000],
    ['hour', 3_600_000],
    ['minute', 60_000],
    ['second', 1_000],
  ] as const;
  const [name, size] =
    units.find(([, each]) => milliseconds >= each && milliseconds % each === 0) ?? (['second', 1_000] as const);
  const count = Math.round((milliseconds / size) * 10) / 10;
  return `${count} ${name}${count === 1 ? '' : 's'}`;
}

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${count.toLocaleString('en')} ${count === 1 ? one : many}`;
