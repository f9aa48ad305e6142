import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { socketPath } from '../data-dir.js';
import { startTestPlane, type TestPlane } from '../testing/control-plane.fixture.js';

let plane: TestPlane;
beforeAll(async () => {
  plane = await startTestPlane();
});
afterAll(() => plane?.stop());

const call = (method: string, url: string, payload?: object, headers: Record<string, string> = {}) =>
  plane.rest.app.inject({
    method: method as 'GET',
    url,
    headers: { authorization: `Bearer ${plane.firstApiKey}`, ...headers },
    ...(payload ? { payload } : {}),
  });

describe('a method that a path does not have', () => {
  it.each([
    ['PUT', '/api/v1/networks', 'GET, HEAD, POST'],
    ['POST', '/api/v1/networks/default', 'DELETE, GET, HEAD, PATCH'],
    ['DELETE', '/api/v1/status', 'GET, HEAD'],
    ['HEAD', '/api/v1/events', 'GET'],
    ['OPTIONS', '/api/v1/nodes/x/revoke', 'POST'],
  ])('%s %s is answered with those that it has', async (method, url, allow) => {
    const answer = await call(method, url);
    expect([answer.statusCode, answer.headers.allow]).toEqual([405, allow]);
    if (method !== 'HEAD') expect(answer.json()).toMatchObject({ code: 'method-not-allowed' });
  });

  it('is told from a path that is nowhere', async () => {
    for (const url of ['/api/v1/nothing', '/api/v1/networks/a/b/c', '/api/v1networks', '/api/v2/networks'])
      expect((await call('PUT', url)).json()).toMatchObject({ status: 404, code: 'not-found' });
  });
});

describe('headers', () => {
  it('let no browser guess, frame or keep what is behind a key', async () => {
    const read = await call('GET', '/api/v1/networks/default');
    expect(read.headers).toMatchObject({ 'cache-control': 'private, no-cache', vary: 'authorization, cookie' });
    const made = await call('POST', '/api/v1/tokens', {});
    expect(made.headers['cache-control']).toBe('no-store');
    const refused = await call('GET', '/api/v1/nodes/x', undefined, { authorization: '' });
    for (const { headers } of [read, made, refused]) {
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'cross-origin-resource-policy': 'same-origin',
        'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      });
      expect(headers).not.toHaveProperty('access-control-allow-origin');
    }
  });

  it('of the page of documentation allow its own scripts only', async () => {
    const policy = String((await call('GET', '/api/docs/')).headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'; script-src 'self';");
    expect(policy).not.toContain('https:');
    expect(policy).not.toContain('upgrade-insecure-requests');
  });
});

describe('changes with If-Match', () => {
  const node = async (name: string) => {
    const { id } = await plane.vanilla(name);
    return `/api/v1/nodes/${id}`;
  };

  it('of ten with the same tag one is done', async () => {
    const url = await node('raced');
    const etag = String((await call('GET', url)).headers.etag);
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, i) => call('PATCH', url, { name: `raced-${i}` }, { 'if-match': etag })),
    );
    expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([200, ...Array(9).fill(412)]);
  });

  it('take any of several tags, a star, and the name of the thing', async () => {
    const url = await node('listed');
    const etag = String((await call('GET', url)).headers.etag);
    const patch = (path: string, tag: string) => call('PATCH', path, { name: 'listed' }, { 'if-match': tag });
    expect((await patch(url, `"other", ${etag}`)).statusCode).toBe(200);
    expect((await patch('/api/v1/nodes/listed?network=default', etag)).statusCode).toBe(200);
    expect((await patch(url, '*')).statusCode).toBe(200);
    expect((await patch(url, 'nonsense')).json()).toMatchObject({ status: 412, code: 'etag-mismatch' });
    expect((await call('DELETE', '/api/v1/nodes/gone', undefined, { 'if-match': '*' })).statusCode).toBe(404);
  });

  it('of a network are not stale because a node joined', async () => {
    const etag = String((await call('GET', '/api/v1/networks/default')).headers.etag);
    await plane.vanilla('newcomer');
    const read = await call('GET', '/api/v1/networks/default', undefined, { 'if-none-match': etag });
    expect(read.statusCode, 'the revision is another').toBe(200);
    const changed = await call('PATCH', '/api/v1/networks/default', { mtu: 1390 }, { 'if-match': etag });
    expect(changed.statusCode).toBe(200);
    const stale = await call('PATCH', '/api/v1/networks/default', { mtu: 1400 }, { 'if-match': etag });
    expect(stale.statusCode).toBe(412);
  });
});

it('a repeated change is answered again though its tag is stale by then', async () => {
  const { id } = await plane.vanilla('repeated');
  const etag = String((await call('GET', `/api/v1/nodes/${id}`)).headers.etag);
  const headers = { 'if-match': etag, 'idempotency-key': 'repeat' };
  const first = await call('PATCH', `/api/v1/nodes/${id}`, { name: 'repeated-1' }, headers);
  const second = await call('PATCH', `/api/v1/nodes/${id}`, { name: 'repeated-1' }, headers);
  expect([first.statusCode, second.statusCode, second.body]).toEqual([200, 200, first.body]);
  for (const key of ['', 'x'.repeat(256), 'a\u00e9'])
    expect((await call('DELETE', `/api/v1/nodes/${id}`, undefined, { 'idempotency-key': key })).statusCode).toBe(400);
});

it('whoever may open the local socket needs no key', async () => {
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const options = { socketPath: socketPath(plane.config.dataDir), path: '/api/v1/apikeys' };
    httpRequest(options, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    })
      .on('error', reject)
      .end();
  });
  expect(status).toBe(200);
});
