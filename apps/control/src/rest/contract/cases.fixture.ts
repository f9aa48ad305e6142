import { describe, expect, it } from 'vitest';
import type { Answer, Contract, Contracts, Request, Route, World } from './engine.fixture.js';

/** Tests every operation of a table, and that each is refused as all others are. */
export function contractTests(resource: string, contracts: Contracts, world: () => World): void {
  describe(resource, () => {
    for (const [id, contract] of Object.entries(contracts)) {
      describe(id, () => {
        goodCases(id, contract, world);
        if (contract.by === undefined) callerCases(id, contract, world);
        if (contract.by !== 'anybody') sessionCases(id, contract, world);
        badCases(id, contract, world);
        if (!/^(get|list|export|stream)/.test(id)) writeCases(id, contract, world);
        else if (!contract.endless && contract.by !== 'anybody') readCases(id, contract, world);
      });
    }
  });
}

function expectProblem(answer: Answer, status: number, code: string): void {
  expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
  expect(answer.json, answer.text).toMatchObject({ status, code });
  expect(answer.status).toBe(status);
}

function goodCases(id: string, contract: Contract, world: () => World): void {
  if (contract.endless) return;
  it(`answers ${contract.status}`, async () => {
    const good = await contract.good(world());
    const answer = await world().send(id, good);
    expect(answer.status, answer.text).toBe(contract.status);
    contract.gives?.((answer.json ?? answer.text) as never, good);
    expect(answer.headers['x-content-type-options']).toBe('nosniff');
  });
}

function callerCases(id: string, contract: Contract, world: () => World): void {
  it('is refused to who has no key, or one that is none', async () => {
    const good = await contract.good(world());
    for (const authorization of ['', 'Bearer warrenkey_0000000000000000_AAAA', 'Basic YTpi']) {
      const answer = await world().send(id, { ...good, headers: { ...good.headers, authorization } });
      expectProblem(answer, 401, 'unauthorized');
      expect(answer.headers['www-authenticate']).toMatch(/^Bearer/);
    }
  });

  it('is refused to a key without its scope, which is named', async () => {
    const needed = world().route(id).operation.security[0]?.apiKey?.[0];
    if (!needed) expect.fail('the document names no scope');
    const good = await contract.good(world());
    const authorization = `Bearer ${await world().keyWithout(needed)}`;
    const answer = await world().send(id, { ...good, headers: { ...good.headers, authorization } });
    expectProblem(answer, 403, 'scope-missing');
    expect((answer.json as { detail: string }).detail).toContain(needed);
    if (contract.endless) return;
    const right = { ...good.headers, authorization: `Bearer ${await world().key([needed])}` };
    expect((await world().send(id, { ...good, headers: right })).status).toBe(contract.status);
  });
}

/** A session may do everything, but no page of somebody else's may use it. */
function sessionCases(id: string, contract: Contract, world: () => World): void {
  const isRead = () => world().route(id).method === 'GET';
  const asSession = async (change: Record<string, string> = {}) => {
    const good = await contract.good(world());
    const mine = contract.by === 'session' ? {} : (await world().session()).headers;
    return world().send(id, { ...good, headers: { ...good.headers, ...mine, ...change } });
  };
  if (!contract.endless) {
    it('is done for who has signed in', async () => {
      const answer = await asSession({ 'sec-fetch-site': 'same-origin', origin: 'http://localhost:80' });
      expect(answer.status, answer.text).toBe(contract.status);
    });
  }

  it('is refused to a session that is none, and to an API key where it is about a session', async () => {
    const cookie = `warren_session=${'A'.repeat(43)}`;
    expectProblem(await asSession({ cookie }), 401, 'unauthorized');
    if (contract.by !== 'session') return;
    const authorization = `Bearer ${await world().key(['admin'])}`;
    expectProblem(await asSession({ authorization }), 401, 'unauthorized');
    expectProblem(await asSession({ cookie: '' }), 401, 'unauthorized');
  });

  it('is refused to a page of somebody else, in whatever way that is told', async () => {
    if (isRead()) return;
    const forged = [
      ...[{ 'x-warren-csrf': '' }, { 'x-warren-csrf': 'A'.repeat(43) }, { 'sec-fetch-site': 'cross-site' }],
      ...[{ 'sec-fetch-site': 'same-site' }, { origin: 'https://evil.example' }, { origin: 'null' }],
    ];
    for (const headers of forged) expectProblem(await asSession(headers as Record<string, string>), 403, 'csrf');
  });
}

function badCases(id: string, contract: Contract, world: () => World): void {
  const { badBodies = [], badQueries = [], refused = [], unknown = { status: 404, code: 'not-found' } } = contract;
  it('is refused for ids that are unknown or malformed', async () => {
    const good = await contract.good(world());
    const names = Object.keys(good.params ?? {});
    for (const name of names) {
      const ask = (value: string) => world().send(id, { ...good, params: { ...good.params, [name]: value } });
      if (unknown && name === 'id') expectProblem(await ask('nothing-of-this-name'), unknown.status, unknown.code);
      expectProblem(await ask('\u0000'), 400, 'bad-request');
      expectProblem(await ask('x'.repeat(300)), 400, 'bad-request');
    }
  });

  it('is refused for a body that is not as described', async () => {
    const good = await contract.good(world());
    const { requestBody } = world().route(id).operation;
    if (!requestBody) return;
    const bodies = [[], { ...good.body, surprise: true }, ...badBodies.map((body) => ({ ...good.body, ...body }))];
    for (const body of bodies) {
      const answer = await world().send(id, { ...good, body });
      expect([answer.status, JSON.stringify(body)]).toEqual([400, JSON.stringify(body)]);
      expectProblem(answer, 400, 'bad-request');
    }
  });

  it('is refused for a query that is not as described', async () => {
    const good = await contract.good(world());
    const names = (world().route(id).operation.parameters ?? []).filter((one) => one.in === 'query');
    const has = (name: string) => names.some((one) => one.name === name);
    const pages = [{ limit: 0 }, { limit: 501 }, { limit: 'x' }, { cursor: 'nonsense' }, { cursor: '' }];
    for (const query of [...(has('cursor') ? pages : []), ...badQueries]) {
      const answer = await world().send(id, { ...good, query: { ...good.query, ...query } });
      expect([answer.status, query], answer.text).toEqual([400, query]);
      expectProblem(answer, 400, 'bad-request');
    }
  });

  for (const { what, request, status, code } of refused) {
    it(`is refused: ${what}`, async () => {
      const good = await contract.good(world());
      expectProblem(await world().send(id, await request(good, world())), status, code);
    });
  }
}

function readCases(id: string, contract: Contract, world: () => World): void {
  if (contract.status >= 400) return;
  it('is not sent again to who has it, and HEAD gives the same headers', async () => {
    const good = await contract.good(world());
    const first = await world().send(id, good);
    const etag = first.headers.etag;
    expect(etag).toMatch(/^"[\w.-]+"$/);
    const again = await world().send(id, { ...good, headers: { ...good.headers, 'if-none-match': etag! } });
    // What this process is doing may have changed in between.
    if (again.headers.etag === etag) expect([again.status, again.text]).toEqual([304, '']);
    const head = await world().send(id, good, 'HEAD');
    expect([head.status, head.text]).toEqual([200, '']);
    expect(head.headers['content-type']).toBe(first.headers['content-type']);
  });
}

function writeCases(id: string, contract: Contract, world: () => World): void {
  if (!contract.unrepeatable) repeatCases(id, contract, world);
  staleCases(id, contract, world);
}

function repeatCases(id: string, contract: Contract, world: () => World): void {
  it('happens once with an Idempotency-Key', async () => {
    const good = await contract.good(world());
    const request = { ...good, headers: { ...good.headers, 'idempotency-key': world().name('key') } };
    const first = await world().send(id, request);
    const second = await world().send(id, request);
    expect([first.status, second.status], second.text).toEqual([contract.status, contract.status]);
    expect(second.text).toBe(first.text);
    expect(second.headers['content-type']).toBe(first.headers['content-type']);
    expect([first.headers['idempotent-replayed'], second.headers['idempotent-replayed']]).toEqual([undefined, 'true']);
    if (good.body === undefined) return;
    const changed = await world().send(id, { ...request, body: withoutOne(good.body) });
    if (changed.status !== 400) expectProblem(changed, 422, 'idempotency-key-reused');
  });
}

function staleCases(id: string, contract: Contract, world: () => World): void {
  it('is refused with an ETag that is stale, and done with one that is not', async () => {
    const route = world().route(id);
    if (route.method === 'POST') return;
    const good = await contract.good(world());
    const send = (tag: string) => world().send(id, { ...good, headers: { ...good.headers, 'if-match': tag } });
    expectProblem(await send('"stale"'), 412, 'etag-mismatch');
    const etag = await etagOf(route, good, world());
    if (etag === undefined) return;
    expectProblem(await send(`W/${etag}`), 412, 'etag-mismatch');
    expect((await send(etag)).status).toBe(contract.status);
  });
}

/** Another body that may be as good: what is compared is that it differs. */
const withoutOne = (body: object): object => Object.fromEntries(Object.entries(body).slice(0, -1));

/** Of the thing that the route changes; undefined where it cannot be read by the same URL. */
async function etagOf({ path }: Route, good: Request, world: World): Promise<string | undefined> {
  const read = world.routes.find((route) => route.path === path && route.method === 'GET');
  const { body: _, ...rest } = good;
  return read && (await world.send(read.operation.operationId, rest)).headers.etag;
}
