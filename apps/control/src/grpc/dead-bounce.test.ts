import { Role } from '@warren/proto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bounceTimes } from '../hub/bounce-watch.js';
import { startTestPlane, type TestPlane, until } from '../testing/control-plane.fixture.js';
import { FakeAgent } from '../testing/fake-agent.fixture.js';
import type { FakeStream } from '../testing/fake-stream.fixture.js';

const GRACE = 1_000;
let plane: TestPlane;
beforeAll(async () => {
  plane = await startTestPlane({ config: { bounceGrace: GRACE } });
});
afterAll(() => plane.stop());

const join = async (name: string, role = Role.ROLE_CLIENT): Promise<FakeAgent> =>
  FakeAgent.join(await plane.token(), {
    name,
    role,
    ...(role === Role.ROLE_BOUNCE && { endpoint: `${name}.example:51820` }),
  });
/** The bounce by which an agent reaches the vanilla member. */
const homeSeenBy = (stream: FakeStream): string | undefined => stream.peers.find(({ name }) => name === 'phone')?.via;

it('a bounce whose stream ends is left by its members, also as seen by one that was away, and taken back when it returns', async () => {
  const bounces = [await join('bounce1', Role.ROLE_BOUNCE), await join('bounce2', Role.ROLE_BOUNCE)];
  const streams = await Promise.all(bounces.map((bounce) => bounce.sync().synced()));
  const clients = await Promise.all(['one', 'two'].map((name) => join(name)));
  const [here, leaver] = await Promise.all(clients.map((client) => client.sync().synced()));
  await plane.vanilla('phone');
  await until(() => leaver!.names.length === 4 && here!.names.length === 4, 'everybody is known');
  const home = homeSeenBy(here!);
  const dead = home === 'bounce1' ? 0 : 1;
  const left = bounces[1 - dead]!.request.name;
  leaver!.cancel();

  streams[dead]!.cancel();
  await until(() => homeSeenBy(here!) === left, 'the member has another home');
  expect(here!.snapshots).toHaveLength(1);
  const standing = streams[1 - dead]!.peers;
  expect(standing.find(({ name }) => name === 'phone')?.allowedIps.length).toBe(2);

  const { position, entries: held } = leaver!;
  const again = await clients[1]!.sync({ position, held, digest: leaver!.digest }).synced();
  expect([again.snapshots.length, homeSeenBy(again)]).toEqual([0, left]);

  const returned = performance.now();
  const back = await bounces[dead]!.sync({ startGeneration: 2 }).synced();
  expect(homeSeenBy(here!)).toBe(left);
  await until(() => homeSeenBy(here!) === home, 'the member is homed as before');
  expect(performance.now() - returned).toBeGreaterThanOrEqual(bounceTimes(GRACE).stable);
  for (const stream of [here!, again, back, streams[1 - dead]!]) stream.heartbeat();
  await until(() => [here!, again, back].every(({ replies }) => replies.length > 0), 'digests agree');
  expect([here!, again, back].map(({ farewell }) => farewell)).toEqual([undefined, undefined, undefined]);
  for (const agent of [...bounces, ...clients]) agent.close();
});
