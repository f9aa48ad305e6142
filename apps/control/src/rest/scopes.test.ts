import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestPlane, type TestPlane } from '../testing/control-plane.fixture.js';
import { covers, SCOPES, type Scope } from './scopes.js';

let plane: TestPlane;
beforeAll(async () => {
  plane = await startTestPlane();
});
afterAll(() => plane?.stop());

const make = async (scopes: readonly Scope[], expiresAt: Date | null = null) =>
  (await plane.context.store.createApiKey('key', { scopes, expiresAt }, 'local')).secret;
const call = (secret: string, method: 'GET' | 'POST', url: string, payload?: object) =>
  plane.rest.app.inject({
    method,
    url: `/api/v1${url}`,
    headers: { authorization: `Bearer ${secret}` },
    ...(payload ? { payload } : {}),
  });

describe('a scope', () => {
  it('covers itself, writing covers reading, and admin covers all', () => {
    for (const scope of SCOPES) expect(covers(['admin'], scope)).toBe(true);
    expect(covers(['nodes:read'], 'nodes:read')).toBe(true);
    expect(covers(['nodes:write'], 'nodes:read')).toBe(true);
    expect(covers(['nodes:read'], 'nodes:write')).toBe(false);
    expect(covers(['nodes:write', 'tokens:write'], 'admin')).toBe(false);
    expect(covers(['nodes:write'], 'networks:read')).toBe(false);
    expect(covers([], 'status:read')).toBe(false);
  });
});

describe('an API key', () => {
  it('does what its scopes say and is told which one is missing', async () => {
    const reader = await make(['nodes:read']);
    expect((await call(reader, 'GET', '/nodes')).statusCode).toBe(200);
    const refused = await call(reader, 'POST', '/nodes', { name: 'x' });
    expect(refused.json()).toMatchObject({ status: 403, code: 'scope-missing' });
    expect(refused.json().detail).toContain('nodes:write');
    expect(refused.headers['www-authenticate']).toContain('scope="nodes:write"');
    expect((await call(reader, 'GET', '/networks')).json().code).toBe('scope-missing');
  });

  it('ends when it expires, and is told when', async () => {
    const expired = await make(['admin'], new Date(Date.now() - 1000));
    const answer = await call(expired, 'GET', '/nodes');
    expect(answer.json()).toMatchObject({ status: 401, code: 'api-key-expired' });
    expect(answer.headers['www-authenticate']).toMatch(/^Bearer/);
    const future = await make(['admin'], new Date(Date.now() + 60_000));
    expect((await call(future, 'GET', '/nodes')).statusCode).toBe(200);
  });

  it('makes no key that may do more than itself', async () => {
    const keeper = await make(['apikeys:write', 'nodes:write']);
    const give = (scopes: readonly string[] | undefined) => call(keeper, 'POST', '/apikeys', { name: 'child', scopes });
    expect((await give(['nodes:read', 'apikeys:read'])).json()).toMatchObject({
      scopes: ['nodes:read', 'apikeys:read'],
    });
    for (const scopes of [['admin'], ['nodes:read', 'tokens:read'], undefined])
      expect((await give(scopes)).json()).toMatchObject({ status: 403, code: 'scope-missing' });
    expect((await give([])).json().code).toBe('bad-request');
    expect((await give(['nodes:dance'])).json().code).toBe('bad-request');
  });

  it('that expires makes no key that lasts longer', async () => {
    const keeper = await make(['admin'], new Date(Date.now() + 3_600_000));
    const give = (expires?: string) => call(keeper, 'POST', '/apikeys', { name: 'child', ...(expires && { expires }) });
    for (const expires of [undefined, '2h'])
      expect((await give(expires)).json()).toMatchObject({ status: 403, code: 'forbidden' });
    expect((await give('30m')).statusCode).toBe(201);
  });

  it('is refused without a word on why when it is no key of ours', async () => {
    for (const secret of ['nonsense', 'warrenkey_', 'warrenconf_abc'])
      expect((await call(secret, 'GET', '/nodes')).json()).toMatchObject({ status: 401, code: 'unauthorized' });
  });
});
