import { rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseDatabaseUrl } from '../connection.js';
import { type Embedded, startEmbedded } from '../embedded/server.js';
import type { Store } from '../store-api.js';
import { joinInput, makeNetwork, openTestStore } from '../testing/members.js';
import { temporaryDirectory, until } from '../testing/servers.js';
import { openClients } from './database.js';

let dataDir = '';
let server: Embedded | undefined;
let store: Store | undefined;

beforeAll(async () => {
  dataDir = temporaryDirectory();
  server = await startEmbedded({ dataDir });
  store = await openTestStore(server.url);
});

afterAll(async () => {
  await store?.close();
  await server?.close();
  rmSync(dataDir, { recursive: true, force: true });
});

test('a store outlives kill -9 of its server: nothing half done, the same join succeeds later, listening goes on', async () => {
  const given = store!;
  const heard: string[] = [];
  await given.onChange((id) => heard.push(id));
  const network = await makeNetwork(given);
  const token = await given.createToken({ networkId: network.id, maxUses: 30 }, 'admin');
  const inputs = Array.from({ length: 30 }, () => joinInput(token));
  let done = 0;
  const joins = inputs.map((input) => given.join(input, 'x').then(() => done++));
  const settled = Promise.allSettled(joins);
  await until(() => done >= 3);
  process.kill(server!.pid()!, 'SIGKILL');
  const failures = (await settled).filter((result) => result.status === 'rejected').map(({ reason }) => reason);
  expect(failures.length).toBeGreaterThan(0);
  for (const failure of failures) expect(failure).toMatchObject({ code: 'database-unavailable' });
  await until(() => given.ping().then(() => true));
  for (const input of inputs) await until(() => given.join(input, 'x').then(() => true));

  expect((await given.listTokens({ networkId: network.id })).items[0]).toMatchObject({ uses: 30 });
  const state = await given.loadNetwork(network.id);
  const changes = await given.changesSince(network.id, network.revision);
  expect(changes?.map(({ after }) => after?.id).sort()).toEqual(inputs.map(({ nodeId }) => nodeId).sort());
  expect(new Map(changes?.map(({ after }) => [after!.id, after!]))).toEqual(state?.network.nodes);
  expect(new Set([...state!.network.nodes.values()].flatMap(({ addresses }) => addresses)).size).toBe(60);
  heard.length = 0;
  const other = await openTestStore(server!.url);
  const later = await makeNetwork(other);
  await other.close();
  await until(() => heard.includes(later.id));
});

test('a replica that freezes inside a transaction loses it, so that others can revoke again', async () => {
  const { prisma, sql } = openClients(parseDatabaseUrl(server!.url));
  const [row] = await prisma.$queryRaw<{ timeout: string }[]>`
    SELECT current_setting('idle_in_transaction_session_timeout') AS timeout`;
  await prisma.$disconnect();
  await sql.end();
  expect(row?.timeout).toBe('35s');
});

test('a store whose server is gone says so, and closes', async () => {
  const second = await openTestStore(server!.url);
  await server!.close();
  server = undefined;
  await expect(second.ping()).rejects.toMatchObject({ code: 'database-unavailable' });
  await expect(second.listNetworks()).rejects.toMatchObject({ code: 'database-unavailable' });
  await expect(second.findNode('x')).rejects.toMatchObject({ code: 'database-unavailable' });
  await second.close();
});
