import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openDatabase } from '@warren/db';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FakeAgent } from './testing/fake-agent.fixture.js';
import { ServedPlane } from './testing/served-plane.fixture.js';

// What REST hands out once, or takes and never shows: in no log line, however talkative, in no row of the database as it
// is, and in no file. Private keys of agents: tests/lab/secrets.
let plane: ServedPlane | undefined;

beforeAll(async () => {
  plane = await ServedPlane.start(['--log-level', 'trace']);
});
afterAll(() => plane?.remove());

it('API keys, join tokens, config keys, passwords, sign-in links, sessions, preshared keys and Idempotency-Keys are in no log, row or file', async () => {
  const served = plane!;
  const secrets: Record<string, Buffer> = { 'the first API key': Buffer.from(served.apiKey) };
  const greeting = served.output.length;
  const write = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const key = `idempotency-${randomBytes(16).toString('hex')}`;
    secrets[`the Idempotency-Key of ${method} ${path}`] = Buffer.from(key);
    const answer = await served.rest(method, path, body, key);
    expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300);
    // Kept for repetitions, secret and all.
    expect((await served.rest(method, path, body, key)).body).toEqual(answer.body);
    return answer.body as T;
  };
  secrets['an API key'] = Buffer.from((await write<{ secret: string }>('POST', '/apikeys', { name: 'ci' })).secret);
  const { token } = await write<{ token: string }>('POST', '/tokens', { maxUses: null });
  secrets['a join token'] = Buffer.from(token);
  const agent = await FakeAgent.join(token, { name: 'laptop' });
  const [phone, router] = [await vanilla('phone'), await vanilla('router', 'bounce')];
  const { secret } = await write<{ secret: string }>('POST', `/nodes/${phone}/config-key`);
  secrets['a config key'] = Buffer.from(secret);
  const presharedKey = randomBytes(32);
  await write('PUT', `/nodes/${phone}/preshared-keys/${router}`, { presharedKey: presharedKey.toString('base64') });
  secrets['a preshared key'] = presharedKey;
  Object.assign(secrets, await signIn(served));
  // Used, rightly and wrongly: what is refused is logged too.
  const file = await withBearer(secret, `/nodes/${phone}/wg0.conf`);
  expect(await file.text()).toContain(presharedKey.toString('base64'));
  expect((await withBearer(secret, '/nodes')).status).toBe(403);
  expect((await withBearer(`${secret}x`, `/nodes/${phone}/wg0.conf`)).status).toBe(401);
  const misused = { presharedKey: presharedKey.toString('base64'), name: secret, token };
  expect((await served.rest('PATCH', `/nodes/${phone}`, misused)).status).toBe(400);
  agent.close();
  expect(await served.stop()).toBe(0);

  // Only what people are shown at the first start stands there, on stdout.
  const logged = served.output.slice(greeting);
  expect(logged).toContain('/api/v1/nodes/:id/config-key');
  expectNone(secrets, Buffer.from(logged), 'the log');
  for (const path of filesIn(served.dataDir)) {
    // Pages of the database hold what its rows hold; those are looked at below, unpacked.
    expectNone(secrets, readFileSync(path), path);
  }
  const rows = await dump(served.dataDir);
  expect(rows).toContain('laptop');
  expectNone(secrets, Buffer.from(rows), 'the database');

  async function vanilla(name: string, role = 'client'): Promise<string> {
    const endpoint = role === 'client' ? {} : { endpoint: '203.0.113.9:51820' };
    const body = { name, role, publicKey: randomBytes(32).toString('base64'), ...endpoint };
    return (await write<{ id: string }>('POST', '/nodes', body)).id;
  }

  function withBearer(bearer: string, path: string): Promise<Response> {
    const headers = { authorization: `Bearer ${bearer}`, connection: 'close' };
    return fetch(`http://${served.http}/api/v1${path}`, { headers });
  }
}, 120_000);

/** As a browser does, with the link that was printed; also wrongly. @returns what was secret in it */
async function signIn(served: ServedPlane): Promise<Record<string, Buffer>> {
  const { http, output } = served;
  const link = /\/welcome#(warrenlink_[\w-]{43})/.exec(output)![1]!;
  const password = `password-${randomBytes(16).toString('hex')}`;
  const headers = { 'content-type': 'application/json', 'idempotency-key': 'sign-in', connection: 'close' };
  const post = (path: string, body: object) =>
    fetch(`http://${http}/api/v1${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  const first = await post('/session/link', { link, password });
  expect(first.status).toBe(200);
  expect((await post('/session/link', { link, password })).status).toBe(401);
  const wrong = `wrong-${randomBytes(16).toString('hex')}`;
  // People type passwords where names go.
  expect((await post('/session', { name: password, password: wrong })).status).toBe(401);
  expect((await post('/session', { password: wrong, surprise: password })).status).toBe(400);
  const second = await post('/session', { password });
  const cookie = /warren_session=([\w-]{43})/.exec(second.headers.get('set-cookie')!)![1]!;
  const { csrfToken } = (await second.json()) as { csrfToken: string };
  const mine = { cookie: `warren_session=${cookie}`, 'x-warren-csrf': csrfToken, ...headers };
  const changed = await fetch(`http://${http}/api/v1/session/password`, {
    ...{ method: 'PUT', headers: mine },
    body: JSON.stringify({ current: password, password: `${password}-2` }),
  });
  expect(changed.status).toBe(204);
  const made = (await served.rest('POST', '/session/links', undefined, 'links')).body as { link: string };
  return {
    'the first sign-in link': Buffer.from(link),
    'a sign-in link': Buffer.from(made.link),
    'a password': Buffer.from(password),
    'a wrong password': Buffer.from(wrong),
    'SHA-256 of a password': createHash('sha256').update(password).digest(),
    'a session as bytes': Buffer.from(cookie, 'base64url'),
    'a session': Buffer.from(cookie),
    'a token against forgery': Buffer.from(csrfToken),
  };
}

function expectNone(secrets: Readonly<Record<string, Buffer>>, content: Buffer, where: string): void {
  for (const [what, secret] of Object.entries(secrets)) {
    const text = secret.toString();
    // Without what surrounds it: `wkey_…` in a row would be as bad as the whole.
    const core = /[A-Za-z0-9_-]{40,}$/.exec(text)?.[0].slice(-40) ?? text;
    const forms = [secret, Buffer.from(core), Buffer.from(secret.toString('hex'))];
    if (secret.length === 32) forms.push(Buffer.from(secret.toString('base64').slice(0, 42)));
    for (const form of forms) expect(content.includes(form), `${what} in ${where}`).toBe(false);
  }
}

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

/** Every row of every table of ours, as PostgreSQL writes rows as text. */
async function dump(dataDir: string): Promise<string> {
  const database = await openDatabase({ dataDir });
  const client = new pg.Client({ connectionString: database.url });
  try {
    await client.connect();
    const { rows: tables } = await client.query<{ name: string }>(
      "select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname not in ('pg_catalog', 'information_schema')",
    );
    const texts: string[] = [];
    for (const { name } of tables) {
      const { rows } = await client.query<{ row: string }>(`select t::text as row from ${name} t`);
      texts.push(...rows.map(({ row }) => row));
    }
    return texts.join('\n');
  } finally {
    await client.end();
    await database.close();
  }
}
