import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestPlane, type TestPlane } from '../testing/control-plane.fixture.js';
import { Listener } from '../testing/event-listener.fixture.js';
import { FakeAgent } from '../testing/fake-agent.fixture.js';

let plane: TestPlane;
const open = new Set<Listener>();
beforeAll(async () => {
  plane = await startTestPlane({ heartbeat: 100 });
});
afterAll(async () => {
  for (const listener of open) listener.close();
  await plane?.stop();
});

const listen = async (...how: ListenArguments): Promise<Listener> => {
  const listener = await Listener.open(plane, ...how);
  open.add(listener);
  return listener;
};
const network = (name: string) =>
  plane.context.store.createNetwork({ name, cidrs: ['10.77.0.0/24'] as never }, 'apikey:test');

type ListenArguments = [query?: string, headers?: Record<string, string>, key?: string];

describe('the stream of events', () => {
  it('tells of what happens, with who did it and to whom', async () => {
    const listener = await listen();
    const node = await plane.vanilla('told');
    const { id, data } = await listener.next('node.create', node.id);
    expect(id).toMatch(/^\d+-\d+$/);
    expect(data).toMatchObject({ type: 'node.create', networkId: node.networkId, actor: 'local' });
    expect(Object.keys(data!).sort()).toEqual(
      ['actor', 'at', 'auditId', 'details', 'networkId', 'subject', 'type'].sort(),
    );
    await plane.context.store.createApiKey('told', { scopes: ['admin'], expiresAt: null }, 'local');
    await listener.next('apikey.create');
    listener.close();
  });

  it('goes on after the last event that the reader has: none twice, none left out', async () => {
    const first = await listen();
    const one = await plane.vanilla('resume-1');
    await first.next('node.create', one.id);
    first.close();
    const missed = [await plane.vanilla('resume-2'), await plane.vanilla('resume-3')];
    const second = await listen('', { 'last-event-id': first.lastId });
    await second.next('node.create', missed[1]!.id);
    const ids = second.messages.filter(({ event }) => event === 'node.create').map(({ data }) => data!.subject);
    expect(ids).toEqual(missed.map(({ id }) => id));
    const third = await listen(`?lastEventId=${first.lastId}`);
    await third.next('node.create', missed[0]!.id);
    second.close();
    third.close();
  });

  it.each(['nonsense', '1-1', '9223372036854775807-1', `${2n ** 64n}-1`])(
    'says so when it does not know where to go on: %s',
    async (lastEventId) => {
      const listener = await listen('', { 'last-event-id': lastEventId });
      expect(listener.messages[1]).toMatchObject({ event: 'reset', data: { reason: expect.any(String) } });
      const node = await plane.vanilla(`after-${listener.lastId}`);
      await listener.next('node.create', node.id);
      listener.close();
    },
  );

  it('of one network tells of no other, and still says where to go on', async () => {
    const mine = await network('mine');
    const listener = await listen('?network=mine');
    const before = listener.lastId;
    await plane.vanilla('elsewhere');
    await listener.until(() => listener.lastId !== before, 'another id');
    await plane.context.store.updateNetwork(mine.id, { name: 'still-mine' }, 'local');
    await listener.next('network.update');
    expect(listener.messages.every(({ data }) => data === undefined || data.networkId === mine.id)).toBe(true);
    listener.close();
  });

  it('tells who comes online and goes, without an id', async () => {
    const listener = await listen();
    const agent = await FakeAgent.join(await plane.token(), { name: 'present' });
    await agent.sync().synced();
    expect((await listener.next('node.online', agent.nodeId)).id).toBeUndefined();
    agent.close();
    await listener.next('node.offline', agent.nodeId);
    listener.close();
  });

  it('is not silent for long, and ends with the API key that opened it', async () => {
    const { store } = plane.context;
    const { key, secret } = await store.createApiKey('short', { scopes: ['events:read'], expiresAt: null }, 'local');
    const listener = await listen('', {}, secret);
    await listener.until(() => listener.messages.some(({ comment }) => comment !== undefined), 'a comment');
    expect(listener.ended).toBe(false);
    await store.deleteApiKey(key.id, 'local');
    await listener.until(() => listener.ended, 'the end');
  });

  it('comes in commit order, whatever began first', async () => {
    const listener = await listen();
    const nodes = await Promise.all(Array.from({ length: 20 }, (_, i) => plane.vanilla(`burst-${i}`)));
    for (const { id } of nodes) await listener.next('node.create', id);
    const again = await listen('', { 'last-event-id': listener.messages.find(({ id }) => id)!.id! });
    for (const { id } of nodes) await again.next('node.create', id);
    const ids = ({ messages }: Listener) =>
      messages.filter(({ data }) => data?.type === 'node.create').map(({ id }) => id);
    expect(ids(again)).toEqual(ids(listener));
    listener.close();
    again.close();
  });

  it('has a bound for each caller', async () => {
    const { secret } = await plane.context.store.createApiKey(
      'many',
      { scopes: ['events:read'], expiresAt: null },
      'local',
    );
    const listeners = await Promise.all(Array.from({ length: 50 }, () => listen('', {}, secret)));
    const ask = () =>
      fetch(`${plane.context.about.httpUrl}/api/v1/events`, { headers: { authorization: `Bearer ${secret}` } });
    const refused = await ask();
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([429, 'too-many-streams']);
    listeners[0]!.close();
    await listeners[1]!.until(() => true, 'nothing');
    for (const listener of listeners) listener.close();
    const deadline = Date.now() + 10_000;
    for (;;) {
      const answer = await ask();
      if (answer.status === 200) {
        await answer.body!.cancel();
        break;
      }
      expect(Date.now(), 'closed streams are not counted').toBeLessThan(deadline);
    }
  });
});

it('streams end when the control plane stops', async () => {
  const other = await startTestPlane();
  const answer = await fetch(`${other.context.about.httpUrl}/api/v1/events`, {
    headers: { authorization: `Bearer ${other.firstApiKey}` },
  });
  const reading = answer.text();
  const began = Date.now();
  await other.stop();
  expect(await reading).toMatch(/^retry: 2000\n\nid: \d+-\d+\n\n/);
  expect(Date.now() - began).toBeLessThan(10_000);
});
