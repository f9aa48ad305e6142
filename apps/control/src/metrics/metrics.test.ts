import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestPlane, type TestPlane, until } from '../testing/control-plane.fixture.js';
import { FakeAgent } from '../testing/fake-agent.fixture.js';
import { exposition } from './exposition.fixture.js';

let plane: TestPlane;
let network = '';

beforeAll(async () => {
  plane = await startTestPlane();
  network = plane.network!.id;
});
afterAll(() => plane?.stop());

const scrape = async () => exposition((await plane.rest.app.inject('/metrics')).body);
const rest = (method: string, path: string, body?: object, headers: Record<string, string> = {}) =>
  plane.rest.app.inject({
    method: method as 'GET',
    url: `/api/v1${path}`,
    headers: { authorization: `Bearer ${plane.firstApiKey}`, ...headers },
    ...(body && { payload: body }),
  });

describe('metrics', () => {
  it('are well-formed: each family announced once, every sample of a known family, buckets that only grow', async () => {
    await rest('GET', '/nodes');
    const families = await scrape();
    expect(families.size).toBeGreaterThan(30);
    for (const name of [
      'warren_nodes',
      'warren_joins_total',
      'warren_token_refusals_total',
      'warren_revocations_total',
      'warren_key_rotations_total',
      'warren_approvals_pending',
      'warren_nodes_expired',
      'warren_clones_noticed',
      'warren_config_polls_waiting',
      'warren_event_streams',
      'warren_http_request_duration_seconds',
      'warren_grpc_calls_total',
      'warren_database_duration_seconds',
      'nodejs_eventloop_lag_seconds',
      'process_cpu_seconds_total',
    ]) {
      expect(families.has(name), name).toBe(true);
    }
  });

  it('count joins and refused tokens by what became of them, and nodes by status, kind and whether they are online', async () => {
    const spent = await plane.token({ maxUses: 1 });
    const agent = await FakeAgent.join(spent, { name: 'counted' });
    await expect(FakeAgent.join(spent, { name: 'too-late' })).rejects.toThrow('token-used-up');
    await plane.vanilla('phone');
    await agent.sync().synced();
    const families = await scrape();
    expect(families.value('warren_joins_total', { result: 'joined' })).toBe(1);
    expect(families.value('warren_token_refusals_total', { code: 'token-used-up' })).toBe(1);
    const nodes = { network, status: 'active' };
    expect(families.value('warren_nodes', { ...nodes, kind: 'agent', online: 'true' })).toBe(1);
    expect(families.value('warren_nodes', { ...nodes, kind: 'agent', online: 'false' })).toBe(0);
    expect(families.value('warren_nodes', { ...nodes, kind: 'vanilla', online: 'unknown' })).toBe(1);
    expect(families.value('warren_grpc_calls_total', { method: 'join', code: 'OK' })).toBe(1);
    expect(families.value('warren_grpc_calls_total', { method: 'prepareJoin', code: 'PERMISSION_DENIED' })).toBe(1);
    expect(families.value('warren_lan_clashes', { network })).toBe(0);
    await rest('POST', `/nodes/${agent.nodeId}/revoke`);
    await until(async () => (await scrape()).value('warren_agents_connected', { network }) === 0, 'it is cut off');
    const after = await scrape();
    expect(after.value('warren_revocations_total', {})).toBe(1);
    expect(after.value('warren_nodes', { network, status: 'revoked', kind: 'agent', online: 'false' })).toBe(1);
    agent.close();
  });

  it('count polls that wait', async () => {
    await plane.vanilla('router');
    const first = await rest('GET', '/networks/default/peers.conf');
    const waiting = rest('GET', '/networks/default/peers.conf?wait=30', undefined, {
      'if-none-match': String(first.headers.etag),
    });
    const polls = async () => (await scrape()).value('warren_config_polls_waiting', {});
    await until(async () => (await polls()) === 1, 'one poll waits');
    const publicKey = randomBytes(32).toString('base64');
    await rest('POST', '/nodes', { name: 'hub', role: 'bounce', endpoint: '203.0.113.7:51820', publicKey });
    expect((await waiting).statusCode).toBe(200);
    await until(async () => (await polls()) === 0, 'nobody waits');
  });

  it('have few values of each label, whatever is asked: no path, name, key or id of a node', async () => {
    const junk = Array.from({ length: 40 }, () => randomBytes(8).toString('hex'));
    for (const text of junk) {
      await rest('GET', `/nodes/${text}`);
      await rest('GET', `/${text}`);
      await rest('PATCH', `/networks/${text}`, { name: text });
    }
    const { body } = await plane.rest.app.inject('/metrics');
    for (const text of [...junk, 'counted', 'phone']) expect(body).not.toContain(text);
    const routes = (await scrape()).samples('warren_http_requests_total').map(({ labels }) => labels.route);
    expect(routes).toContain('/api/v1/nodes/:id');
    expect(routes).toContain('none');
    expect(new Set(routes).size).toBeLessThan(12);
  });

  it('are served without the database, which is then not ready', async () => {
    expect((await plane.rest.app.inject('/readyz')).json()).toEqual({ status: 'ok', database: 'ok', migrations: 'ok' });
    const { store } = plane.context;
    const gone = () => Promise.reject(new Error('gone'));
    const [nodeCounts, missingMigrations] = [store.nodeCounts, store.missingMigrations];
    Object.assign(store, { nodeCounts: gone, missingMigrations: gone });
    expect((await scrape()).samples('warren_nodes')).toEqual([]);
    expect((await plane.rest.app.inject('/readyz')).json()).toMatchObject({
      status: 503,
      code: 'database-unavailable',
    });
    Object.assign(store, { missingMigrations: async () => ['20990101000000_later'] });
    const outdated = (await plane.rest.app.inject('/readyz')).json();
    expect(outdated).toMatchObject({ status: 503, code: 'database-outdated' });
    expect(outdated.detail).toContain('20990101000000_later');
    Object.assign(store, { nodeCounts, missingMigrations });
    expect((await plane.rest.app.inject('/readyz')).statusCode).toBe(200);
  });
});
