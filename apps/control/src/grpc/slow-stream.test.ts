import { randomBytes } from 'node:crypto';
import { publicKeyFromBytes } from '@warren/base';
import { Role } from '@warren/proto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestPlane, type TestPlane, until } from '../testing/control-plane.fixture.js';
import { FakeAgent } from '../testing/fake-agent.fixture.js';

let plane: TestPlane;

beforeAll(async () => {
  plane = await startTestPlane({ limits: { maxBuffered: 64 * 1024, maxUnacked: 60_000 } });
});
afterAll(() => plane?.stop());

it('a stream whose reader sleeps is cut and resynchronised; memory stays bounded and others are served', async () => {
  const { store, hubs } = plane.context;
  const networkId = plane.network!.id;
  const relay = await FakeAgent.join(await plane.token(), {
    name: 'relay',
    role: Role.ROLE_BOUNCE,
    endpoint: '203.0.113.1:1',
  });
  const [sleeper, awake] = [
    await FakeAgent.join(await plane.token(), { name: 'sleeper' }),
    await FakeAgent.join(await plane.token(), { name: 'awake' }),
  ];
  const vanilla = (i: number) =>
    store.createVanilla(
      { networkId, name: `phone-${i}`, role: 'client', publicKey: publicKeyFromBytes(randomBytes(32)) },
      'local',
    );
  await Promise.all(Array.from({ length: 120 }, (_, i) => vanilla(i)));
  const [asleep, reader] = [await sleeper.sync().synced(), await awake.sync().synced()];
  asleep.pause();
  const session = [...(await hubs.current(networkId)).sessions.values()].find(
    ({ nodeId }) => nodeId === sleeper.nodeId,
  )!;
  let most = 0;
  // Each renaming of the bounce changes every entry that leads through it: some 20 kB for each agent.
  for (let i = 0; i < 200 && session.open; i++) {
    await store.updateNode(relay.nodeId as never, { name: `relay-${i}` }, 'local');
    await hubs.current(networkId);
    most = Math.max(most, session.buffered);
  }
  expect(session.open).toBe(false);
  expect(most).toBeLessThanOrEqual(64 * 1024);
  expect(hubs.isOnline(networkId, awake.nodeId as never)).toBe(true);
  await until(
    () => reader.peers.find((peer) => peer.nodeId === relay.nodeId)?.name.startsWith('relay-') === true,
    'served',
  );

  asleep.resume();
  await until(() => asleep.ended !== undefined, 'the stream ends', 15_000);
  const again = await sleeper.sync({ startGeneration: 1 }).synced();
  expect(again.snapshots).toHaveLength(1);
  expect(again.entries.size).toBe(122);
  for (const agent of [relay, sleeper, awake]) agent.close();
}, 60_000);
