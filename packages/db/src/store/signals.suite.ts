import { randomBytes } from 'node:crypto';
import type { HostPort } from '@warren/base';
import { describe, expect, test } from 'vitest';
import type { Store } from '../store-api.js';
import { networkWithToken } from '../testing/members.js';

const key = (): Uint8Array => Uint8Array.from(randomBytes(32));
const server = (change: object = {}) => ({
  udp: '198.51.100.7:3478' as HostPort,
  tls: ['198.51.100.7:443' as HostPort],
  key: key(),
  ...change,
});

/** Signal servers, their tokens, and what they need of revocations. */
export function signalsSuite(given: () => { store: Store; url: string }): void {
  const tokenFor = async (input: { region: string; expiresAt?: Date } = { region: 'eu-west' }) => {
    const { token, secret } = await given().store.createSignalToken(input, 'admin');
    return { tokenId: token.id, tokenSecret: secret };
  };
  const listed = async (id: string) => (await given().store.listSignalServers(60_000)).find((row) => row.id === id);

  describe('a signal token', () => {
    test('lets one server in, the same one again, and no other', async () => {
      const { store } = given();
      const token = await tokenFor();
      const one = { ...token, key: key(), identityKey: key() };
      const enrolled = await store.enrollSignalServer(one, 'token');
      expect(enrolled).toMatchObject({ kind: 'enrolled', region: 'eu-west', udp: null, tls: [], key: one.key });
      expect(await listed(enrolled.id)).toEqual(enrolled);
      expect((await store.enrollSignalServer(one, 'token')).id).toBe(enrolled.id);
      const other = { ...one, identityKey: key() };
      await expect(store.enrollSignalServer(other, 'token')).rejects.toMatchObject({ code: 'token-used-up' });
      expect(await listed(enrolled.id)).toMatchObject({ udp: null, key: one.key });
      expect((await store.listSignalTokens()).find(({ id }) => id === token.tokenId)).toMatchObject({ used: true });
    });

    test('of two servers at once lets one in', async () => {
      const { store } = given();
      const token = await tokenFor();
      const tries = [1, 2, 3].map(() =>
        store.enrollSignalServer({ ...token, key: key(), identityKey: key() }, 'token'),
      );
      const outcomes = await Promise.allSettled(tries);
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    });

    test('that is unknown, wrong, expired or revoked lets nobody in', async () => {
      const { store } = given();
      const enroll = (token: { tokenId: string; tokenSecret: Uint8Array }) =>
        store.enrollSignalServer({ ...token, key: key(), identityKey: key() }, 'token');
      const token = await tokenFor();
      const refused = (code: string) => ({ code, message: expect.not.stringMatching(/\n/) });
      await expect(enroll({ ...token, tokenId: 'nothing' })).rejects.toMatchObject(refused('token-unknown'));
      await expect(enroll({ ...token, tokenSecret: key() })).rejects.toMatchObject(refused('token-unknown'));
      await store.revokeSignalToken(token.tokenId, 'admin');
      await store.revokeSignalToken(token.tokenId, 'admin');
      await expect(enroll(token)).rejects.toMatchObject(refused('token-revoked'));
      await expect(store.revokeSignalToken('nothing', 'admin')).rejects.toMatchObject(refused('not-found'));
      for (const bad of [{ region: '' }, { region: 'a b' }, { region: 'eu', expiresAt: new Date(0) }]) {
        await expect(tokenFor(bad)).rejects.toMatchObject(refused('bad-request'));
      }
    });
  });

  describe('a signal server', () => {
    test('with addresses or keys that cannot be is refused', async () => {
      const { store } = given();
      const identityKey = key();
      const { id } = await store.enrollSignalServer({ ...(await tokenFor()), key: key(), identityKey }, 'token');
      for (const bad of [
        { udp: 'nowhere' },
        { udp: null, tls: [] },
        { tls: ['x:0'] },
        { tls: Array.from({ length: 9 }, (_, n) => `192.0.2.1:${n + 1}`) },
        { key: new Uint8Array(31) },
      ]) {
        const renewal = store.renewSignalServer(id, identityKey, server(bad));
        await expect(renewal).rejects.toMatchObject({ code: 'bad-request' });
      }
      for (const bad of [{ key: new Uint8Array(31) }, { identityKey: new Uint8Array(31) }]) {
        const input = { ...(await tokenFor()), key: key(), identityKey: key(), ...bad };
        await expect(store.enrollSignalServer(input, 'token')).rejects.toMatchObject({ code: 'bad-request' });
      }
    });

    test('that renews with its identity may have moved; another identity, or a removed one, is unknown', async () => {
      const { store } = given();
      const identityKey = key();
      const { id } = await store.enrollSignalServer({ ...(await tokenFor()), key: key(), identityKey }, 'token');
      const moved = server({ udp: 'signal.example:3478' });
      await store.renewSignalServer(id, identityKey, moved);
      expect(await listed(id)).toMatchObject({ udp: 'signal.example:3478', key: moved.key, load: null });
      const load = { clients: 7, relayedBytes: 2 ** 40, relayedRate: 2 ** 33 };
      await store.renewSignalServer(id, identityKey, { ...moved, load });
      expect(await listed(id)).toMatchObject({ load });
      await store.renewSignalServer(id, identityKey, { ...moved, load: { ...load, clients: 2 ** 32 - 1 } });
      expect((await listed(id))!.load!.clients).toBe(2 ** 31 - 1);
      const unknown = { code: 'signal-server-unknown' };
      await expect(store.renewSignalServer(id, key(), moved)).rejects.toMatchObject(unknown);
      await store.deleteSignalServer(id, 'admin');
      expect(await listed(id)).toBeUndefined();
      await expect(store.renewSignalServer(id, identityKey, moved)).rejects.toMatchObject(unknown);
      await expect(store.deleteSignalServer(id, 'admin')).rejects.toMatchObject({ code: 'not-found' });
    });

    test('of a replica is listed while it is announced, and no longer', async () => {
      const { store } = given();
      const [one, two] = [server(), server({ tls: [] })];
      await store.announceSignalServer('control-test', 'here', one);
      await store.announceSignalServer('control-test', 'here', one);
      const load = { clients: 1, relayedBytes: 2 ** 40, relayedRate: 3 };
      await store.announceSignalServer('control-test', 'here', { ...two, load });
      expect(await listed('control-test')).toMatchObject({ load });
      await store.announceSignalServer('control-test', 'here', two);
      expect(await listed('control-test')).toMatchObject({ kind: 'control', region: 'here', key: two.key, tls: [] });
      expect((await store.listSignalServers(-1)).map(({ id }) => id)).not.toContain('control-test');
      await store.deleteSignalServer('control-test', 'admin');
      expect(await listed('control-test')).toBeUndefined();
    });

    test('that is enrolled is not announced by a replica', async () => {
      const { store } = given();
      const input = { ...(await tokenFor()), key: key(), identityKey: key() };
      const { id } = await store.enrollSignalServer(input, 'token');
      await store.announceSignalServer(id, 'elsewhere', server());
      expect(await listed(id)).toMatchObject({ region: 'eu-west', key: input.key });
    });
  });

  describe('the signal port of a bounce', () => {
    test('is a change of the node like any other', async () => {
      const { store } = given();
      const { network, join } = await networkWithToken(store);
      const { node } = await join({ role: 'bounce', endpoint: '192.0.2.1:51820' as HostPort });
      const { revision } = (await store.loadNetwork(network.id))!;
      expect(await store.updateNode(node.id, { signalPort: 3478 }, 'node')).toMatchObject({ signalPort: 3478 });
      expect(await store.updateNode(node.id, { signalPort: 3478 }, 'node')).toMatchObject({ signalPort: 3478 });
      const rows = (await store.changesSince(network.id, revision))!;
      expect(rows.map(({ before, after }) => [before?.signalPort, after?.signalPort])).toEqual([[undefined, 3478]]);
      expect((await store.loadNetwork(network.id))!.network.nodes.get(node.id)).toEqual(rows[0]!.after);
      await store.updateNode(node.id, { name: 'renamed' }, 'node');
      expect(await store.findNode(node.id)).toMatchObject({ signalPort: 3478 });
      expect(await store.updateNode(node.id, { signalPort: null }, 'node')).not.toHaveProperty('signalPort');
    });

    test('is refused for others, and when it is no port', async () => {
      const { store } = given();
      const { join } = await networkWithToken(store);
      const { node: bounce } = await join({ role: 'bounce', endpoint: '192.0.2.1:51820' as HostPort });
      const { node: client } = await join();
      for (const [id, signalPort] of [
        [client.id, 3478],
        [bounce.id, 0],
        [bounce.id, 65_536],
        [bounce.id, 1.5],
      ] as const) {
        await expect(store.updateNode(id, { signalPort }, 'node')).rejects.toMatchObject({ code: 'bad-request' });
      }
    });
  });

  test('tombstones are listed by age and network', async () => {
    const { store } = given();
    const [one, two] = [await networkWithToken(store), await networkWithToken(store)];
    const { node } = await one.join();
    await store.revokeNode(node.id, 'admin');
    const { tombstones } = (await store.loadNetwork(one.network.id))!;
    expect(await store.tombstones(60_000, one.network.id)).toEqual(tombstones);
    expect(await store.tombstones(60_000)).toContainEqual(tombstones[0]);
    expect(await store.tombstones(60_000, two.network.id)).toEqual([]);
    expect(await store.tombstones(-1, one.network.id)).toEqual([]);
  });
}
