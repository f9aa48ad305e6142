import { InvalidArgumentError } from 'commander';
import { parseDuration } from '../duration.js';

/** Parsers for commander: what they throw becomes one line of usage error. */

export const duration = (text: string): string => {
  if (text === 'never') return text;
  if (parseDuration(text) === undefined)
    throw new InvalidArgumentError('It must be a duration such as 30m, 1h or 7d, or never.');
  return text;
};

/** How long something may be gone. */
export const absence = (text: string): string => {
  if (text !== 'default' && parseDuration(text) === undefined)
    throw new InvalidArgumentError('It must be a duration such as 30s, 10m or 1h, or default.');
  return text;
};

export const uses = (text: string): number | 'unlimited' => {
  if (text === 'unlimited') return text;
  const count = wholeNumber(text);
  if (count === undefined || count < 1 || count > 1_000_000)
    throw new InvalidArgumentError('It must be 1 to 1000000, or unlimited.');
  return count;
};

export const mtu = (text: string): number => {
  const value = wholeNumber(text);
  if (value === undefined || value < 1280 || value > 1500) throw new InvalidArgumentError('It must be 1280 to 1500.');
  return value;
};

/** A time, or how long ago it was. @returns RFC 3339 */
export const moment = (text: string): string => {
  const ago = parseDuration(text);
  const at = ago === undefined && /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Date.now() - (ago ?? Number.NaN);
  if (Number.isNaN(at))
    throw new InvalidArgumentError('It must be a time such as 2026-01-31T12:00:00Z, or 2h for two hours ago.');
  return new Date(at).toISOString();
};

export const limit = (text: string): number => {
  const value = wholeNumber(text);
  if (value === undefined || value < 1 || value > 500) throw new InvalidArgumentError('It must be 1 to 500.');
  return value;
};

/** Collects a repeated option. */
export const collect = (text: string, previous: readonly string[] | undefined): string[] => [...(previous ?? []), text];

const wholeNumber = (text: string): number | undefined => (/^\d{1,9}$/.test(text) ? Number(text) : undefined);
