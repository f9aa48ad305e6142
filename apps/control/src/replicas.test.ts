import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Embedded, startEmbedded } from '@warren/db';
import { parseJoinToken } from '@warren/identity';
import { Role } from '@warren/proto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestPlane, type TestPlane, until } from './testing/control-plane.fixture.js';
import { FakeAgent } from './testing/fake-agent.fixture.js';

let folder: string;
let database: Embedded;
let planes: TestPlane[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'control-test-'));
  database = await startEmbedded({ dataDir: folder });
  const config = { databaseUrl: database.url, sealingKey: randomBytes(32) };
  planes = await Promise.all([startTestPlane({ config }), startTestPlane({ config })]);
});
afterAll(async () => {
  await Promise.all(planes.map((plane) => plane.stop()));
  await database.close();
  await rm(folder, { recursive: true, force: true });
});

it('two processes that start together on one external database are one control plane', async () => {
  const [one, two] = [planes[0]!, planes[1]!];
  expect(one.context.pin).toEqual(two.context.pin);
  expect(one.network!.id).toBe(two.network!.id);
  expect([one.firstApiKey, two.firstApiKey].filter(Boolean)).toHaveLength(1);

  const relay = await FakeAgent.join(await one.token(), {
    name: 'relay',
    role: Role.ROLE_BOUNCE,
    endpoint: '203.0.113.1:1',
  });
  const laptop = await FakeAgent.join(await two.token(), { name: 'laptop' });
  const [atOne, atTwo] = [await relay.sync().synced(), await laptop.sync().synced()];
  await until(() => atOne.entries.size === 1 && atTwo.entries.size === 1, 'they see each other');

  // A token made here is good there, and what is revoked there is told here.
  const token = parseJoinToken(await one.token())!;
  await expect(two.context.store.checkToken(token.id, token.secret)).resolves.toBeDefined();
  await one.context.store.revokeNode(laptop.nodeId as never, 'local');
  await until(() => atTwo.farewell?.code === 'node-revoked' && atOne.entries.size === 0, 'both hear of it');
  relay.close();
  laptop.close();
});

it('who signs in at one is signed in at the other, and signed out at both', async () => {
  const [one, two] = [planes[0]!, planes[1]!];
  const { link } = await two.context.store.createSignInLink(60_000, 'local');
  const body = JSON.stringify({ link, password: 'a long password' });
  const json = { 'content-type': 'application/json' };
  const url = (plane: TestPlane, path: string) => `${plane.context.about.httpUrl}/api/v1${path}`;
  const entered = await fetch(url(one, '/session/link'), { method: 'POST', headers: json, body });
  const { csrfToken } = (await entered.json()) as { csrfToken: string };
  const headers = { cookie: entered.headers.get('set-cookie')!.split(';')[0]!, 'x-warren-csrf': csrfToken };
  const events = await fetch(url(two, '/events'), { headers });
  expect(events.status).toBe(200);
  const ended = events.text();
  expect((await fetch(url(one, '/session'), { method: 'DELETE', headers })).status).toBe(204);
  expect(await ended).not.toContain('session.sign-out');
  expect((await fetch(url(two, '/session'), { headers })).status).toBe(401);
});
