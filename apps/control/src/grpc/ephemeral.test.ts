import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Embedded, startEmbedded } from '@warren/db';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestPlane, type TestPlane, until } from '../testing/control-plane.fixture.js';
import { FakeAgent } from '../testing/fake-agent.fixture.js';

let folder: string;
let database: Embedded;
let start: () => Promise<TestPlane>;
const planes: TestPlane[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'control-test-'));
  database = await startEmbedded({ dataDir: folder });
  const config = { databaseUrl: database.url, sealingKey: randomBytes(32), ephemeralGrace: 1_000 };
  start = async () => {
    const plane = await startTestPlane({ config });
    planes.push(plane);
    return plane;
  };
});
afterAll(async () => {
  await Promise.all(planes.map((plane) => plane.stop()));
  await database.close();
  await rm(folder, { recursive: true, force: true });
});

const isThere = async (plane: TestPlane, { nodeId }: FakeAgent): Promise<boolean> =>
  (await plane.context.store.findNode(nodeId)) !== undefined;

it('an ephemeral node goes when no replica has its stream, also while none runs, and may join again', async () => {
  const [one, two] = [await start(), await start()];
  const ephemeral = async (plane: TestPlane, name: string, keys = {}) =>
    FakeAgent.join(await plane.token({ ephemeral: true, role: 'direct' }), {
      name,
      endpoint: '203.0.113.1:1',
      ...keys,
    });
  const viewer = await FakeAgent.join(await one.token(), { name: 'viewer' });
  const kept = await ephemeral(two, 'kept');
  const [seen, stream] = [await viewer.sync().synced(), await kept.sync().synced()];
  const gone = await ephemeral(two, 'gone');
  (await gone.sync().synced()).cancel();
  await until(() => seen.names.length === 2, 'the viewer has both');

  await until(() => seen.names.length === 1, 'one is gone');
  expect(seen.names).toEqual(['kept']);
  expect(seen.tombstones).toEqual([]);
  expect(stream.farewell).toBeUndefined();
  expect((await gone.sync().synced()).ended).toBe('node-removed');
  const { items } = await one.context.store.audit({ limit: 50 });
  const deletions = items.filter(({ action, subject }) => action === 'node.delete' && subject === gone.nodeId);
  expect(deletions).toMatchObject([{ actor: 'control', details: { name: 'gone', ephemeral: true } }]);

  const again = await ephemeral(one, 'gone', { keys: gone.keys });
  expect(again.joined.self!.addresses).not.toEqual(gone.joined.self!.addresses);
  await again.sync().synced();
  await until(() => seen.names.length === 2, 'the viewer has it again');

  for (const agent of [viewer, kept, gone, again]) agent.close();
  await Promise.all(planes.splice(0).map((plane) => plane.stop()));
  const three = await start();
  expect(await isThere(three, kept)).toBe(true);
  await until(async () => !(await isThere(three, kept)) && !(await isThere(three, again)), 'both are gone');
  expect(await isThere(three, viewer)).toBe(true);
});
