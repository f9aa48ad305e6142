import { expect, test } from 'vitest';
import { RateLimiter } from '../rate-limiter.js';
import { nameKey } from './sign-ins.js';

test('tries for a name are not forgotten because somebody tries many others', () => {
  const limiter = new RateLimiter({ atOnce: 1, perSecond: 1e-6 });
  expect(limiter.take(nameKey('admin'), 0)).toBe(0);
  for (let i = 0; i < 12_000; i++) limiter.take(nameKey(`other-${i}`), 0);
  expect(limiter.wait(nameKey('admin'), 0)).toBeGreaterThan(0);
});
