import { expect, it } from 'vitest';
import { waitUntil } from './wait-until.js';

it('gives what the look gives, as soon as it gives something', async () => {
  let looks = 0;
  expect(await waitUntil('three', { timeoutMs: 5_000, intervalMs: 1 }, () => ++looks === 3 && looks)).toBe(3);
});

it('counts 0 and the empty text as something', async () => {
  expect(await waitUntil('zero', { timeoutMs: 100 }, () => 0)).toBe(0);
  expect(await waitUntil('text', { timeoutMs: 100 }, async () => '')).toBe('');
});

it('says what it waited for, and why the last look failed', async () => {
  const look = (): never => {
    throw new Error('connection refused');
  };
  await expect(waitUntil('the server', { timeoutMs: 5, intervalMs: 1 }, look)).rejects.toThrow(
    'waited 5 ms for the server: connection refused',
  );
});
