import { fromBase64, toBase64, toBase64Url } from '@warren/base';
import { createWarrenClient } from '@warren/client';
import { PRIVATE_KEY_PLACEHOLDER } from '@warren/topology';
import { describe, expect, test } from 'vitest';
import { completeFile } from '../../shell/device/device-file.js';
import { createKeyPair } from '../../shell/device/device-key.js';
import { createDevice, readDeviceFile } from './device.js';
import { deviceFaults, deviceRequest, NEW_DEVICE } from './device-fields.js';

const BOUNCE_KEY = 'xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=';
const FILE = [
  '[Interface]',
  '# Name = phone',
  'Address = 10.44.0.3/16',
  `PrivateKey = ${PRIVATE_KEY_PLACEHOLDER}`,
  'PostUp = echo up',
  '',
  '[Peer]',
  '# Name = server1',
  'Endpoint = 203.0.113.3:51820',
  `PublicKey = ${BOUNCE_KEY}`,
  'AllowedIPs = 10.44.0.0/16',
  'PersistentKeepalive = 25',
  '',
].join('\n');

/** A control plane that writes down all that it is sent. */
function recorder() {
  const sent: string[] = [];
  const rest = createWarrenClient({
    url: 'http://control.test',
    fetch: async (request) => {
      const headers = [...request.headers].map(([name, value]) => `${name}: ${value}`);
      sent.push([`${request.method} ${request.url}`, ...headers, await request.text()].join('\n'));
      if (request.method === 'GET') return new Response(FILE, { headers: { 'content-type': 'text/plain' } });
      const made = { id: 'node-1', name: 'phone', addresses: ['10.44.0.3'], configKey: 'warrenconf_x' };
      return Response.json(made, { status: 201 });
    },
  });
  return { rest, sent };
}

const PHONE = { ...NEW_DEVICE, name: ' phone ', tags: 'mobile, anna' };

describe('adding a device', () => {
  test('tells the control plane the public key and nothing of the private one', async () => {
    const { rest, sent } = recorder();
    const { privateKey, publicKey } = await createKeyPair();
    const device = await createDevice(rest, deviceRequest('default', PHONE, publicKey));
    const file = await readDeviceFile(rest, device.id);
    const complete = completeFile(file, privateKey);
    const bytes = privateKey.expose();
    expect(complete.text).toContain(`PrivateKey = ${toBase64(bytes)}\n`);

    expect(sent).toHaveLength(2);
    const body = JSON.parse(sent[0]!.split('\n').at(-1)!);
    const tags = ['mobile', 'anna'];
    expect(body).toEqual({ network: 'default', name: 'phone', role: 'client', publicKey, tags });
    const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    const all = sent.join('\n');
    for (const form of [toBase64(bytes), toBase64Url(bytes), hex, [...bytes].join()]) {
      expect(all).not.toContain(form);
      expect(all).not.toContain(encodeURIComponent(form));
    }
    expect(sent[1]).toMatch(/^GET http:\/\/control\.test\/api\/v1\/nodes\/node-1\/wg0\.conf\n/);
  });

  test('a key that is forgotten is overwritten', async () => {
    const { privateKey } = await createKeyPair();
    privateKey.erase();
    expect(privateKey.expose()).toEqual(new Uint8Array(32));
  });
});

describe('the file of a device', () => {
  test('is for a phone without what wg-quick alone understands', async () => {
    const { privateKey } = await createKeyPair();
    const { text, forPhone, lonely } = completeFile(FILE, privateKey);
    expect(text).toBe(FILE.replace(PRIVATE_KEY_PLACEHOLDER, toBase64(privateKey.expose())));
    expect(forPhone).toContain(toBase64(privateKey.expose()));
    expect(forPhone).toContain(BOUNCE_KEY);
    expect(forPhone).not.toMatch(/PostUp|#/);
    expect(lonely).toBe(false);
  });

  test('keeps its placeholder and has no code when the key is somewhere else', () => {
    expect(completeFile(FILE, undefined)).toEqual({ text: FILE, forPhone: undefined, lonely: false });
  });

  test('that takes its key from a command has no code', async () => {
    const { privateKey } = await createKeyPair();
    const file = FILE.replace(/PrivateKey.*\n/, 'PostUp = wg set %i private-key <(pass wg)\n');
    const complete = completeFile(file, privateKey);
    expect(complete.text).toBe(file);
    expect(complete.forPhone).toBeUndefined();
  });

  test('without peers is said to be lonely', () => {
    expect(completeFile(FILE.slice(0, FILE.indexOf('[Peer]')), undefined).lonely).toBe(true);
  });
});

describe('the form of a device', () => {
  test('is content with a name', () => {
    expect(deviceFaults(PHONE)).toEqual({});
    expect(fromBase64(BOUNCE_KEY)).toHaveLength(32);
  });

  test.each([
    [{ name: '' }, 'name'],
    [{ name: 'My Phone' }, 'name'],
    [{ role: 'direct' as const }, 'endpoint'],
    [{ role: 'bounce' as const, endpoint: 'router' }, 'endpoint'],
    [{ tags: 'a b_c' }, 'tags'],
    [{ key: 'own' as const, publicKey: 'abc' }, 'publicKey'],
  ])('says what is wrong with %j', (change, field) => {
    expect(Object.keys(deviceFaults({ ...PHONE, ...change }))).toEqual([field]);
  });

  test('sends an endpoint for who is reached at one only', () => {
    const router = { ...PHONE, endpoint: 'router.example.org:51820' };
    expect(deviceRequest('lab', { ...router, role: 'direct' }, BOUNCE_KEY)).toHaveProperty('endpoint', router.endpoint);
    expect(deviceRequest('lab', router, BOUNCE_KEY)).not.toHaveProperty('endpoint');
  });
});
