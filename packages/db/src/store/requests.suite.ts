import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Store } from '../store-api.js';
import type { FirstRequest, KeptAnswer } from '../store-requests.js';
import { makeNetwork, openTestStore, uniqueName } from '../testing/members.js';
import { query } from '../testing/servers.js';

const first = (begun: FirstRequest | KeptAnswer): FirstRequest => {
  if ('run' in begun) return begun;
  throw new Error('the request is not the first');
};
const KEY = { scopes: ['admin'], expiresAt: null };

/** Idempotent requests, exclusive work, the audit log as events. */
export function requestsSuite(given: () => { store: Store; url: string }): void {
  describe('idempotent requests', () => {
    const ids = () => ({ id: randomBytes(32), fingerprint: randomBytes(32) });
    const answer = { status: 201, contentType: 'application/json', body: '{"token":"warren-secret"}' };

    test('are answered again, also by another process, and their answers are sealed', async () => {
      const { store, url } = given();
      const { id, fingerprint } = ids();
      const begun = first(await store.idempotent.begin(id, fingerprint));
      expect(await begun.run(async () => 7)).toBe(7);
      await begun.keep(answer);
      const other = await openTestStore(url);
      expect(await other.idempotent.begin(id, fingerprint)).toEqual(answer);
      await other.close();
      const rows = await query<{ text: string }>(url, 'select r::text as text from idempotent_request r');
      expect(rows.length).toBeGreaterThan(0);
      expect(JSON.stringify(rows)).not.toContain(Buffer.from('warren-secret').toString('hex'));
      await expect(store.idempotent.begin(id, randomBytes(32))).rejects.toMatchObject({
        code: 'idempotency-key-reused',
      });
    });

    test('run once at a time, and again after one that failed', async () => {
      const { store } = given();
      const { id, fingerprint } = ids();
      const begun = first(await store.idempotent.begin(id, fingerprint));
      await expect(store.idempotent.begin(id, fingerprint)).rejects.toMatchObject({ code: 'idempotency-in-progress' });
      await begun.keep({ ...answer, status: 503 });
      await first(await store.idempotent.begin(id, fingerprint)).keep(answer);
      expect(await store.idempotent.begin(id, fingerprint)).toEqual(answer);
    });

    test('of 20 at once one is the first', async () => {
      const { store } = given();
      const { id, fingerprint } = ids();
      const all = await Promise.allSettled(Array.from({ length: 20 }, () => store.idempotent.begin(id, fingerprint)));
      expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    });

    test('whose process died before it committed run again; the dead one commits no more', async () => {
      const { store, url } = given();
      const { id, fingerprint } = ids();
      const dead = first(await store.idempotent.begin(id, fingerprint));
      await query(url, "update idempotent_request set lease_until = now() - interval '1 s' where id = $1", [id]);
      const next = first(await store.idempotent.begin(id, fingerprint));
      const name = uniqueName('fenced');
      await expect(dead.run(() => store.createApiKey(name, KEY, 'local'))).rejects.toMatchObject({
        code: 'idempotency-in-progress',
      });
      expect((await store.listApiKeys()).some((key) => key.name === name)).toBe(false);
      await next.run(() => store.createApiKey(name, KEY, 'local'));
      expect((await store.listApiKeys()).some((key) => key.name === name)).toBe(true);
    });

    test('whose process died after it committed never run again, and that is said', async () => {
      const { store, url } = given();
      const { id, fingerprint } = ids();
      await first(await store.idempotent.begin(id, fingerprint)).run(() => makeNetwork(store, '10.9.0.0/16'));
      await query(url, "update idempotent_request set lease_until = now() - interval '1 s' where id = $1", [id]);
      await expect(store.idempotent.begin(id, fingerprint)).rejects.toMatchObject({
        code: 'idempotency-answer-lost',
      });
    });

    test('are forgotten after a day', async () => {
      const { store, url } = given();
      const { id, fingerprint } = ids();
      await first(await store.idempotent.begin(id, fingerprint)).keep(answer);
      await query(url, "update idempotent_request set created_at = now() - interval '25 h' where id = $1", [id]);
      expect(await store.idempotent.begin(id, randomBytes(32))).toHaveProperty('run');
    });
  });

  test('exclusive work of one name runs one at a time, in all processes; that of others side by side', async () => {
    const { store, url } = given();
    const other = await openTestStore(url);
    let running = 0;
    let most = 0;
    const work = async () => {
      most = Math.max(most, ++running);
      await store.listNetworks();
      running--;
    };
    const name = uniqueName('work');
    await Promise.all(Array.from({ length: 12 }, (_, i) => (i % 2 ? store : other).exclusive(name, work)));
    expect(most).toBe(1);
    await expect(store.exclusive(name, () => Promise.reject(new Error('mine')))).rejects.toThrow('mine');
    expect(await store.exclusive(name, () => store.exclusive(`${name} 2`, async () => 'both'))).toBe('both');
    await other.close();
  });

  describe('events', () => {
    const all = async (store: Store, from: string) => (await store.eventsAfter(from, 500)).events;

    test('are the audit log after a position, whoever wrote it', async () => {
      const { store } = given();
      const tail = await store.eventTail();
      let woken = 0;
      const listening = await store.onEvent(() => woken++);
      const { key } = await store.createApiKey('seen', KEY, 'local');
      const network = await makeNetwork(store, '10.9.0.0/16');
      const events = await all(store, tail);
      expect(events.map(({ action }) => action)).toEqual(['apikey.create', 'network.create']);
      expect(events[0]).toMatchObject({ subject: key.id, networkId: null, actor: 'local' });
      expect(events[1]).toMatchObject({ networkId: network.id });
      expect(await store.isEventPosition(events[0]!.position)).toBe(true);
      expect(await all(store, events[0]!.position)).toEqual(events.slice(1));
      const deadline = Date.now() + 5_000;
      while (woken < 3 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));
      expect(woken, 'one when it begins to listen, one for each commit').toBeGreaterThanOrEqual(3);
      await listening.close();
    });

    test('wait for a transaction that began before them, so that it cannot commit behind a reader', async () => {
      const { store, url } = given();
      const tail = await store.eventTail();
      const writing = query(
        url,
        `do $$ begin
          insert into audit_log (actor, action, subject, details) values ('test', 'slow.begin', 'x', '{}');
          perform pg_sleep(1);
          insert into audit_log (actor, action, subject, details) values ('test', 'slow.end', 'x', '{}');
        end $$`,
      );
      const held = async () => (await store.eventsAfter(tail, 500)).held;
      const deadline = Date.now() + 10_000;
      for (let i = 0; !(await held()); i++) {
        await store.createApiKey(`held-${i}`, KEY, 'local');
        expect(Date.now(), 'an event is held').toBeLessThan(deadline);
      }
      await writing;
      const actions = (await all(store, tail)).map(({ action }) => action);
      const [begin, end] = [actions.indexOf('slow.begin'), actions.indexOf('slow.end')];
      expect(end).toBe(begin + 1);
      expect(actions.lastIndexOf('apikey.create')).toBeGreaterThan(end);
      expect((await store.eventsAfter(tail, 500)).held).toBe(false);
    });

    test('have positions; other text is none', async () => {
      const { store } = given();
      for (const text of ['', 'x', '1', '1-', '-1', '99999999999999999999-1', '0-1', `${2n ** 63n}-1`])
        expect(await store.isEventPosition(text), text).toBe(false);
      expect(await store.isEventPosition('0-0')).toBe(true);
      await expect(store.eventsAfter('x', 1)).rejects.toMatchObject({ code: 'bad-request' });
    });
  });

  test('the audit log is filtered by network, action, actor, subject and time, and paged under inserts', async () => {
    const { store } = given();
    const network = await makeNetwork(store, '10.9.0.0/16');
    for (const mtu of [1300, 1310, 1320]) await store.updateNetwork(network.id, { mtu }, 'test:me');
    const mine = { networkId: network.id };
    const count = async (filter: object) => (await store.audit({ ...mine, ...filter })).items.length;
    expect(await count({})).toBe(4);
    expect(await count({ action: 'network.update' })).toBe(3);
    expect(await count({ action: 'network.' })).toBe(4);
    expect(await count({ action: 'network' })).toBe(0);
    expect(await count({ actor: 'test:me' })).toBe(3);
    expect(await count({ until: new Date(0) })).toBe(0);
    expect(await count({ since: new Date(Date.now() + 60_000) })).toBe(0);
    const page = await store.audit({ ...mine, limit: 2 });
    await store.updateNetwork(network.id, { mtu: 1330 }, 'test:me');
    const rest = await store.audit({ ...mine, limit: 2, cursor: page.nextCursor! });
    const ids = [...page.items, ...rest.items].map(({ id }) => id);
    expect([ids.length, new Set(ids).size, rest.nextCursor]).toEqual([4, 4, null]);
  });
}
