import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RateLimiter } from '../rate-limiter.js';
import { startTestPlane, type TestPlane } from '../testing/control-plane.fixture.js';
import { REST_RATES } from './rate-limits.js';

describe('a rate limiter', () => {
  it('lets a burst pass, then one at a time, each caller for itself', () => {
    const limiter = new RateLimiter({ atOnce: 3, perSecond: 2 });
    expect([0, 0, 0, 0].map(() => limiter.take('a', 1000))).toEqual([0, 0, 0, 500]);
    expect(limiter.take('b', 1000)).toBe(0);
    expect(limiter.take('a', 1499)).toBe(1);
    expect(limiter.take('a', 1500)).toBe(0);
    expect(limiter.take('a', 1500)).toBe(500);
    expect([0, 0, 0, 0].map(() => limiter.take('a', 60_000))).toEqual([0, 0, 0, 500]);
  });

  it('counts nothing when it only looks', () => {
    const limiter = new RateLimiter({ atOnce: 1, perSecond: 1 });
    for (let i = 0; i < 5; i++) expect(limiter.wait('a', 0)).toBe(0);
    expect(limiter.take('a', 0)).toBe(0);
    expect(limiter.wait('a', 250)).toBe(750);
  });

  it('takes back what was counted, as if it had not been', () => {
    const limiter = new RateLimiter({ atOnce: 1, perSecond: 1 });
    for (let i = 0; i < 5; i++) {
      expect(limiter.take('a', 0)).toBe(0);
      limiter.giveBack('a');
    }
    limiter.giveBack('nobody');
    expect([limiter.take('a', 0), limiter.take('a', 0)]).toEqual([0, 1000]);
  });

  it('remembers the latest callers only', () => {
    const limiter = new RateLimiter({ atOnce: 1, perSecond: 0.001 });
    for (let i = 0; i < 20_000; i++) limiter.take(String(i), 0);
    expect(limiter.wait('19999', 0)).toBeGreaterThan(0);
    expect(limiter.wait('0', 0)).toBe(0);
  });
});

describe('REST', () => {
  let plane: TestPlane;
  beforeAll(async () => {
    const rates = { ...REST_RATES, requests: { atOnce: 20, perSecond: 0.1 }, failures: { atOnce: 5, perSecond: 0.1 } };
    plane = await startTestPlane({ rates });
  });
  afterAll(() => plane?.stop());
  const ask = (secret: string) =>
    plane.rest.app.inject({ url: '/api/v1/networks', headers: { authorization: `Bearer ${secret}` } });

  it('refuses an address that shows bad keys, before it looks at them, and never a good key that is known', async () => {
    const { store } = plane.context;
    const { secret } = await store.createApiKey('good', { scopes: ['admin'], expiresAt: null }, 'local');
    expect((await ask(secret)).statusCode).toBe(200);
    for (let i = 0; i < 5; i++) expect((await ask(`warrenkey_${i}`)).statusCode).toBe(401);
    const refused = await ask('warrenkey_6');
    expect(refused.json()).toMatchObject({ status: 429, code: 'too-many-requests' });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect((await ask(secret)).statusCode).toBe(200);
  });

  it('refuses a key that asks too often, and nobody else', async () => {
    const { store } = plane.context;
    const statuses: number[] = [];
    for (let i = 0; i < 25; i++) statuses.push((await ask(plane.firstApiKey!)).statusCode);
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThan(0);
    expect((await plane.rest.app.inject('/healthz')).statusCode).toBe(200);
    expect((await store.listApiKeys()).length).toBeGreaterThan(0);
  });
});
