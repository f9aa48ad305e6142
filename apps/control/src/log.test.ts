import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestPlane, type TestPlane, until } from './testing/control-plane.fixture.js';
import { FakeAgent } from './testing/fake-agent.fixture.js';

type Line = Record<string, unknown>;

let plane: TestPlane;
let from = 0;

beforeAll(async () => {
  plane = await startTestPlane();
});
afterAll(() => plane?.stop());
beforeEach(() => {
  from = plane.log().length;
});

/** What was logged since the test began. */
const lines = (): Line[] =>
  plane
    .log()
    .slice(from)
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line);
const line = (what: Line): Line | undefined =>
  lines().find((one) => Object.entries(what).every(([key, value]) => one[key] === value));

const rest = (method: string, path: string, body?: object, headers: Record<string, string> = {}) =>
  plane.rest.app.inject({
    method: method as 'GET',
    url: `/api/v1${path}`,
    headers: { authorization: `Bearer ${plane.firstApiKey}`, ...headers },
    ...(body && { payload: body }),
  });

describe('log lines', () => {
  it('of a request carry the id that its answer carries, and the ids of node and network, by name too', async () => {
    const node = await plane.vanilla('printer');
    const answer = await rest('PATCH', '/nodes/printer?network=default', { name: 'scanner' });
    const requestId = String(answer.headers['x-request-id']);
    expect(requestId).toMatch(/^[0-9a-f]{16}$/);
    await until(() => line({ requestId, msg: 'request' }) !== undefined, 'its line');
    expect(line({ requestId, msg: 'request' })).toMatchObject({
      method: 'PATCH',
      route: '/api/v1/nodes/:id',
      status: 200,
      node: node.id,
      network: plane.network!.id,
      actor: expect.stringMatching(/^apikey:/),
      ms: expect.any(Number),
    });
  });

  it('take a caller’s own id if it is sane', async () => {
    const given = async (id: string): Promise<string> =>
      String((await rest('GET', '/networks', undefined, { 'x-request-id': id })).headers['x-request-id']);
    expect(await given('ci-run/42:7')).toBe('ci-run/42:7');
    for (const bad of ['', 'x'.repeat(129), 'two words', '{"level":60}', 'a\tb', 'ü']) {
      expect(await given(bad)).toMatch(/^[0-9a-f]{16}$/);
    }
  });

  it('of a refusal and of a failure carry it too', async () => {
    const refused = await rest('GET', '/nodes', undefined, {
      authorization: 'Bearer wrong',
      'x-request-id': 'refused-1',
    });
    expect(refused.headers['x-request-id']).toBe('refused-1');
    await until(() => line({ requestId: 'refused-1', status: 401 }) !== undefined, 'the line of the refusal');
    const { store } = plane.context;
    const { listTokens } = store;
    Object.assign(store, { listTokens: () => Promise.reject(new Error('broken inside')) });
    await rest('GET', '/tokens', undefined, { 'x-request-id': 'failed-1' });
    Object.assign(store, { listTokens });
    expect(line({ requestId: 'failed-1', msg: 'request failed' })).toMatchObject({ level: 50 });
    expect((line({ requestId: 'failed-1', msg: 'request failed' })!.err as Line).message).toBe('broken inside');
  });

  it('of an agent’s calls and of its stream carry node and network', async () => {
    const agent = await FakeAgent.join(await plane.token(), { name: 'laptop' });
    const ids = { node: agent.nodeId, network: plane.network!.id };
    expect(line({ rpc: 'join', msg: 'answered' })).toMatchObject({ ...ids, requestId: expect.any(String) });
    await agent.sync().synced();
    expect(line({ rpc: 'sync', msg: 'agent connected' })).toMatchObject({ ...ids, requestId: expect.any(String) });
    await plane.context.store.revokeNode(agent.nodeId as never, 'local');
    await until(() => line({ msg: 'agent disconnected' }) !== undefined, 'its end');
    expect(line({ msg: 'agent disconnected' })).toMatchObject({ ...ids, farewell: 'node-revoked' });
    await expect(agent.renew()).rejects.toThrow('node-revoked');
    expect(line({ rpc: 'renew', msg: 'refused' })).toMatchObject({ ...ids, code: 'node-revoked' });
    agent.close();
  });

  it('show no secret, wherever in an object somebody logs it', () => {
    const secret = randomBytes(32).toString('base64');
    const { log } = plane.context;
    const names = ['secret', 'apiKey', 'configKey', 'presharedKey', 'privateKey', 'authorization', 'idempotency-key'];
    for (const name of names) {
      log.info({ [name]: secret }, 'at the top');
      log.info({ body: { [name]: secret } }, 'inside');
      log.info({ request: { headers: { [name]: secret } } }, 'deep inside');
    }
    expect(lines()).toHaveLength(3 * names.length);
    expect(plane.log()).not.toContain(secret);
  });
});
