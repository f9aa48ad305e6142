import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Store } from '../store-api.js';
import { openTestStore } from '../testing/members.js';
import { query } from '../testing/servers.js';

const ORIGIN = { address: '203.0.113.9', userAgent: 'Browser/1' };
const HASH = '$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$aGFzaGhhc2g';
const HOUR = 3_600_000;

/** Users, sessions, sign-in links. */
export function sessionsSuite(given: () => { store: Store; url: string }): void {
  const admin = async (store: Store) => (await store.findUser('admin'))!;
  const open = async (store: Store) => (await store.openSession(await admin(store), ORIGIN))!;
  const past = (column: string) => `update session set ${column} = now() - interval '1 s' where id = $1`;
  const actions = async (store: Store) =>
    (await store.audit({ limit: 10 })).items.map(({ actor, action, subject }) => [actor, action, subject]);

  describe('users', () => {
    test('are found by name; there is one, admin, without a password at first', async () => {
      const { store } = given();
      expect(await admin(store)).toMatchObject({ name: 'admin', passwordHash: null });
      expect(await store.isSetUp()).toBe(false);
      for (const name of ['', 'Admin', 'root', "' or 1=1", 'a\0b']) expect(await store.findUser(name)).toBeUndefined();
    });
  });

  describe('sessions', () => {
    test('are found by their secret, which is kept hashed, also by another process', async () => {
      const { store, url } = given();
      const { session, secret } = await open(store);
      expect(Buffer.from(secret, 'base64url')).toHaveLength(32);
      expect(session).toMatchObject({ ...ORIGIN, user: { name: 'admin' } });
      expect(session.idleExpiresAt.getTime() - session.createdAt.getTime()).toBe(12 * HOUR);
      expect(session.expiresAt.getTime() - session.createdAt.getTime()).toBe(7 * 24 * HOUR);
      const other = await openTestStore(url);
      expect(await other.checkSession(secret, true)).toEqual(session);
      await other.close();
      const rows = await query<{ text: string }>(url, 'select s::text as text from session s');
      expect(JSON.stringify(rows)).toContain(session.id);
      expect(JSON.stringify(rows)).not.toContain(Buffer.from(secret, 'base64url').toString('hex'));
      const strangers = ['', 'x', randomBytes(32).toString('base64url'), secret.slice(1), `${secret}A`];
      for (const text of strangers) expect(await store.checkSession(text, true)).toBeUndefined();
    });

    test('end when they were idle too long, and in any case after a while', async () => {
      const { store, url } = given();
      for (const column of ['idle_expires_at', 'expires_at']) {
        const { session, secret } = await open(store);
        const listed = async () => (await store.listSessions()).items.some(({ id }) => id === session.id);
        expect(await listed()).toBe(true);
        await query(url, past(column), [session.id]);
        expect(await store.checkSession(secret, true)).toBeUndefined();
        expect(await listed()).toBe(false);
        await open(store);
        expect(await query(url, 'select id from session where id = $1', [session.id])).toEqual([]);
      }
    });

    test('that are used live on, exact to a minute; those that are only looked at do not', async () => {
      const { store, url } = given();
      const { session, secret } = await open(store);
      const age = `update session set last_seen_at = now() - interval '2 h', idle_expires_at = now() + interval '10 h'
        where id = $1`;
      await query(url, age, [session.id]);
      const left = async (isUse: boolean) => {
        const { idleExpiresAt, lastSeenAt } = (await store.checkSession(secret, isUse))!;
        return (idleExpiresAt.getTime() - lastSeenAt.getTime()) / HOUR;
      };
      const { idleExpiresAt } = (await store.checkSession(secret, false))!;
      expect((await store.checkSession(secret, false))!.idleExpiresAt).toEqual(idleExpiresAt);
      expect(await left(true)).toBe(12);
      const used = await store.checkSession(secret, true);
      expect(used!.idleExpiresAt.getTime()).toBeGreaterThan(idleExpiresAt.getTime());
      expect(await store.checkSession(secret, true)).toEqual(used);
      expect(used!.expiresAt).toEqual(session.expiresAt);
    });

    test('are ended by themselves or from elsewhere, once, and that is audited', async () => {
      const { store } = given();
      const [one, two] = [await open(store), await open(store)];
      await store.endSession(one.session.id, 'sign-out', 'user:admin');
      await store.endSession(two.session.id, 'end', 'local');
      for (const { secret, session } of [one, two]) {
        expect(await store.checkSession(secret, true)).toBeUndefined();
        await expect(store.endSession(session.id, 'end', 'local')).rejects.toMatchObject({ code: 'not-found' });
      }
      expect(await actions(store)).toEqual(
        expect.arrayContaining([
          ['user:admin', 'session.sign-in', one.session.id],
          ['user:admin', 'session.sign-out', one.session.id],
          ['local', 'session.end', two.session.id],
        ]),
      );
    });

    test('are not opened for a password that was changed meanwhile', async () => {
      const { store } = given();
      const user = await admin(store);
      const { session } = await open(store);
      await store.setPassword(session.id, `${HASH}3`);
      expect(await store.openSession(user, ORIGIN)).toBeUndefined();
      expect(await store.openSession({ ...user, id: '00000000-0000-4000-8000-000000000000' }, ORIGIN)).toBeUndefined();
    });

    test('are a hundred of one user at most, and come page by page', async () => {
      const { store, url } = given();
      const { session, secret } = await open(store);
      await query(url, "update session set last_seen_at = now() - interval '1 h' where id = $1", [session.id]);
      for (let i = 0; i < 100; i++) await open(store);
      const { items, nextCursor } = await store.listSessions({ limit: 60 });
      const rest = await store.listSessions({ limit: 60, cursor: nextCursor! });
      expect([items.length, rest.items.length, rest.nextCursor]).toEqual([60, 40, null]);
      expect(await store.checkSession(secret, true)).toBeUndefined();
    });

    test('say whence, shortened and without what a terminal would obey', async () => {
      const { store } = given();
      const user = await admin(store);
      const origin = { address: 'x'.repeat(500), userAgent: `a\0\u001b[31m${'y'.repeat(5_000)}` };
      const { session } = (await store.openSession(user, origin))!;
      expect(session.address).toHaveLength(64);
      expect(session.userAgent).toMatch(/^a {2}\[31my{249}$/);
      const { session: silent } = (await store.openSession(user, { address: null, userAgent: null }))!;
      expect(silent).toMatchObject({ address: null, userAgent: null });
    });

    test('that could not be opened are in the audit log, without what was typed', async () => {
      const { store } = given();
      await store.noteFailedSignIns({ user: 'admin', address: '203.0.113.7', count: 3 });
      await store.noteFailedSignIns({ user: null, address: null, count: 1 });
      const { items } = await store.audit({ action: 'session.sign-in-failed', limit: 2 });
      expect(items).toMatchObject([
        { actor: 'nobody', subject: 'unknown user', details: { address: null, count: 1 } },
        { actor: 'nobody', subject: 'admin', details: { address: '203.0.113.7', count: 3 } },
      ]);
    });
  });

  describe('sign-in links', () => {
    let store: Store;
    let url: string;
    beforeEach(() => {
      ({ store, url } = given());
    });
    const make = async () => (await store.createSignInLink(HOUR, 'local')).link;

    test('set the password once, open a session, and end those before', async () => {
      const before = await open(store);
      const { link, expiresAt } = await store.createSignInLink(HOUR, 'local');
      expect(link).toMatch(/^warrenlink_[\w-]{43}$/);
      expect(Math.abs(expiresAt.getTime() - Date.now() - HOUR)).toBeLessThan(60_000);
      await store.checkSignInLink(link);
      const { session, secret } = await store.useSignInLink(link, HASH, ORIGIN);
      expect(await store.checkSession(secret, true)).toEqual(session);
      expect(await store.checkSession(before.secret, true)).toBeUndefined();
      expect(await admin(store)).toMatchObject({ passwordHash: HASH });
      expect(await store.isSetUp()).toBe(true);
      await expect(store.useSignInLink(link, 'other', ORIGIN)).rejects.toMatchObject({ code: 'link-used' });
      await expect(store.checkSignInLink(link)).rejects.toMatchObject({ code: 'link-used' });
      expect((await admin(store)).passwordHash).toBe(HASH);
      expect((await actions(store)).slice(0, 3)).toEqual([
        ['user:admin', 'session.sign-in', session.id],
        ['user:admin', 'user.set-password', 'admin'],
        ['local', 'sign-in-link.create', expect.stringMatching(/^[0-9a-f]{16}$/)],
      ]);
    });

    test('of ten who use one at once one does', async () => {
      const link = await make();
      const all = await Promise.allSettled(Array.from({ length: 10 }, () => store.useSignInLink(link, HASH, ORIGIN)));
      expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    });

    test('are good no more when another one was used, or they expired', async () => {
      const [first, second] = [await make(), await make()];
      await store.useSignInLink(second, HASH, ORIGIN);
      await expect(store.useSignInLink(first, HASH, ORIGIN)).rejects.toMatchObject({ code: 'link-used' });
      const late = await make();
      await query(url, "update sign_in_link set expires_at = now() - interval '1 s' where used_at is null");
      await expect(store.checkSignInLink(late)).rejects.toMatchObject({ code: 'link-expired' });
      await expect(store.useSignInLink(late, HASH, ORIGIN)).rejects.toMatchObject({ code: 'link-expired' });
    });

    test('are kept hashed, and what is none is unknown', async () => {
      const link = await make();
      const rows = await query<{ text: string }>(url, 'select l::text as text from sign_in_link l');
      expect(JSON.stringify(rows)).not.toContain(Buffer.from(link.slice(11), 'base64url').toString('hex'));
      const strangers = ['', 'warrenlink_', `${link}A`, link.slice(11), `warrenlink_${'A'.repeat(43)}`, 'a\0b'];
      for (const text of strangers)
        await expect(store.useSignInLink(text, HASH, ORIGIN)).rejects.toMatchObject({ code: 'link-unknown' });
    });

    test('a hundred are remembered', async () => {
      for (let i = 0; i < 102; i++) await make();
      expect(await query(url, 'select count(*)::int as count from sign_in_link')).toEqual([{ count: 100 }]);
    });
  });

  test('a password that is changed ends the other sessions and the links', async () => {
    const { store } = given();
    const [mine, other] = [await open(store), await open(store)];
    const { link } = await store.createSignInLink(HOUR, 'local');
    await store.setPassword(mine.session.id, `${HASH}2`);
    expect((await admin(store)).passwordHash).toBe(`${HASH}2`);
    expect(await store.checkSession(mine.secret, true)).toBeDefined();
    expect(await store.checkSession(other.secret, true)).toBeUndefined();
    await expect(store.checkSignInLink(link)).rejects.toMatchObject({ code: 'link-used' });
    await expect(store.setPassword(other.session.id, HASH)).rejects.toMatchObject({ code: 'not-found' });
  });
}
