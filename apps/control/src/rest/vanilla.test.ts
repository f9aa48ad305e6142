import { randomBytes } from 'node:crypto';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestPlane, type TestPlane, until } from '../testing/control-plane.fixture.js';
import { FakeAgent } from '../testing/fake-agent.fixture.js';

let plane: TestPlane;
let admin: string;

beforeAll(async () => {
  plane = await startTestPlane();
  admin = plane.firstApiKey!;
});
afterAll(() => plane?.stop());

type Method = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
const call = (method: Method, url: string, payload?: object, headers: Record<string, string> = {}) =>
  plane.rest.app.inject({
    method,
    url: `/api/v1${url}`,
    headers: { authorization: `Bearer ${admin}`, ...headers },
    ...(payload ? { payload } : {}),
  });
const key = (): string => randomBytes(32).toString('base64');
const vanilla = async (name: string, more: object = {}) =>
  (await call('POST', '/nodes', { name, publicKey: key(), ...more })).json();
const bounce = (name: string, more: object = {}) =>
  vanilla(name, { role: 'bounce', endpoint: `${name}.example.net:51820`, ...more });
const as = (secret: string) => ({ authorization: `Bearer ${secret}` });

describe('a vanilla member without a key', () => {
  it('is pending with its addresses reserved, has its file already, and is active with its key', async () => {
    const made = await call('POST', '/nodes', { name: 'later', tags: ['mobile'] });
    expect(made.statusCode).toBe(201);
    const node = made.json();
    expect(node).toMatchObject({ status: 'pending', publicKey: null, tags: ['mobile'] });
    expect(node.addresses).toHaveLength(2);
    const { body } = await call('GET', `/nodes/${node.id}/wg0.conf`);
    expect(body).toContain(`Address = ${node.addresses[0]}/32`);
    const publicKey = key();
    const active = (await call('PATCH', `/nodes/${node.id}`, { publicKey })).json();
    expect(active).toMatchObject({ status: 'active', publicKey, interruption: null });
    expect((await call('GET', `/nodes/${node.id}/wg0.conf`)).body).toBe(body);
  });

  it('is not the key’s second owner, and changing an active member’s key says who is cut off', async () => {
    const [first, second] = [await vanilla('first'), await vanilla('second')];
    const taken = await call('PATCH', `/nodes/${second.id}`, { publicKey: first.publicKey });
    expect(taken.json()).toMatchObject({ status: 409, code: 'key-taken' });
    const changed = (await call('PATCH', `/nodes/${second.id}`, { publicKey: key() })).json();
    expect(changed.interruption).toMatch(/second is cut off until it uses the new key/);
    const audited = (await call('GET', '/audit?limit=1')).json().items[0];
    expect(audited.details).toMatchObject({ replaces: second.publicKey, interruption: expect.any(String) });
  });
});

describe('settings of files', () => {
  it('of the network are defaults for its members, whose own go over them', async () => {
    await call('POST', '/networks', { name: 'set', cidrs: ['10.90.0.0/24'] });
    const settings = { dns: ['9.9.9.9'], mtu: 1380, postUp: ['echo network'], persistentKeepalive: 33 };
    const network = (await call('PATCH', '/networks/set', { settings })).json();
    expect(network).toMatchObject({
      settings,
      hooks: [{ when: 'postUp', command: 'echo network', runBy: 'wg-quick' }],
    });
    await bounce('set-bounce', { network: 'set' });
    const node = await vanilla('set-phone', {
      network: 'set',
      settings: { mtu: 1300, table: 'off', saveConfig: true },
    });
    const file = async () => (await call('GET', `/nodes/${node.id}/wg0.conf`)).body;
    expect(await file()).toMatch(
      /\nDNS = 9.9.9.9\nTable = off\nMTU = 1300\nSaveConfig = true\n# The commands .* never by Warren\.\nPostUp = echo network\n/,
    );
    expect(await file()).toContain('PersistentKeepalive = 33');
    const patched = await call('PATCH', `/nodes/${node.id}`, {
      settings: { mtu: null, table: null, fwMark: 9, privateKeyCommand: 'cat /etc/wireguard/key' },
    });
    expect(patched.json().settings).toEqual({
      saveConfig: true,
      fwMark: 9,
      privateKeyCommand: 'cat /etc/wireguard/key',
    });
    expect(await file()).toContain('MTU = 1380\nFwMark = 9\n');
    expect(await file()).toContain('PostUp = wg set %i private-key <(cat /etc/wireguard/key)\nPostUp = echo network\n');
    expect(await file()).not.toContain('PrivateKey');
  });

  it.each([
    [{ postUp: ['a\nb'] }, /postUp must be one line/],
    [{ table: 'blue' }, /table must be off/],
    [{ dns: ['no good'] }, /dns must be/],
    [{ mtu: 99 }, /mtu must be/],
    [{ colour: 'red' }, /olour/],
    [{ fwMark: 'x' }, /fwMark/],
  ])('that could not stand in a file are refused by name: %j', async (settings, message) => {
    const answer = await call('POST', '/nodes', { name: 'refused', publicKey: key(), settings });
    expect(answer.json()).toMatchObject({ status: 400, code: 'bad-request', detail: expect.stringMatching(message) });
  });

  it('keep ways open for agents, too', async () => {
    await call('POST', '/networks', { name: 'keep', cidrs: ['10.91.0.0/24'] });
    const { id } = (await call('GET', '/networks/keep')).json();
    await bounce('keep-bounce', { network: 'keep' });
    const agent = await FakeAgent.join(await plane.token({ networkId: id }), { name: 'keeper' });
    const stream = agent.sync();
    await stream.synced();
    await call('PATCH', '/networks/keep', { settings: { persistentKeepalive: 17 } });
    await until(() => stream.peers.some((peer) => peer.persistentKeepalive === 17), 'the keepalive at the agent');
    agent.close();
  });
});

describe('preshared keys', () => {
  it('are made or given for a pair, in the files of the two and nowhere else', async () => {
    await call('POST', '/networks', { name: 'psk', cidrs: ['10.92.0.0/24'] });
    const hub = await bounce('psk-bounce', { network: 'psk' });
    const phone = await vanilla('psk-phone', { network: 'psk' });
    const tablet = await vanilla('psk-tablet', { network: 'psk' });
    const given = key();
    const put = await call('PUT', `/nodes/${phone.id}/preshared-keys/psk-bounce`, { presharedKey: given });
    expect(put.json()).toMatchObject({ peerId: hub.id, peer: 'psk-bounce' });
    expect((await call('PUT', `/nodes/${tablet.id}/preshared-keys/${hub.id}`)).statusCode).toBe(200);
    const file = async (path: string) => (await call('GET', `${path}/peers.conf`)).body;
    expect((await file(`/nodes/${phone.id}`)).match(/PresharedKey = .*/g)).toEqual([`PresharedKey = ${given}`]);
    expect((await file(`/nodes/${tablet.id}`)).match(/PresharedKey = .*/g)).toHaveLength(1);
    expect(await file(`/nodes/${hub.id}`)).toContain(given);
    expect((await call('GET', `/nodes/${phone.id}/wg0.conf`)).body).toContain(given);
    const elsewhere = [
      await file('/networks/psk'),
      await file(`/nodes/${tablet.id}`),
      put.body,
      (await call('GET', '/nodes?network=psk')).body,
      (await call('GET', `/nodes/${phone.id}/preshared-keys`)).body,
      (await call('GET', '/audit?limit=50')).body,
      plane.log(),
    ];
    for (const text of elsewhere) expect(text).not.toContain(given);
    expect((await call('DELETE', `/nodes/${phone.id}/preshared-keys/${hub.id}`)).statusCode).toBe(204);
    expect(await file(`/nodes/${phone.id}`)).not.toContain('PresharedKey');
    expect((await call('DELETE', `/nodes/${phone.id}/preshared-keys/${hub.id}`)).json().code).toBe('not-found');
  });

  it('reach the agent at the other end, change there, and go', async () => {
    const { id } = (await call('POST', '/networks', { name: 'psk2', cidrs: ['10.93.0.0/24'] })).json();
    const token = await plane.token({ networkId: id, role: 'bounce' });
    const agent = await FakeAgent.join(token, { name: 'psk2-bounce', endpoint: '192.0.2.7:51820' });
    const phone = await vanilla('psk2-phone', { network: 'psk2' });
    const stream = agent.sync();
    await stream.synced();
    const held = () => stream.peers.find((peer) => peer.nodeId === phone.id)?.presharedKey.toString('base64');
    await until(() => held() === '', 'the member at the agent');
    for (const presharedKey of [key(), key()]) {
      await call('PUT', `/nodes/${phone.id}/preshared-keys/${agent.nodeId}`, { presharedKey });
      await until(() => held() === presharedKey, 'the preshared key at the agent');
    }
    await call('DELETE', `/nodes/${phone.id}/preshared-keys/${agent.nodeId}`);
    await until(() => held() === '', 'no preshared key at the agent');
    agent.close();
  });

  it('are refused where they cannot be', async () => {
    const [a, b] = [await vanilla('psk-a'), await vanilla('psk-b')];
    const cases: [string, object | undefined, number, string][] = [
      [`/nodes/${a.id}/preshared-keys/nobody`, undefined, 404, 'not-found'],
      [`/nodes/${a.id}/preshared-keys/${a.id}`, undefined, 400, 'bad-request'],
      [`/nodes/${a.id}/preshared-keys/${b.id}`, { presharedKey: 'short' }, 400, 'bad-request'],
      [
        `/nodes/${a.id}/preshared-keys/${b.id}`,
        { presharedKey: Buffer.alloc(32).toString('base64') },
        400,
        'bad-request',
      ],
      [`/nodes/${a.id}/preshared-keys/${b.id}`, { other: 1 }, 400, 'bad-request'],
    ];
    for (const [url, body, status, code] of cases) {
      expect((await call('PUT', url, body)).json(), url).toMatchObject({ status, code });
    }
  });
});

describe('a config key', () => {
  it('reads the files of its own node and of its network, and nothing else', async () => {
    const own = await vanilla('own');
    const other = await vanilla('other');
    const made = await call('POST', `/nodes/${own.id}/config-key`);
    expect(made.statusCode).toBe(201);
    expect(made.json()).toMatchObject({ nodeId: own.id, node: 'own', networkId: own.networkId });
    const { secret } = made.json();
    expect(secret).toMatch(/^warrenconf_[\w-]{43}$/);
    expect((await call('GET', `/nodes/${own.id}`)).json().configKeyCreatedAt).toBe(made.json().createdAt);
    const read = (url: string, method: Method = 'GET') => call(method, url, undefined, as(secret));
    const open = [`/nodes/${own.id}/wg0.conf`, `/nodes/${own.id}/peers.conf`, `/nodes/own/peers.conf?network=default`];
    for (const url of [...open, `/networks/${own.networkId}/peers.conf`, '/networks/default/peers.conf']) {
      expect((await read(url)).statusCode, url).toBe(200);
    }
    expect((await read(`/nodes/${own.id}/qr.svg`)).json().code).toBe('private-key-not-held');
    await call('POST', '/networks', { name: 'foreign', cidrs: ['10.94.0.0/24'] });
    const closed: [Method, string][] = [
      ['GET', `/nodes/${other.id}/peers.conf`],
      ['GET', `/nodes/nobody/wg0.conf`],
      ['GET', '/networks/foreign/peers.conf'],
      ['GET', '/networks/nowhere/peers.conf'],
      ['GET', `/nodes/${own.id}`],
      ['GET', '/nodes'],
      ['POST', `/nodes/${own.id}/revoke`],
      ['POST', `/nodes/${own.id}/config-key`],
      ['GET', '/status'],
    ];
    for (const [method, url] of closed) {
      expect((await read(url, method)).json(), url).toMatchObject({ status: 403, code: 'scope-missing' });
    }
    expect(JSON.stringify([(await call('GET', '/audit?limit=50')).body, plane.log()])).not.toContain(secret);
    expect((await call('DELETE', `/nodes/${own.id}/config-key`)).statusCode).toBe(204);
    expect((await read(open[0]!)).json()).toMatchObject({ status: 401, code: 'unauthorized' });
  });

  it('of a node that was revoked or disabled says so, for its own file and for the network’s', async () => {
    const gone = await vanilla('gone');
    const { secret } = (await call('POST', `/nodes/${gone.id}/config-key`)).json();
    await call('POST', `/nodes/${gone.id}/revoke`);
    for (const url of [`/nodes/${gone.id}/peers.conf`, '/networks/default/peers.conf']) {
      const answer = (await call('GET', url, undefined, as(secret))).json();
      expect(answer).toMatchObject({
        status: 409,
        code: 'node-not-active',
        detail: expect.stringContaining('revoked'),
      });
    }
  });
});

describe('a file that is waited for', () => {
  const wait = (url: string, etag: string, secret = admin) =>
    call('GET', `${url}?wait=30`, undefined, { ...as(secret), 'if-none-match': etag });
  const etagOf = async (url: string) => String((await call('GET', url)).headers.etag);

  it('is answered for each kind of change that changes it, and for no other', async () => {
    await call('POST', '/networks', { name: 'wait', cidrs: ['10.95.0.0/24'] });
    await bounce('wait-bounce', { network: 'wait' });
    const phone = await vanilla('wait-phone', { network: 'wait' });
    const server = await vanilla('wait-server', { network: 'wait', role: 'direct', endpoint: '192.0.2.9:51820' });
    const url = `/nodes/${phone.id}/peers.conf`;
    const changes: (() => Promise<unknown>)[] = [
      () => vanilla('wait-new', { network: 'wait', role: 'direct', endpoint: '192.0.2.10:51820' }),
      () => call('PATCH', `/nodes/${server.id}`, { endpoint: 'moved.example.net:51820' }),
      () => call('PATCH', `/nodes/${server.id}`, { publicKey: key() }),
      () => call('PUT', `/nodes/${phone.id}/preshared-keys/${server.id}`),
      () => call('PATCH', `/nodes/${phone.id}`, { settings: { persistentKeepalive: 44 } }),
      () => call('PATCH', '/networks/wait', { settings: { persistentKeepalive: 45 } }),
      () => call('POST', `/nodes/${server.id}/revoke`),
    ];
    let before = (await call('GET', url)).body;
    for (const [at, change] of changes.entries()) {
      let answered = false;
      const waiting = wait(url, await etagOf(url)).then((answer) => {
        answered = true;
        return answer;
      });
      // Another client of the bounce is in no other client's file.
      await vanilla(`wait-quiet-${at}`, { network: 'wait' });
      expect(answered).toBe(false);
      await change();
      if (at === 5) {
        // Its own keepalive goes over the network's.
        expect(answered).toBe(false);
        await call('PATCH', `/nodes/${phone.id}`, { settings: { persistentKeepalive: null } });
      }
      const answer = await waiting;
      expect(answer.statusCode, `change ${at}`).toBe(200);
      expect(answer.body).not.toBe(before);
      expect(answer.body).toMatch(/\n# End of file: \d+ peers?\n$/);
      before = answer.body;
    }
  });

  it('is answered 409 at once when its node is revoked, and 401 when its key is taken away', async () => {
    const [one, two] = [await vanilla('wait-one'), await vanilla('wait-two')];
    const secretOf = async (id: string) => (await call('POST', `/nodes/${id}/config-key`)).json().secret as string;
    const [first, second] = [await secretOf(one.id), await secretOf(two.id)];
    const waiting = [
      wait(`/nodes/${one.id}/peers.conf`, await etagOf(`/nodes/${one.id}/peers.conf`), first),
      wait(`/nodes/${two.id}/peers.conf`, await etagOf(`/nodes/${two.id}/peers.conf`), second),
    ];
    await call('POST', `/nodes/${one.id}/revoke`);
    expect((await waiting[0]!).json()).toMatchObject({ status: 409, code: 'node-not-active' });
    await call('DELETE', `/nodes/${two.id}/config-key`);
    await vanilla('wait-three', { role: 'direct', endpoint: '192.0.2.11:51820' });
    expect((await waiting[1]!).json()).toMatchObject({ status: 401, code: 'unauthorized' });
  });

  it('is answered 401 when the API key was deleted meanwhile', async () => {
    const node = await vanilla('wait-api');
    const made = (await call('POST', '/apikeys', { name: 'poller', scopes: ['configs:read'] })).json();
    const url = `/nodes/${node.id}/peers.conf`;
    const { configPolls } = plane.context.metrics;
    const before = (await configPolls.get()).values[0]?.value ?? 0;
    const waiting = wait(url, await etagOf(url), made.secret);
    await until(async () => (await configPolls.get()).values[0]!.value > before, 'it waits');
    await call('DELETE', `/apikeys/${made.id}`);
    await vanilla('wait-four', { role: 'direct', endpoint: '192.0.2.13:51820' });
    expect((await waiting).json()).toMatchObject({ status: 401, code: 'unauthorized' });
  });

  it('of a member that waits for its key is answered when it changes, too', async () => {
    const node = (await call('POST', '/nodes', { name: 'wait-pending' })).json();
    const url = `/nodes/${node.id}/wg0.conf`;
    const waiting = wait(url, await etagOf(url));
    await call('PATCH', `/nodes/${node.id}`, { settings: { dns: ['1.1.1.1'] } });
    expect((await waiting).body).toContain('DNS = 1.1.1.1');
  });

  it('is waited for by a thousand at little cost, and all are answered', { timeout: 60_000 }, async () => {
    const node = await vanilla('crowd');
    const { secret } = (await call('POST', `/nodes/${node.id}/config-key`)).json();
    const path = `/api/v1/nodes/${node.id}/peers.conf`;
    const etag = await etagOf(`/nodes/${node.id}/peers.conf`);
    const { port } = new URL(plane.context.about.httpUrl);
    const crowd = Array.from({ length: 1_000 }, () =>
      get(Number(port), `${path}?wait=60`, { ...as(secret), 'if-none-match': etag }),
    );
    const connections = () =>
      new Promise<number>((resolve) => plane.rest.app.server.getConnections((_error, count) => resolve(count)));
    await until(async () => (await connections()) >= 1_000, 'a thousand connections', 30_000);
    await vanilla('crowd-server', { role: 'direct', endpoint: '192.0.2.12:51820' });
    const answers = await Promise.all(crowd);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map(({ body }) => body)).size).toBe(1);
    expect(answers[0]!.body).toContain('crowd-server');
  });
});

/** One request on a socket of its own. */
function get(port: number, path: string, headers: Record<string, string>): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const answered = (response: IncomingMessage): void => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    };
    httpRequest({ host: '127.0.0.1', port, path, headers, agent: false }, answered).on('error', reject).end();
  });
}
