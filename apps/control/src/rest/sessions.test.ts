import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { socketPath } from '../data-dir.js';
import { startTestPlane, type TestPlane, until } from '../testing/control-plane.fixture.js';
import { REST_RATES } from './rate-limits.js';

const PASSWORD = 'correct horse battery';
let plane: TestPlane;
beforeAll(async () => {
  plane = await startTestPlane({ heartbeat: 100 });
});
afterAll(() => plane?.stop());

type Headers = Record<string, string>;
const ask = (method: string, path: string, payload?: object, headers: Headers = {}, from = '127.0.0.1') =>
  plane.rest.app.inject({
    ...{ method: method as 'GET', url: `/api/v1${path}`, headers, remoteAddress: from },
    ...(payload && { payload }),
  });
const link = async () => (await plane.context.store.createSignInLink(60_000, 'local')).link;
const metric = async (name: string, labels: string) => {
  const { body } = await plane.rest.app.inject('/metrics');
  return Number(new RegExp(`^${name}${labels.replace(/[{}]/g, '\\$&')} (\\S+)$`, 'm').exec(body)?.[1] ?? 0);
};

/** A browser: keeps its cookie, and shows its token. */
class Browser {
  headers: Headers = {};
  setCookie = '';

  async setPassword(password = PASSWORD): Promise<this> {
    return this.#take(await ask('POST', '/session/link', { link: await link(), password }));
  }
  async signIn(password = PASSWORD): Promise<this> {
    return this.#take(await ask('POST', '/session', { password }, this.headers));
  }
  async is(): Promise<number> {
    return (await ask('GET', '/session', undefined, this.headers)).statusCode;
  }
  #take(answer: Awaited<ReturnType<typeof ask>>): this {
    expect(answer.statusCode, answer.body).toBe(200);
    this.setCookie = String(answer.headers['set-cookie']);
    this.headers = { cookie: this.setCookie.split(';')[0]!, 'x-warren-csrf': answer.json().csrfToken };
    return this;
  }
}

describe('signing in', () => {
  it('begins with a link that sets the password, and is then by the password', async () => {
    const state = async () => (await ask('GET', '/session/state')).json();
    expect(await state()).toEqual({ setUp: false, encrypted: true });
    expect((await ask('POST', '/session', { password: PASSWORD })).json().code).toBe('sign-in-failed');
    const first = await new Browser().setPassword();
    expect(await state()).toEqual({ setUp: true, encrypted: true });
    const second = await new Browser().signIn();
    for (const { headers } of [first, second]) {
      const session = await ask('GET', '/session', undefined, headers);
      expect(session.json()).toMatchObject({ user: { name: 'admin' }, csrfToken: headers['x-warren-csrf'] });
      expect(session.headers['cache-control']).toBe('no-store');
      expect((await ask('GET', '/nodes', undefined, headers)).statusCode).toBe(200);
    }
    expect(first.headers['x-warren-csrf']).not.toBe(second.headers['x-warren-csrf']);
    const composed = await new Browser().setPassword('m\u00fcnchen m\u00fcnchen');
    expect(await composed.is()).toBe(200);
    expect(await (await new Browser().signIn('mu\u0308nchen mu\u0308nchen')).is()).toBe(200);
    await new Browser().setPassword();
  });

  it('gives a cookie that no script reads, no other site sends, and clear text does not carry', async () => {
    const { setCookie } = await new Browser().signIn();
    expect(setCookie).toMatch(/^warren_session=[\w-]{43}; Path=\/; Expires=[^;]+; HttpOnly; Secure; SameSite=Strict$/);
    const over = async (headers: Headers) => {
      const made = await ask('POST', '/session', { password: PASSWORD }, headers);
      const { encrypted } = (await ask('GET', '/session/state', undefined, headers)).json();
      return [/; Secure/.test(String(made.headers['set-cookie'])), encrypted];
    };
    expect(await over({ host: 'warren.example.org' })).toEqual([false, false]);
    expect(await over({ host: '127.0.0.2.example.org' })).toEqual([false, false]);
    expect(await over({ host: 'warren.example.org', 'x-forwarded-proto': 'https' })).toEqual([true, true]);
    for (const host of ['localhost:8080', '127.0.0.1:8080', '[::1]:8080'])
      expect(await over({ host })).toEqual([true, true]);
  });

  it('again replaces the session that the browser had', async () => {
    const browser = await new Browser().signIn();
    const before = { ...browser.headers };
    await browser.signIn();
    expect(await browser.is()).toBe(200);
    expect((await ask('GET', '/session', undefined, before)).statusCode).toBe(401);
  });

  it('does the same work for a name that nobody has, and gives the same answer', async () => {
    const hashes = () => metric('warren_password_hash_duration_seconds_count', '');
    const answers: unknown[] = [];
    for (const name of ['admin', 'nobody', 'a\u0000b']) {
      const before = await hashes();
      const answer = await ask('POST', '/session', { name, password: 'not the password' }, {}, '198.51.100.1');
      expect((await hashes()) - before).toBe(1);
      expect(answer.headers['set-cookie']).toBeUndefined();
      answers.push([answer.statusCode, answer.json()]);
    }
    expect(answers).toEqual([answers[0], answers[0], answers[0]]);
    const before = await hashes();
    await ask('POST', '/session', { password: 'x'.repeat(4_000) }, {}, '198.51.100.1');
    expect((await hashes()) - before).toBe(1);
  });

  it('believes a proxy on this machine, and nobody else, about where somebody is', async () => {
    const last = async (from: string) => {
      const headers = { 'x-forwarded-for': '192.0.2.77' };
      const made = await ask('POST', '/session', { password: PASSWORD }, headers, from);
      expect(made.statusCode).toBe(200);
      return (await plane.context.store.audit({ action: 'session.sign-in', limit: 1 })).items[0]!.details.address;
    };
    expect(await last('127.0.0.1')).toBe('192.0.2.77');
    expect(await last('198.51.100.9')).toBe('198.51.100.9');
  });
});

describe('a page of a name that was made to lead here', () => {
  const signIn = (host: string, origin: string) =>
    new Promise<number>((resolve, reject) => {
      const { port } = new URL(plane.context.about.httpUrl);
      const headers = { host, origin, 'content-type': 'application/json' };
      const options = { host: '127.0.0.1', port, path: '/api/v1/session', method: 'POST', headers };
      const request = httpRequest(options, (answer) => resolve(answer.resume().statusCode!));
      request.on('error', reject).end(JSON.stringify({ password: PASSWORD }));
    });

  it('cannot sign in in clear text, though it has our origin', async () => {
    expect(await signIn('evil.example.com:8080', 'http://evil.example.com:8080')).toBe(403);
    expect(await signIn('evil.example.com', 'http://evil.example.com')).toBe(403);
    expect(await signIn('127.0.0.1.evil.example.com', 'http://127.0.0.1.evil.example.com')).toBe(403);
    for (const host of ['127.0.0.1:8080', 'localhost:8080', '[::1]:8080', 'warren:8080', 'nas.home.arpa'])
      expect(await signIn(host, `http://${host}`)).toBe(200);
    expect(await signIn('warren.example.com', 'https://warren.example.com'), 'behind a TLS proxy').toBe(200);
  });
});

describe('guessing', () => {
  // Nothing comes back while the test runs, however slow the machine is.
  const perAddress = { atOnce: 4, perSecond: 1e-4 };
  const perName = { atOnce: 6, perSecond: 1e-4 };
  let slow: TestPlane;
  beforeAll(async () => {
    slow = await startTestPlane({ rates: { ...REST_RATES, signIns: { perAddress, perName } } });
  });
  afterAll(() => slow?.stop());
  const post = (path: string, payload: object, remoteAddress: string) =>
    slow.rest.app.inject({ method: 'POST', url: `/api/v1${path}`, payload, remoteAddress });
  const guess = (from: string, name: string) => post('/session', { name, password: 'a guess' }, from);
  const statuses = async (count: number, ask: (i: number) => ReturnType<typeof post>) => {
    const all: number[] = [];
    for (let i = 0; i < count; i++) all.push((await ask(i)).statusCode);
    return all;
  };

  it('from one address is slowed, and a host has all of its IPv6 network', async () => {
    expect(await statuses(5, () => guess('198.51.100.2', 'one'))).toEqual([401, 401, 401, 401, 429]);
    const refused = await guess('198.51.100.2', 'another');
    expect(refused.json()).toMatchObject({ status: 429, code: 'too-many-requests' });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect(await statuses(5, (i) => guess(`2001:db8::${i}`, `six-${i}`))).toEqual([401, 401, 401, 401, 429]);
    expect((await guess('2001:db8:0:1::1', 'six')).statusCode).toBe(401);
  });

  it('from many addresses at one name is slowed, whether somebody has that name or not', async () => {
    for (const name of ['admin', 'nobody']) {
      const from = (i: number) => `203.0.113.${name.length * 10 + i}`;
      expect(await statuses(7, (i) => guess(from(i), name))).toEqual([401, 401, 401, 401, 401, 401, 429]);
    }
    const { body } = await slow.rest.app.inject('/metrics');
    expect(body).toMatch(/^warren_sign_ins_total\{by="password",result="too-many-requests"\} \d+$/m);
  });

  it('at links is slowed', async () => {
    const ask = () => post('/session/link', { link: 'warrenlink_x', password: PASSWORD }, '198.51.100.3');
    expect(await statuses(5, ask)).toEqual([401, 401, 401, 401, 429]);
  });

  it('leaves the link as a way in, and is not counted for who knows the password', async () => {
    const { link } = await slow.context.store.createSignInLink(60_000, 'local');
    expect((await post('/session/link', { link, password: PASSWORD }, '198.51.100.4')).statusCode).toBe(200);
    const ask = () => post('/session', { name: 'admin', password: PASSWORD }, '198.51.100.4');
    expect(await statuses(1, ask), 'the name was guessed at above').toEqual([429]);
    const other = await startTestPlane({ rates: { ...REST_RATES, signIns: { perAddress, perName } } });
    const made = await other.context.store.createSignInLink(60_000, 'local');
    const send = (path: string, payload: object) =>
      other.rest.app.inject({ method: 'POST', url: `/api/v1${path}`, payload });
    await send('/session/link', { link: made.link, password: PASSWORD });
    expect(await statuses(10, () => send('/session', { password: PASSWORD }))).toEqual(Array(10).fill(200));
    await other.stop();
  });
});

it('over the local socket a link is made without a key, for the address of the control plane', async () => {
  const send = (path: string, body?: object) =>
    new Promise<{ status: number; body: Record<string, string> }>((resolve, reject) => {
      const headers = { 'content-type': 'application/json' };
      const options = { socketPath: socketPath(plane.config.dataDir), path: `/api/v1${path}`, method: 'POST', headers };
      const request = httpRequest(options, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        answer.on('end', () => resolve({ status: answer.statusCode!, body: JSON.parse(text) }));
      });
      request.on('error', reject).end(body && JSON.stringify(body));
    });
  const made = await send('/session/links');
  expect(made.body.url).toBe(`${plane.context.about.httpUrl}/welcome#${made.body.link}`);
  const left = Date.parse(made.body.expiresAt!) - Date.now();
  expect(Math.abs(left - 3_600_000)).toBeLessThan(60_000);
  // There is no address to count by, and none to note.
  expect((await send('/session/link', { link: made.body.link, password: PASSWORD })).status).toBe(200);
  const [last] = (await plane.context.store.audit({ action: 'session.sign-in', limit: 1 })).items;
  expect(last!.details.address).toBeNull();
  const remote = await ask('POST', '/session/links', undefined, {
    authorization: `Bearer ${plane.firstApiKey}`,
    host: 'warren.example.org',
    'x-forwarded-proto': 'https',
  });
  expect(remote.json().url).toMatch(/^https:\/\/warren\.example\.org\/welcome#warrenlink_/);
});

describe('a session', () => {
  it('ends by signing out, and its cookie with it', async () => {
    const [browser, other] = [await new Browser().signIn(), await new Browser().signIn()];
    const out = await ask('DELETE', '/session', undefined, browser.headers);
    expect(out.statusCode).toBe(204);
    expect(out.headers['set-cookie']).toMatch(/^warren_session=; Max-Age=0; Path=\/; Expires=Thu, 01 Jan 1970/);
    expect([await browser.is(), await other.is()]).toEqual([401, 200]);
  });

  it('ends when the password is changed elsewhere, and goes on where it was changed', async () => {
    const [browser, other] = [await new Browser().signIn(), await new Browser().signIn()];
    const changed = await ask(
      'PUT',
      '/session/password',
      { current: PASSWORD, password: `${PASSWORD}!` },
      browser.headers,
    );
    expect(changed.statusCode).toBe(204);
    expect([await browser.is(), await other.is()]).toEqual([200, 401]);
    expect((await ask('POST', '/session', { password: PASSWORD })).statusCode).toBe(401);
    await new Browser().setPassword();
    expect(await browser.is()).toBe(401);
  });

  it('that was revoked from elsewhere ends its event stream at once, as signing out and expiry do', async () => {
    const { store, about } = plane.context;
    const ends: Record<string, (id: string, headers: Headers) => Promise<unknown>> = {
      revoked: (id) => store.endSession(id, 'end', 'local'),
      'signed out': (_, headers) => ask('DELETE', '/session', undefined, headers),
      'another password': async () => new Browser().setPassword(),
      expired: async () => {
        // As if it had expired: the store knows it no more, and nothing was written.
        const check = store.checkSession;
        Object.assign(store, { checkSession: async () => undefined });
        return () => Object.assign(store, { checkSession: check });
      },
    };
    for (const [what, end] of Object.entries(ends)) {
      const browser = await new Browser().signIn();
      const { items } = await store.listSessions({ limit: 500 });
      const answer = await fetch(`${about.httpUrl}/api/v1/events`, { headers: browser.headers });
      expect(answer.status).toBe(200);
      let [text, ended] = ['', false];
      const read = (async () => {
        for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) text += chunk;
        ended = true;
      })();
      await until(() => text.includes('id: '), 'the stream began');
      const undo = (await end(items.at(-1)!.id, browser.headers)) as (() => void) | undefined;
      await until(() => ended, `the stream of a session that was ${what} ends`);
      await read;
      expect(text).not.toContain('event: session.sign-out');
      if (typeof undo === 'function') undo();
    }
  });

  it('ends its stream of events though bad secrets come from the same address', async () => {
    const rates = { ...REST_RATES, failures: { atOnce: 3, perSecond: 1e-4 } };
    const strict = await startTestPlane({ heartbeat: 100, rates });
    const { store, about } = strict.context;
    const made = await store.createSignInLink(60_000, 'local');
    const payload = { link: made.link, password: PASSWORD };
    const entered = await strict.rest.app.inject({ method: 'POST', url: '/api/v1/session/link', payload });
    const headers = { cookie: String(entered.headers['set-cookie']).split(';')[0]! };
    const status = async (cookie: string) =>
      (await fetch(`${about.httpUrl}/api/v1/session`, { headers: { cookie } })).status;
    const stream = await fetch(`${about.httpUrl}/api/v1/events`, { headers });
    const reader = stream.body!.getReader();
    await reader.read();
    const check = store.checkSession;
    // The session has ended, and whoever has its cookie asks before the stream is looked at again.
    Object.assign(store, { checkSession: async (_: string, isUse: boolean) => (isUse ? undefined : check(_, isUse)) });
    for (let i = 0; i < 3; i++) expect(await status(headers.cookie)).toBe(401);
    expect(await status(headers.cookie)).toBe(429);
    Object.assign(store, { checkSession: async () => undefined });
    for (let part = await reader.read(); !part.done; ) part = await reader.read();
    await strict.stop();
  });

  it('is not kept alive by a stream that stays open', async () => {
    const browser = await new Browser().signIn();
    const { store } = plane.context;
    const uses: boolean[] = [];
    const check = store.checkSession;
    Object.assign(store, {
      checkSession: (secret: string, isUse: boolean) => {
        uses.push(isUse);
        return check(secret, isUse);
      },
    });
    const abort = new AbortController();
    const url = `${plane.context.about.httpUrl}/api/v1/events`;
    await fetch(url, { headers: browser.headers, signal: abort.signal });
    await until(() => uses.length >= 4, 'the session is looked at again and again');
    abort.abort();
    Object.assign(store, { checkSession: check });
    expect([uses[0], new Set(uses.slice(1))]).toEqual([true, new Set([false])]);
  });

  it('needs its token for changes, and nothing for reading', async () => {
    const { headers } = await new Browser().signIn();
    const { 'x-warren-csrf': _, ...cookie } = headers;
    const read = async (site: string) =>
      (await ask('GET', '/nodes', undefined, { ...cookie, 'sec-fetch-site': site })).statusCode;
    expect([await read('same-origin'), await read('none')]).toEqual([200, 200]);
    // Another port of the same machine is the same site: the cookie goes along.
    expect([await read('same-site'), await read('cross-site')]).toEqual([403, 403]);
    expect((await ask('POST', '/tokens', {}, cookie)).json().code).toBe('csrf');
    expect((await ask('POST', '/tokens', {}, headers)).statusCode).toBe(201);
    const other = await new Browser().signIn();
    const mixed = { ...cookie, 'x-warren-csrf': other.headers['x-warren-csrf']! };
    expect((await ask('POST', '/tokens', {}, mixed)).json().code).toBe('csrf');
    const bearer = { ...cookie, authorization: `Bearer ${plane.firstApiKey}` };
    expect((await ask('POST', '/tokens', {}, bearer)).statusCode).toBe(201);
  });
});

it('what people did is in the audit log; of many failures a few entries say how many', async () => {
  const { store } = plane.context;
  const before = (await store.audit({ action: 'session.sign-in-failed', limit: 500 })).items.length;
  for (let i = 0; i < 30; i++)
    await ask('POST', '/session', { name: `secret-typed-here-${i}`, password: 'x' }, {}, `192.0.2.${i}`);
  const failures = (await store.audit({ action: 'session.sign-in-failed', limit: 500 })).items;
  expect(failures.length - before).toBeLessThan(20);
  expect(failures[0]).toMatchObject({ actor: 'nobody', networkId: null });
  const all = (await store.audit({ limit: 500 })).items;
  expect(JSON.stringify(all)).not.toContain('secret-typed-here');
  const actions = new Set(all.map(({ action }) => action));
  for (const action of [
    'session.sign-in',
    'session.sign-out',
    'session.end',
    'user.set-password',
    'sign-in-link.create',
  ])
    expect(actions).toContain(action);
});
