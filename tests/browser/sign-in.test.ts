import type { SiteMesh } from '@warren/netlab';
import type { BrowserContext, Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { describeBrowser } from '../support/groups.js';
import { changeDatabase } from './support/database.js';
import { OTHER_PORT, serveOtherSite } from './support/other-site.js';
import { rawCall } from './support/raw-call.js';
import { openView, PASSWORD, setPassword, submitSignIn, waitUntilSignedIn } from './support/sign-in.js';
import { printedLink, useDashboard } from './support/use-dashboard.js';
import { ORIGIN } from './support/watched-context.js';

/** `SIGN_IN_RATES` lets an address try ten times at once. */
const MOST_TRIES = 40;

describeBrowser('signing in', [], () => {
  const dashboard = useDashboard({
    name: 'sign-in',
    populate: ({ control }) => serveOtherSite(control.host),
  });

  it('a wrong password is refused with a message, and the right one then leads to where one wanted to go', async () => {
    const { page, watched } = await dashboard().visit('/api-keys', { stranger: true });
    watched.tolerate(/401 from .*\/session$/);
    await submitSignIn(page, 'not the password');
    await page
      .getByRole('alert')
      .filter({ hasText: /password/i })
      .waitFor();
    expect(await watched.context.cookies()).toEqual([]);
    await submitSignIn(page, PASSWORD);
    await page.waitForURL('**/api-keys');
    await waitUntilSignedIn(page);
    const [cookie] = await watched.context.cookies();
    expect(cookie).toMatchObject({
      name: 'warren_session',
      httpOnly: true,
      secure: true,
      sameSite: 'Strict',
      path: '/',
    });
    expect(await page.evaluate(() => document.cookie)).toBe('');
  });

  it('the printed link is good once, and says so', async () => {
    const { mesh, visit } = dashboard();
    const { page, watched } = await visit('/sign-in', { stranger: true });
    watched.tolerate(/401 from .*\/session\/link$/);
    await setPassword(page, await printedLink(mesh), 'another password');
    await page.getByRole('alert').filter({ hasText: /used/i }).waitFor();
    expect(await watched.context.cookies()).toEqual([]);
  });

  it('`warren admin link` prints a new one, which ends all other sessions', async () => {
    const { mesh, visit } = dashboard();
    const { page: before, watched: old } = await visit('/networks');
    await waitUntilSignedIn(before);
    old.tolerate(/401 from /);
    const printed = await mesh.control.warrenOutput(['admin', 'link']);
    const link = /http:\/\/\S+#warrenlink_[\w-]+/.exec(printed)![0];
    const { page, watched } = await visit('/sign-in', { stranger: true });
    await setPassword(page, link);
    await waitUntilSignedIn(page);
    dashboard().signedInAs(await watched.context.storageState());
    await before.waitForURL('**/sign-in**');
  });

  it('an idle session is over, and so is one that is too old: the page asks for the password and comes back', async () => {
    const { mesh, visit } = dashboard();
    for (const over of ['idle_expires_at', 'expires_at']) {
      const { page, watched } = await visit('/sign-in', { stranger: true });
      watched.tolerate(/401 from /);
      await submitSignIn(page, PASSWORD);
      await waitUntilSignedIn(page);
      await openView(page, '/sessions');
      expect(await changeDatabase(mesh.control, endSessionOf(await sessionId(page), over))).toBe(1);
      await openView(page, '/api-keys');
      await page.waitForURL('**/sign-in**');
      await submitSignIn(page, PASSWORD);
      await page.waitForURL('**/api-keys');
      await watched.close();
    }
  });

  it('signing out ends the session for the control plane, too', async () => {
    const { mesh, visit } = dashboard();
    const { page, watched } = await visit('/sign-in', { stranger: true });
    await submitSignIn(page, PASSWORD);
    await waitUntilSignedIn(page);
    const cookie = await cookieHeader(watched.context);
    const ask = { method: 'GET', path: '/api/v1/session', headers: { cookie } };
    expect((await rawCall(mesh.control.host, ask)).status).toBe(200);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.waitForURL('**/sign-in**');
    expect((await rawCall(mesh.control.host, ask)).status).toBe(401);
    expect(await watched.context.cookies()).toEqual([]);
  });

  it.each(['localhost', '127.0.0.1'])(
    'a page of %s cannot change anything with the cookie of who is signed in',
    async (name) => {
      const { mesh, visit } = dashboard();
      const { page, watched } = await visit('/networks');
      await waitUntilSignedIn(page);
      watched.tolerate(
        /^another origin: .*:9090/,
        /from http:\/\/127\.0\.0\.1:8080\/api\/v1\/networks/,
        /CORS|ERR_FAILED|NotSameOrigin/,
      );
      const before = answersToForgeries(mesh).length;
      for (const way of [forgeByForm, forgeByFetch]) {
        const other = await watched.context.newPage();
        await other.goto(`http://${name}:${OTHER_PORT}/`);
        await way(other);
      }
      // Another port is the same site, so the cookie goes along there: what helps are Origin and the token.
      const refused = name === 'localhost' ? [401, 401] : [403, 403];
      await expect.poll(() => answersToForgeries(mesh).slice(before), { timeout: 10_000 }).toEqual(refused);
      expect((await mesh.control.rest('GET', '/networks')).body).not.toContain('forged');
    },
  );

  it('the cookie alone changes nothing: the token and our own origin are needed', async () => {
    const { mesh, visit } = dashboard();
    const { page, watched } = await visit('/networks');
    await waitUntilSignedIn(page);
    const cookie = await cookieHeader(watched.context);
    const session = await rawCall(mesh.control.host, { method: 'GET', path: '/api/v1/session', headers: { cookie } });
    const { csrfToken } = JSON.parse(session.body) as { csrfToken: string };
    const good = { cookie, 'x-warren-csrf': csrfToken, origin: ORIGIN, 'sec-fetch-site': 'same-origin' };
    const { 'x-warren-csrf': _, ...without } = good;
    const post = async (headers: Record<string, string>) => {
      const body = { name: `made-${Object.keys(headers).length}`, cidrs: ['10.99.0.0/16', 'fd99::/64'] };
      const { status, body: text } = await rawCall(mesh.control.host, {
        method: 'POST',
        path: '/api/v1/networks',
        headers,
        body,
      });
      return { status, code: (JSON.parse(text) as { code?: string }).code };
    };
    const forged = { status: 403, code: 'csrf' };
    expect(await post(without)).toEqual(forged);
    expect(await post({ ...good, 'x-warren-csrf': `${csrfToken.slice(1)}A` })).toEqual(forged);
    expect(await post({ ...good, origin: 'http://evil.example' })).toEqual(forged);
    expect(await post({ ...good, origin: 'null' })).toEqual(forged);
    expect(await post({ ...good, 'sec-fetch-site': 'same-site' })).toEqual(forged);
    expect(await post(good)).toMatchObject({ status: 201 });
  });

  it('whoever guesses passwords is slowed down, and told how long', async () => {
    const { page, watched } = await dashboard().visit('/sign-in', { stranger: true });
    watched.tolerate(/(401|429) from .*\/session$/);
    const { tries, right } = await page.evaluate(guess, { most: MOST_TRIES, password: PASSWORD });
    expect(tries.length).toBeGreaterThan(3);
    expect(tries.length).toBeLessThan(MOST_TRIES);
    expect(tries.slice(0, -1).every(({ status }) => status === 401)).toBe(true);
    expect(tries.at(-1)!.status).toBe(429);
    expect(Number(tries.at(-1)!.retryAfter)).toBeGreaterThan(0);
    // The right one is not looked at either: who guesses learns nothing meanwhile.
    expect(right).toBe(429);
    expect(await watched.context.cookies()).toEqual([]);
    const told = page.getByRole('alert').filter({ hasText: /try again in/ });
    await expect
      .poll(
        async () => {
          await page.evaluate(guess, { most: MOST_TRIES, password: 'wrong' });
          await submitSignIn(page, 'wrong');
          await page.getByRole('alert').waitFor();
          return told.isVisible();
        },
        { timeout: 30_000 },
      )
      .toBe(true);
  });
});

const endSessionOf = (id: string, column: string): string =>
  `update session set ${column} = now() - interval '1 second' where id = '${id}'`;

/** The id of the session that the page has. */
async function sessionId(page: Page): Promise<string> {
  const answer = await page.evaluate(async () => (await fetch('/api/v1/sessions')).json());
  return (answer as { items: { id: string; current: boolean }[] }).items.find(({ current }) => current)!.id;
}

async function cookieHeader(context: BrowserContext): Promise<string> {
  return (await context.cookies()).map(({ name, value }) => `${name}=${value}`).join('; ');
}

/** Statuses of what was sent there, as the control plane logs them: the browser does not tell the other page. */
const answersToForgeries = ({ logs }: SiteMesh): number[] =>
  [...(logs.get('control') ?? '').matchAll(/"method":"POST","route":"\/api\/v1\/networks","status":(\d+)/g)].map(
    ([, status]) => Number(status),
  );

/** A form can send what looks like JSON, and its answer becomes the page. */
const forgeByForm = (page: Page): Promise<void> =>
  page.evaluate((action) => {
    const form = document.createElement('form');
    Object.assign(form, { method: 'post', enctype: 'text/plain', action });
    const field = document.createElement('input');
    Object.assign(field, { name: '{"name":"forged","x":"', value: '"}' });
    form.append(field);
    document.body.append(form);
    form.submit();
  }, `${ORIGIN}/api/v1/networks`);

/** Without CORS a script may send this much and read nothing. */
const forgeByFetch = (page: Page): Promise<void> =>
  page.evaluate(async (url) => {
    await fetch(url, { method: 'POST', mode: 'no-cors', credentials: 'include', body: '{"name":"forged"}' }).catch(
      () => undefined,
    );
  }, `${ORIGIN}/api/v1/networks`);

interface Guesses {
  readonly tries: { status: number; retryAfter: string | null }[];
  /** Status of the right password, right after the last refusal. */
  readonly right: number;
}

/** In the page: one wrong password after the other, until it is refused to look at them; then the right one. */
async function guess({ most, password }: { most: number; password: string }): Promise<Guesses> {
  const tryOne = async (text: string) => {
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ password: text });
    const answer = await fetch('/api/v1/session', { method: 'POST', headers, body });
    return { status: answer.status, retryAfter: answer.headers.get('retry-after') };
  };
  const tries: { status: number; retryAfter: string | null }[] = [];
  while (tries.length < most && tries.at(-1)?.status !== 429) tries.push(await tryOne(`guess number ${tries.length}`));
  return { tries, right: (await tryOne(password)).status };
}
