import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestPlane, type TestPlane, until } from '../testing/control-plane.fixture.js';
import { FakeAgent } from '../testing/fake-agent.fixture.js';

let plane: TestPlane;
beforeAll(async () => {
  plane = await startTestPlane();
});
afterAll(() => plane?.stop());

const call = async (method: 'GET' | 'POST' | 'PATCH' | 'DELETE', url: string, payload?: object) => {
  const answer = await plane.rest.app.inject({
    method,
    url: `/api/v1${url}`,
    headers: { authorization: `Bearer ${plane.firstApiKey}` },
    ...(payload ? { payload } : {}),
  });
  return { status: answer.statusCode, body: answer.body === '' ? undefined : answer.json() };
};
const publicKey = (): string => randomBytes(32).toString('base64');
const vanilla = async (network: string, name: string, more: object = {}) =>
  (await call('POST', '/nodes', { network, name, publicKey: publicKey(), ...more })).body;

describe('addresses over REST', () => {
  it('come from the pools of the network', async () => {
    const made = await call('POST', '/networks', { name: 'pooled', cidrs: ['10.81.0.0/16'], pools: ['10.81.4.0/24'] });
    expect(made).toMatchObject({ status: 201, body: { pools: ['10.81.4.0/24'] } });
    expect((await vanilla('pooled', 'a')).addresses).toEqual(['10.81.4.1']);
    expect((await call('PATCH', '/networks/pooled', { pools: ['10.81.5.0/24'] })).body.pools).toEqual(['10.81.5.0/24']);
    expect((await vanilla('pooled', 'b')).addresses).toEqual(['10.81.5.1']);
    expect((await call('PATCH', '/networks/pooled', { pools: ['10.0.0.0/8'] })).body.code).toBe('bad-request');
  });

  it('are given as asked for, and changed', async () => {
    await call('POST', '/networks', { name: 'fixed', cidrs: ['10.82.0.0/16', 'fd82::/64'] });
    const node = await vanilla('fixed', 'a', { addresses: ['10.82.7.7'] });
    expect(node.addresses).toEqual(['10.82.7.7', 'fd82::707']);
    const moved = await call('PATCH', `/nodes/${node.id}`, { addresses: ['10.82.7.8'] });
    expect(moved).toMatchObject({ status: 200, body: { addresses: ['10.82.7.8', 'fd82::707'] } });
    expect(await vanilla('fixed', 'b', { addresses: ['10.82.7.8'] })).toMatchObject({
      code: 'address-taken',
      status: 409,
    });
    expect(await vanilla('fixed', 'b', { addresses: ['10.83.7.8'] })).toMatchObject({
      code: 'bad-request',
      status: 400,
    });
    expect(await vanilla('fixed', 'b', { addresses: [] })).toMatchObject({ code: 'bad-request', status: 400 });
  });

  it('are reserved, listed with what is in use and what rests, and released', async () => {
    await call('POST', '/networks', { name: 'kept', cidrs: ['10.84.0.0/24'] });
    const reserve = (body: object) => call('POST', '/networks/kept/reservations', body);
    expect(await reserve({ prefix: '10.84.0.1', name: 'printer', note: 'hall' })).toMatchObject({
      status: 201,
      body: { prefix: '10.84.0.1', name: 'printer', note: 'hall' },
    });
    expect(await reserve({ prefix: '10.84.0.128/25' })).toMatchObject({ status: 201, body: { name: null } });
    expect(await reserve({ prefix: '10.84.0.1/32' })).toMatchObject({
      status: 409,
      body: { code: 'reservation-exists' },
    });
    expect(await reserve({ prefix: '10.85.0.1' })).toMatchObject({ status: 400, body: { code: 'bad-request' } });
    const gone = await vanilla('kept', 'gone');
    expect(gone.addresses).toEqual(['10.84.0.2']);
    await call('DELETE', `/nodes/${gone.id}`);
    const printer = await vanilla('kept', 'printer');
    const first = (await call('GET', '/networks/kept/addresses?limit=3')).body;
    expect(first.items).toMatchObject([
      { address: '10.84.0.1', state: 'reserved', name: 'printer', note: 'hall', node: null },
      { address: '10.84.0.1', state: 'in-use', node: { id: printer.id, name: 'printer' } },
      { address: '10.84.0.2', state: 'resting', until: expect.stringMatching(/^20.*Z$/) },
    ]);
    expect(first.summary).toMatchObject({ inUse: 1, resting: 1, reservations: 2, nextFree: first.items[2].until });
    const rest = (await call('GET', `/networks/kept/addresses?limit=3&cursor=${first.nextCursor}`)).body;
    expect(rest).toMatchObject({ items: [{ address: '10.84.0.128/25' }], nextCursor: null });
    const removed = await call('DELETE', `/networks/kept/reservations/${encodeURIComponent('10.84.0.128/25')}`);
    expect(removed.status).toBe(204);
    expect((await call('DELETE', '/networks/kept/reservations/10.84.0.200')).body.code).toBe('not-found');
    const left = (await call('GET', '/networks/kept/reservations')).body;
    expect(left.items).toMatchObject([{ prefix: '10.84.0.1' }]);
    expect((await call('GET', '/networks/nowhere/addresses')).status).toBe(404);
  });
});

describe('renumbering over REST', () => {
  it('shows what it would do, does it, and every agent follows at once on the same stream', async () => {
    const agents = await Promise.all(['a', 'b'].map(async (name) => FakeAgent.join(await plane.token(), { name })));
    const streams = agents.map((agent) => agent.sync());
    await Promise.all(streams.map((stream) => stream.synced()));
    const phone = await vanilla('default', 'phone', { addresses: ['10.44.9.9'] });
    const body = { cidrs: ['10.91.0.0/16', 'fd91::/64'] };
    const dry = await call('POST', '/networks/default/renumber', { ...body, dryRun: true });
    expect(dry).toMatchObject({ status: 200, body: { dryRun: true, network: { cidrs: body.cidrs } } });
    expect((await call('GET', '/networks/default')).body.cidrs[0]).toBe('10.44.0.0/16');
    const done = await call('POST', '/networks/default/renumber', body);
    expect(done.body.nodes).toEqual(dry.body.nodes);
    expect(done.body.nodes).toContainEqual({
      id: phone.id,
      name: 'phone',
      kind: 'vanilla',
      before: ['10.44.9.9', phone.addresses[1]],
      after: ['10.91.9.9', 'fd91::909'],
      newFile: true,
    });
    for (const [index, stream] of streams.entries()) {
      await until(async () => stream.self?.cidrs[0] === '10.91.0.0/16', 'new prefixes');
      const { after } = done.body.nodes.find(({ id }: { id: string }) => id === agents[index]!.nodeId);
      expect(stream.self?.addresses).toEqual(after);
    }
    expect((await call('POST', '/networks/default/renumber', { cidrs: ['10.91.0.0/30'] })).body).toMatchObject({
      status: 409,
      code: 'addresses-exhausted',
    });
    expect((await call('POST', '/networks/default/renumber', { cidrs: ['10.91.0.1/16'] })).status).toBe(400);
    for (const agent of agents) agent.close();
  });

  it('into a prefix that is a LAN of a host needs to be allowed', async () => {
    const agent = await FakeAgent.join(await plane.token(), { name: 'office' });
    const stream = agent.sync();
    await stream.synced();
    const value = { lanClashes: ['10.91.200.0/24'], lanPrefixes: ['10.91.200.0/24', '192.168.7.0/24'] };
    stream.send({ $case: 'observation', value });
    const node = async () => (await call('GET', `/nodes/${agent.nodeId}`)).body;
    await until(async () => (await node()).lanClashes.length > 0, 'the observation');
    expect((await node()).lanClashes).toEqual(['10.91.200.0/24']);
    const into = { cidrs: ['192.168.0.0/16'] };
    expect((await call('POST', '/networks/default/renumber', into)).body).toMatchObject({
      status: 409,
      code: 'lan-clash',
      detail: expect.stringContaining('192.168.7.0/24 of office'),
    });
    const dry = (await call('POST', '/networks/default/renumber', { ...into, dryRun: true })).body;
    expect(dry.lanClashes).toEqual([
      { id: agent.nodeId, name: 'office', cidr: '192.168.0.0/16', lan: '192.168.7.0/24' },
    ]);
    expect((await call('POST', '/networks/default/renumber', { ...into, allowLanClash: true })).status).toBe(200);
    agent.close();
    await until(async () => (await node()).lanClashes.length === 0, 'nothing observed');
  });
});
