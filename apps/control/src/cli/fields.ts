import type { Result } from './command.js';
import type { Screen } from './screen.js';
import { durationText } from './times.js';

/** RFC 3339 in UTC. */
const TIME = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;

/** A result of which people see everything, a line each. */
export const shown = (answer: object): Result => ({ answer, text: (screen) => fields(answer, screen) });

/** A file as it is. One without peers is empty, which the client takes for no answer. */
export const fileResult = (conf: string | undefined): Result => ({
  answer: { conf: conf ?? '' },
  text: () => (conf ?? '').replace(/\n$/, ''),
});

/** Everything of an object, a line each: names in words, durations and times as people read them. */
const fields = (item: object, screen: Screen): string =>
  screen.record(
    Object.fromEntries(
      Object.entries(item).map(([key, value]) => [words(key.replace(/(Ms|At)$/, '')), fieldText(key, value, screen)]),
    ),
  );

/** What it means that a time is not set, where that is the opposite of none. */
const WITHOUT: Readonly<Record<string, string>> = {
  offlineToleranceMs: 'without limit',
  keyExpiryMs: 'never',
  keyRotationMs: 'never',
  ephemeralAfterMs: 'as the control plane is set',
};

function fieldText(key: string, value: unknown, screen: Screen): string {
  if (value === null || value === undefined) return WITHOUT[key] ?? '-';
  if (Array.isArray(value)) return value.length === 0 ? '-' : value.map(scalar).join(', ');
  if (typeof value === 'object') {
    const inner = Object.entries(value).map(([name, each]) => `${words(name)} ${scalar(each)}`);
    return inner.length === 0 ? '-' : inner.join('; ');
  }
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (key.endsWith('Ms') && typeof value === 'number') return value === 0 ? (WITHOUT[key] ?? '0') : durationText(value);
  return typeof value === 'string' && TIME.test(value) ? `${value} (${screen.ago(value)})` : String(value);
}

const scalar = (value: unknown): string =>
  typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
const words = (key: string): string => key.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
