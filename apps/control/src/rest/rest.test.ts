import { randomBytes } from 'node:crypto';
import { parseJoinToken } from '@warren/identity';
import { Role } from '@warren/proto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestPlane, type TestPlane, until } from '../testing/control-plane.fixture.js';
import { FakeAgent } from '../testing/fake-agent.fixture.js';

import { buildRest } from './app.js';

let plane: TestPlane;
let key: string;

beforeAll(async () => {
  plane = await startTestPlane();
  key = plane.firstApiKey!;
});
afterAll(() => plane?.stop());

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';
const call = (method: Method, url: string, payload?: object, headers: Record<string, string> = {}) =>
  plane.rest.app.inject({
    method,
    url: `/api/v1${url}`,
    headers: { authorization: `Bearer ${key}`, ...headers },
    ...(payload ? { payload } : {}),
  });
const publicKey = (): string => randomBytes(32).toString('base64');
const vanilla = async (name: string, more: object = {}) =>
  (await call('POST', '/nodes', { name, publicKey: publicKey(), ...more })).json();

describe('networks', () => {
  it('are made, listed, shown, changed and deleted', async () => {
    const made = await call('POST', '/networks', { name: 'lab', cidrs: ['10.99.0.0/24', 'fd00:99::/64'] });
    expect(made.statusCode).toBe(201);
    const { id } = made.json();
    expect((await call('GET', '/networks/lab')).json()).toMatchObject({ id, name: 'lab', mtu: 1400 });
    expect((await call('PATCH', `/networks/${id}`, { name: 'labor' })).json().name).toBe('labor');
    expect((await call('GET', '/networks')).json().items.map((item: { name: string }) => item.name)).toContain('labor');
    expect((await call('DELETE', `/networks/${id}`)).statusCode).toBe(204);
    expect((await call('GET', `/networks/${id}`)).json().code).toBe('not-found');
  });

  it('a request without a body is fine whatever type it names, as long as nothing has to be sent', async () => {
    const { id } = await vanilla('bodiless');
    const json = { 'content-type': 'application/json; charset=utf-8' };
    expect((await call('POST', `/nodes/${id}/disable`, undefined, json)).statusCode).toBe(200);
    expect((await call('POST', `/nodes/${id}/config-key`, undefined, json)).statusCode).toBe(201);
    expect((await call('DELETE', `/nodes/${id}`, undefined, json)).statusCode).toBe(204);
    expect((await call('POST', '/nodes', undefined, json)).json()).toMatchObject({ status: 400, code: 'bad-request' });
    const broken = {
      method: 'POST',
      url: '/api/v1/nodes',
      payload: '{',
      headers: { authorization: `Bearer ${key}` },
    } as const;
    const answer = await plane.rest.app.inject({ ...broken, headers: { ...broken.headers, ...json } });
    expect(answer.json()).toMatchObject({ status: 400, code: 'bad-request', detail: 'the body is not valid JSON' });
  });

  it('that have active nodes are not deleted', async () => {
    await call('POST', '/networks', { name: 'full', cidrs: ['10.98.0.0/24'] });
    await vanilla('member', { network: 'full' });
    expect((await call('DELETE', '/networks/full')).json()).toMatchObject({ status: 409, code: 'network-not-empty' });
  });
});

describe('nodes', () => {
  it('vanilla members are made, found, renamed, revoked and deleted', async () => {
    const { configKey, ...node } = await vanilla('phone');
    expect(configKey).toMatch(/^warrenconf_/);
    expect(node).toMatchObject({
      name: 'phone',
      kind: 'vanilla',
      role: 'client',
      status: 'active',
      network: 'default',
      online: null,
    });
    expect(node.addresses).toHaveLength(2);
    expect((await call('GET', `/nodes/${node.id}`)).json()).toEqual(node);
    expect((await call('GET', '/nodes/phone?network=default')).json().id).toBe(node.id);
    expect((await call('PATCH', `/nodes/${node.id}`, { name: 'handy' })).json().name).toBe('handy');
    expect((await call('GET', '/nodes?network=default&q=hand')).json().items).toHaveLength(1);
    const revoked = (await call('POST', `/nodes/${node.id}/revoke`)).json();
    expect(revoked.status).toBe('revoked');
    expect((await call('GET', '/nodes?status=revoked')).json().items.map((item: { id: string }) => item.id)).toContain(
      node.id,
    );
    expect((await call('GET', `/nodes/${node.id}/wg0.conf`)).json().code).toBe('node-not-active');
    expect((await call('DELETE', `/nodes/${node.id}`)).statusCode).toBe(204);
    expect((await call('GET', `/nodes/${node.id}`)).statusCode).toBe(404);
  });

  it('are refused with reasons, one by one', async () => {
    await vanilla('taken');
    const cases: [object, number, string][] = [
      [{ name: 'taken', publicKey: publicKey() }, 409, 'name-taken'],
      [{ name: 'x', publicKey: 'short' }, 400, 'bad-request'],
      [{ name: 'x', publicKey: Buffer.alloc(32).toString('base64') }, 400, 'bad-request'],
      [{}, 400, 'bad-request'],
      [{ name: 'Über', publicKey: publicKey() }, 400, 'bad-request'],
      [{ name: 'x', publicKey: publicKey(), network: 'nowhere' }, 404, 'not-found'],
      [{ name: 'x', publicKey: publicKey(), role: 'bounce' }, 400, 'endpoint-missing'],
      [{ name: 'x', publicKey: publicKey(), role: 'king' }, 400, 'bad-request'],
      [{ name: 'x', publicKey: publicKey(), endpoint: 'x' }, 400, 'bad-request'],
      [{ name: 'x', publicKey: publicKey(), privateKey: publicKey() }, 400, 'bad-request'],
    ];
    for (const [body, status, code] of cases) {
      const answer = await call('POST', '/nodes', body);
      expect(answer.json(), JSON.stringify(body)).toMatchObject({ status, code });
      expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    }
  });

  it('of agents say whether they are online', async () => {
    const agent = await FakeAgent.join(await plane.token(), { name: 'agent' });
    const online = async () => (await call('GET', `/nodes/${agent.nodeId}`)).json().online;
    expect(await online()).toBe(false);
    await agent.sync().synced();
    expect(await online()).toBe(true);
    agent.close();
    await until(async () => !(await online()), 'offline');
  });

  it('come page by page', async () => {
    await call('POST', '/networks', { name: 'paged', cidrs: ['10.97.0.0/24'] });
    for (let i = 0; i < 5; i++) await vanilla(`page-${i}`, { network: 'paged' });
    const names: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: { items: { name: string }[]; nextCursor: string | null } = (
        await call('GET', `/nodes?network=paged&limit=2${cursor && `&cursor=${encodeURIComponent(cursor)}`}`)
      ).json();
      names.push(...page.items.map((item) => item.name));
      cursor = page.nextCursor;
    }
    expect(names.sort()).toEqual(['page-0', 'page-1', 'page-2', 'page-3', 'page-4']);
    expect((await call('GET', '/nodes?limit=0')).statusCode).toBe(400);
    expect((await call('GET', '/nodes?cursor=nonsense')).statusCode).toBe(400);
  });
});

describe('configuration files', () => {
  it('give a vanilla member everything but its private key', async () => {
    const bounce = await FakeAgent.join(await plane.token(), {
      name: 'hub',
      role: Role.ROLE_BOUNCE,
      endpoint: '203.0.113.1:51820',
    });
    const node = await vanilla('tablet');
    const file = await call('GET', `/nodes/${node.id}/wg0.conf`);
    expect(file.headers['content-type']).toMatch(/^text\/plain/);
    expect(file.body).toContain(`Address = ${node.addresses[0]}/32`);
    expect(file.body).toMatch(/^PrivateKey = PUT-THE-PRIVATE-KEY-HERE$/m);
    expect(file.body).toContain('Endpoint = 203.0.113.1:51820');
    expect(file.body).toContain('AllowedIPs = 10.44.0.0/16');
    const peers = (await call('GET', `/nodes/${node.id}/peers.conf`)).body;
    expect(peers).not.toContain('[Interface]');
    expect(peers).toContain('[Peer]');
    expect((await call('GET', '/networks/default/peers.conf')).body).toContain('# Name = hub');
    expect((await call('GET', `/nodes/${node.id}/qr.svg`)).json()).toMatchObject({
      status: 409,
      code: 'private-key-not-held',
    });
    bounce.close();
  });

  it('are not sent again to whoever has them', async () => {
    const node = await vanilla('etag');
    const first = await call('GET', `/nodes/${node.id}/peers.conf`);
    const etag = String(first.headers.etag);
    expect(etag).toMatch(/^"[\w-]+"$/);
    const again = await call('GET', `/nodes/${node.id}/peers.conf`, undefined, { 'if-none-match': etag });
    expect([again.statusCode, again.body]).toEqual([304, '']);
  });

  it('wait for a change when asked to, and no longer than asked', async () => {
    const node = await vanilla('follower');
    const url = `/nodes/${node.id}/wg0.conf`;
    const etag = String((await call('GET', url)).headers.etag);
    const timedOut = await call('GET', `${url}?wait=0.05`, undefined, { 'if-none-match': etag });
    expect(timedOut.statusCode).toBe(304);
    const waiting = call('GET', `${url}?wait=30`, undefined, { 'if-none-match': etag });
    await call('PATCH', `/nodes/${node.id}`, { name: 'leader' });
    const changed = await waiting;
    expect(changed.statusCode).toBe(200);
    expect(changed.body).toContain('# Name = leader');
    expect((await call('GET', `${url}?wait=forever`)).json().code).toBe('bad-request');
  });
});

describe('join tokens', () => {
  it('show their secret once, carry address and pin, and end when revoked', async () => {
    const made = (await call('POST', '/tokens', { role: 'client', maxUses: 3, expires: '30m', tags: ['web'] })).json();
    expect(parseJoinToken(made.token)).toMatchObject({ id: made.id, addresses: plane.context.about.agentAddresses });
    expect(made).toMatchObject({ role: 'client', maxUses: 3, uses: 0, tags: ['web'] });
    expect(Date.parse(made.expiresAt) - Date.now()).toBeGreaterThan(29 * 60_000);
    const listed = (await call('GET', '/tokens?limit=100'))
      .json()
      .items.find((item: { id: string }) => item.id === made.id);
    expect(listed).not.toHaveProperty('token');
    expect((await call('DELETE', `/tokens/${made.id}`)).statusCode).toBe(204);
    await expect(FakeAgent.join(made.token, { name: 'late' })).rejects.toThrow('token-revoked');
    expect((await call('DELETE', '/tokens/nothing')).json().code).toBe('not-found');
  });

  it.each([
    [{ maxUses: 0 }],
    [{ expires: 'soon' }],
    [{ role: 'boss' }],
    [{ uses: 0 }],
    [{ uses: 2, maxUses: 3 }],
    [{ use: 3 }],
  ])('refuse %j', async (body) => {
    expect((await call('POST', '/tokens', body)).json().code).toBe('bad-request');
  });
});

describe('API keys', () => {
  it('are made, used, listed without secret, and revoked', async () => {
    const made = (await call('POST', '/apikeys', { name: 'ci' })).json();
    const use = () => call('GET', '/networks', undefined, { authorization: `Bearer ${made.secret}` });
    expect((await use()).statusCode).toBe(200);
    expect((await call('GET', '/apikeys')).body).not.toContain(made.secret);
    await call('DELETE', `/apikeys/${made.id}`);
    expect((await use()).json()).toMatchObject({ status: 401, code: 'unauthorized' });
  });
});

it('API keys come page by page, too', async () => {
  const names: string[] = [];
  for (const name of ['page-1', 'page-2', 'page-3']) await call('POST', '/apikeys', { name });
  let cursor: string | null = '';
  while (cursor !== null) {
    const url: string = `/apikeys?limit=2${cursor && `&cursor=${cursor}`}`;
    const page: { items: { name: string }[]; nextCursor: string | null } = (await call('GET', url)).json();
    expect(page.items.length).toBeLessThanOrEqual(2);
    names.push(...page.items.map((item) => item.name));
    cursor = page.nextCursor;
  }
  expect(names).toEqual([...new Set(names)]);
  expect(names).toEqual(expect.arrayContaining(['admin', 'page-1', 'page-2', 'page-3']));
  expect((await call('GET', '/apikeys?cursor=nowhere')).json()).toMatchObject({ code: 'bad-request' });
});

describe('writes', () => {
  it('with an Idempotency-Key happen once', async () => {
    const body = { name: 'once', publicKey: publicKey() };
    const headers = { 'idempotency-key': 'k1' };
    const [first, second] = [await call('POST', '/nodes', body, headers), await call('POST', '/nodes', body, headers)];
    expect([first.statusCode, second.statusCode]).toEqual([201, 201]);
    expect(second.json()).toEqual(first.json());
    expect(second.headers['idempotent-replayed']).toBe('true');
    const other = await call('POST', '/nodes', { ...body, name: 'twice' }, headers);
    expect(other.json()).toMatchObject({ status: 422, code: 'idempotency-key-reused' });
    expect((await call('POST', '/nodes', body)).json().code).toBe('key-taken');
    const again = await call('DELETE', `/nodes/${first.json().id}`, undefined, headers);
    const replayed = await call('DELETE', `/nodes/${first.json().id}`, undefined, headers);
    expect([again.statusCode, replayed.statusCode]).toEqual([204, 204]);
  });

  it('are in the audit log with who did them', async () => {
    const node = await vanilla('audited');
    await call('POST', `/nodes/${node.id}/revoke`);
    const { items } = (await call('GET', '/audit?limit=20')).json();
    const found = items.find(
      (item: { action: string; subject: string }) => item.action === 'node.revoke' && item.subject === node.id,
    );
    expect(found.actor).toMatch(/^apikey:/);
  });
});

describe('what is wrong', () => {
  it('with a body or path is a problem with a stable code', async () => {
    const raw = (payload: string, type: string) =>
      plane.rest.app.inject({
        method: 'POST',
        url: '/api/v1/nodes',
        payload,
        headers: { authorization: `Bearer ${key}`, 'content-type': type },
      });
    expect((await raw('{', 'application/json')).json()).toMatchObject({ status: 400, code: 'bad-request' });
    expect((await raw('a=b', 'application/x-www-form-urlencoded')).json()).toMatchObject({
      status: 415,
      code: 'media-type-unsupported',
    });
    expect((await raw(`{"name":"${'x'.repeat(300_000)}"}`, 'application/json')).json()).toMatchObject({
      status: 413,
      code: 'body-too-large',
    });
    expect((await call('GET', '/nothing')).json()).toMatchObject({ status: 404, code: 'not-found' });
    expect(
      (await call('POST', '/nodes', { publicKey: 'x' })).json().errors.map((error: { path: string }) => error.path),
    ).toEqual(expect.arrayContaining(['body.name', 'body.publicKey']));
  });
});

describe('a request that no route can take', () => {
  it.each(['/nodes/%00', '/nodes?q=%00', '/networks/a%1b%5B31m', '/nodes/%ff', `/nodes/${'x'.repeat(300)}`])(
    'is refused as a problem: %s',
    async (url) => {
      const answer = await call('GET', url);
      expect(answer.headers['content-type']).toContain('application/problem+json');
      expect(answer.json()).toMatchObject({ status: 400, code: 'bad-request' });
    },
  );

  it('is told that a name alone does not find a node', async () => {
    await vanilla('by-name');
    const { status, detail } = (await call('GET', '/nodes/by-name')).json();
    expect(status).toBe(404);
    expect(detail).toContain('?network=');
  });

  it('may not name an API key with what terminals obey', async () => {
    expect((await call('POST', '/apikeys', { name: 'a\u001b[31m' })).json()).toMatchObject({ code: 'bad-request' });
  });
});

describe('the description of the API', () => {
  it('is OpenAPI 3.1 in which every reference leads somewhere, and names every route', async () => {
    const document = (await plane.rest.app.inject('/api/openapi.json')).json();
    expect(document.openapi).toBe('3.1.0');
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1]!);
    expect(references.length).toBeGreaterThan(10);
    for (const reference of references) {
      const target = reference
        .slice(2)
        .split('/')
        .reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], document);
      expect(target, reference).toBeDefined();
    }
    const routes = plane.rest.routes.filter(({ url, method }) => url.startsWith('/api/v1/') && method !== 'HEAD');
    for (const { method, url } of routes) {
      const path = url.replaceAll(/:(\w+)/g, '{$1}');
      expect(document.paths[path]?.[method.toLowerCase()], `${method} ${path}`).toBeDefined();
    }
  });

  it('can be browsed', async () => {
    expect((await plane.rest.app.inject('/api/docs/')).body).toContain('swagger');
  });

  it('a database that hangs is not ready, and that is said in time', async () => {
    const hangs = {
      ...plane.context,
      store: { ...plane.context.store, missingMigrations: () => new Promise<string[]>(() => undefined) },
    };
    const { app } = await buildRest(hangs);
    expect((await app.inject('/readyz')).json()).toMatchObject({ status: 503, code: 'database-unavailable' });
    await app.close();
  });

  it('health is told to anybody', async () => {
    expect((await plane.rest.app.inject('/healthz')).json()).toEqual({ status: 'ok' });
    expect((await plane.rest.app.inject('/readyz')).json()).toMatchObject({ status: 'ok' });
  });

  it('metrics count streams, and name nobody', async () => {
    const agent = await FakeAgent.join(await plane.token(), { name: 'counted' });
    await agent.sync().synced();
    const { body } = await plane.rest.app.inject('/metrics');
    expect(body).toMatch(new RegExp(`^warren_agents_connected\\{network="${plane.network!.id}"\\} 1$`, 'm'));
    expect(body).not.toContain('counted');
    agent.close();
  });
});
