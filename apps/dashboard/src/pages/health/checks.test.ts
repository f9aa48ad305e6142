import type { Schemas } from '@warren/client';
import { expect, it } from 'vitest';
import { checksOf } from './checks.js';

const WELL: Schemas['Health'] = {
  uptimeMs: 93_784_000,
  databaseLatencyMs: 1.25,
  agentsConnected: 3,
  eventStreams: 1,
  memory: { rssBytes: 200_000_000, heapUsedBytes: 100, heapLimitBytes: 1_000 },
  eventLoopDelayMs: { mean: 0.1, p99: 2, max: 8 },
  telemetry: { links: 0, reports: 0, dropped: 0 },
};
const SEEN = { ready: { ready: true }, stream: 'live', unreachable: false } as const;
const status = (health: Partial<Schemas['Health']>): Schemas['Status'] =>
  ({ version: '1.2.3', health: { ...WELL, ...health } }) as Schemas['Status'];
const toneOf = (name: string, health: Partial<Schemas['Health']>, seen: Parameters<typeof checksOf>[1] = SEEN) =>
  checksOf(status(health), seen).find((check) => check.name === name)?.tone;

it('is well when everything is', () => {
  const checks = checksOf(status({}), SEEN);
  expect(checks.filter(({ tone }) => tone === 'warn' || tone === 'bad')).toEqual([]);
  expect(checks[0]).toMatchObject({ value: 'Up for 1 d 2 h', text: 'Version 1.2.3.' });
});

it('tells a database that is slow, outdated or silent', () => {
  expect(toneOf('Database', { databaseLatencyMs: 80 })).toBe('warn');
  expect(toneOf('Database', { databaseLatencyMs: null })).toBe('bad');
  expect(toneOf('Database', {}, { ...SEEN, ready: { ready: false, why: 'lacks migrations' } })).toBe('bad');
});

it('tells a process that has too little time or memory', () => {
  expect(toneOf('Event loop delay', { eventLoopDelayMs: { mean: 90, p99: 300, max: 900 } })).toBe('warn');
  expect(toneOf('Memory', { memory: { rssBytes: 1, heapUsedBytes: 95, heapLimitBytes: 100 } })).toBe('warn');
});

it('tells a control plane that cannot be reached, and a stream that is cut', () => {
  const gone = { ...SEEN, stream: 'lost', unreachable: true } as const;
  expect([toneOf('Control plane', {}, gone), toneOf('Live connection', {}, gone)]).toEqual(['bad', 'bad']);
});
