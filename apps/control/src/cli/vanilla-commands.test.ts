import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type SecretKey, toBase64 } from '@warren/base';
import { isWgQuickProblem, parseWgQuick } from '@warren/topology';
import jsQR from 'jsqr';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestPlane, type TestPlane } from '../testing/control-plane.fixture.js';
import { createKeyPair, keyPairOf } from './member-file.js';
import { runProgram } from './program.js';

let plane: TestPlane;
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'vanilla-commands-'));
  plane = await startTestPlane();
  await warren(
    'node',
    'create',
    'hub',
    '--public-key',
    key(),
    '--role',
    'bounce',
    '--endpoint',
    'hub.example.net:51820',
  );
});
afterAll(async () => {
  await plane?.stop();
  await rm(dir, { recursive: true, force: true });
});

const key = (): string => randomBytes(32).toString('base64');

async function warren(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const said = { out: '', err: '' };
  const code = await runProgram(argv, {
    environment: { WARREN_DATA_DIR: plane.config.dataDir },
    output: {
      out: (text) => {
        said.out += text;
      },
      err: (text) => {
        said.err += text;
      },
    },
    readInput: async () => '',
    now: Date.now,
    serve: async () => 0,
    signal: async () => 0,
  });
  return { code, ...said };
}

const shown = async (name: string) => JSON.parse((await warren('node', 'show', name, '--json')).out);

function privateKeyIn(conf: string): SecretKey {
  const parsed = parseWgQuick(conf);
  if (isWgQuickProblem(parsed)) throw new Error(`line ${parsed.line}: ${parsed.message}`);
  return parsed.interface.privateKey!;
}

/** What a camera sees of a code in a terminal. */
function scan(screen: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours of the terminal
  const rows = screen.split('\n').flatMap((line) => /^\u001b\[30;107m(.*)\u001b\[0m$/.exec(line)?.[1] ?? []);
  const scale = 4;
  const [width, height] = [rows[0]!.length * scale, rows.length * 2 * scale];
  const pixels = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const module = Math.floor(y / scale);
      const glyph = rows[module >> 1]![Math.floor(x / scale)]!;
      const dark = glyph === '█' || glyph === (module % 2 === 0 ? '▀' : '▄');
      if (dark) pixels.fill(0, (y * width + x) * 4, (y * width + x) * 4 + 3);
    }
  }
  return jsQR.default(pixels, width, height)?.data;
}

describe('a member whose key is made here', () => {
  it('gets its whole file, and nobody else gets its key', async () => {
    const { code, out } = await warren(
      'node',
      'create',
      'laptop',
      '--vanilla',
      '--dns',
      '1.1.1.1',
      '--post-up',
      'echo up',
    );
    expect(code).toBe(0);
    expect(out).toMatch(/^\[Interface\]\n# Name = laptop\n/);
    expect(out).toContain('DNS = 1.1.1.1\n');
    expect(out).toContain('never by Warren.\nPostUp = echo up\n');
    const privateKey = privateKeyIn(out);
    expect((await shown('laptop')).publicKey).toBe(keyPairOf(privateKey).publicKey);
    expect(plane.log()).not.toContain(toBase64(privateKey.expose()));
    expect((await warren('audit', '--json')).out).not.toContain(toBase64(privateKey.expose()));
  });

  it('is shown as a QR code that a phone reads: the file without what its app would refuse', async () => {
    const { out } = await warren(
      'node',
      'create',
      'phone',
      '--vanilla',
      '--qr',
      '--post-up',
      'echo up',
      '--table',
      'off',
    );
    const read = scan(out);
    expect(read).toMatch(/^\[Interface\]\nAddress = /);
    expect(read).not.toMatch(/PostUp|Table|#/);
    expect((await shown('phone')).publicKey).toBe(keyPairOf(privateKeyIn(read!)).publicKey);
    expect(out).not.toContain('PrivateKey');
  });

  it('is written to files of its owner’s alone, and never over another file', async () => {
    const [conf, image] = [join(dir, 'tablet.conf'), join(dir, 'tablet.svg')];
    const made = await warren('node', 'create', 'tablet', '--vanilla', '--output', conf, '--qr-svg', image);
    expect(made.out).toBe(`wrote ${conf}\nwrote ${image}\n`);
    expect((await stat(conf)).mode & 0o777).toBe(0o600);
    expect((await stat(image)).mode & 0o777).toBe(0o600);
    expect(await readFile(image, 'utf8')).toMatch(/^<svg .*<\/svg>\n$/s);
    const again = await warren('node', 'create', 'other', '--vanilla', '--output', conf);
    expect(again).toMatchObject({ code: 1, err: expect.stringContaining('is there already') });
    expect((await warren('node', 'show', 'other')).code).toBe(1);
  });

  it('is taken back when its code would be too long, because its key is nowhere else', async () => {
    const name = 'crowd';
    await warren('network', 'create', name, '--cidr', '10.60.0.0/16');
    for (let i = 0; i < 30; i++) {
      const server = ['node', 'create', `server-${i}`, '--network', name, '--public-key', key(), '--role', 'direct'];
      await warren(...server, '--endpoint', `server-${i}.of.a.network.with.long.names.example.net:51820`);
    }
    const made = await warren('node', 'create', 'small', '--network', name, '--vanilla', '--qr');
    expect(made).toMatchObject({ code: 1, err: expect.stringContaining('more than a QR code holds') });
    expect((await warren('node', 'show', 'small', '--network', name)).err).toContain('there is no node');
  });

  it('may be told later, and is one or the other', async () => {
    expect((await warren('node', 'create', 'later', '--key-later')).out).toMatch(/^later 10\.44\./);
    expect((await shown('later')).status).toBe('pending');
    const publicKey = key();
    await warren('node', 'set', 'later', '--public-key', publicKey);
    expect(await shown('later')).toMatchObject({ status: 'active', publicKey });
    expect((await warren('node', 'create', 'neither')).err).toMatch(/--vanilla .* --public-key/);
  });
});

describe('the file of a member', () => {
  it('is filled in here with a key that is its own, and with no other', async () => {
    const { privateKey, publicKey } = createKeyPair();
    await warren('node', 'create', 'desk', '--public-key', publicKey);
    const [own, other] = [join(dir, 'own.key'), join(dir, 'other.key')];
    await writeFile(own, `${toBase64(privateKey.expose())}\n`);
    await writeFile(other, key());
    const { out } = await warren('node', 'conf', 'desk', '--private-key-file', own);
    expect(toBase64(privateKeyIn(out).expose())).toBe(toBase64(privateKey.expose()));
    expect((await warren('node', 'conf', 'desk', '--private-key-file', other)).err).toMatch(/is not that of desk/);
    expect((await warren('node', 'conf', 'desk', '--qr')).err).toContain('needs the private key');
    expect(scan((await warren('node', 'conf', 'desk', '--qr', '--private-key-file', own)).out)).toContain('[Peer]');
  });

  it('holds what was set for the node and for the network, until it is unset', async () => {
    await warren('node', 'create', 'set', '--public-key', key());
    await warren('network', 'set', 'default', '--dns', '9.9.9.9', '--fw-mark', '0x77', '--persistent-keepalive', '33');
    await warren('node', 'set', 'set', '--mtu', '1300', '--save-config', 'true', '--pre-up', 'a', '--pre-up', 'b');
    const conf = async () => (await warren('node', 'conf', 'set')).out;
    expect(await conf()).toMatch(
      /DNS = 9\.9\.9\.9\nMTU = 1300\nFwMark = 119\nSaveConfig = true\n#.*\nPreUp = a\nPreUp = b/,
    );
    expect(await conf()).toContain('PersistentKeepalive = 33');
    await warren('node', 'set', 'set', '--unset', 'mtu', '--unset', 'pre-up', '--unset', 'save-config');
    await warren(
      'network',
      'set',
      'default',
      '--unset',
      'dns',
      '--unset',
      'fw-mark',
      '--unset',
      'persistent-keepalive',
    );
    expect(await conf()).toMatch(/PrivateKey = PUT-.*\nMTU = 1400\n\n\[Peer\]/);
    expect((await warren('node', 'set', 'set', '--unset', 'colour')).err).toMatch(/must be one of/);
    expect((await warren('node', 'set', 'set', '--table', 'blue')).err).toMatch(/table must be off, auto/);
    expect((await warren('node', 'set', 'set')).err).toMatch(/say what to set/);
  });
});

describe('how a new member follows changes', () => {
  const follow =
    /^ {2}URL=(http:\S+\/api\/v1\/nodes\/[0-9a-f-]{36}\/peers\.conf)\n {2}config key {2}(warrenconf_\S+)$/m;

  it.each([
    ['--vanilla', () => ['--vanilla']],
    ['--public-key', () => ['--public-key', key()]],
  ])('is said on stderr, with a key that reads its file: %s', async (how, options) => {
    const { out, err } = await warren('node', 'create', `follows${how}`.replaceAll('--', '-'), ...options());
    const [, url, secret] = follow.exec(err)!;
    expect(out).not.toContain('warrenconf_');
    const answer = await fetch(url!, { headers: { authorization: `Bearer ${secret}` } });
    expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('# Name = hub')]);
  });

  it('is in the JSON for scripts, and stderr says nothing', async () => {
    const { out, err } = await warren('node', 'create', 'scripted', '--vanilla', '--json');
    expect(err).toBe('');
    const { configKey, id } = JSON.parse(out);
    expect(await plane.context.store.checkConfigKey(configKey)).toMatchObject({ id });
    expect(await shown('scripted')).not.toHaveProperty('configKey');
  });

  it('begins with nobody where there is no bounce yet, which is said', async () => {
    await warren('network', 'create', 'empty', '--cidr', '10.61.0.0/16');
    const { err } = await warren('node', 'create', 'lonely', '--network', 'empty', '--vanilla');
    expect(err).toMatch(/^lonely reaches nobody yet: .*warren token create --role bounce/);
    expect((await warren('node', 'create', 'company', '--vanilla')).err).not.toContain('reaches nobody');
  });
});

it('a config key is printed alone, once, and taken away', async () => {
  await warren('node', 'create', 'follower', '--public-key', key());
  const { out } = await warren('node', 'config-key', 'create', 'follower');
  expect(out).toMatch(/^warrenconf_[\w-]{43}\n$/);
  expect(await plane.context.store.checkConfigKey(out.trim())).toMatchObject({ name: 'follower' });
  expect((await warren('node', 'config-key', 'delete', 'follower')).out).toContain('no config key any more');
  expect(await plane.context.store.checkConfigKey(out.trim())).toBeUndefined();
});

it('a pair is given a preshared key, random or from a file, which is only ever in its files', async () => {
  await warren('node', 'create', 'paired', '--public-key', key());
  const file = join(dir, 'psk');
  const given = key();
  await writeFile(file, `${given}\n`);
  expect((await warren('node', 'psk', 'set', 'paired', 'hub')).out).toBe('paired and hub have a preshared key\n');
  expect((await warren('node', 'psk', 'set', 'paired', 'hub', '--key-file', file)).code).toBe(0);
  expect((await warren('node', 'conf', 'paired')).out).toContain(`PresharedKey = ${given}`);
  const listed = await warren('node', 'psk', 'list', 'paired');
  expect(listed.out).toMatch(/^PEER +CREATED\nhub /);
  expect(listed.out).not.toContain(given);
  expect((await warren('node', 'psk', 'delete', 'paired', 'hub')).out).toContain('no preshared key any more');
  expect((await warren('node', 'psk', 'set', 'paired', 'hub', '--key-file', join(dir, 'none'))).err).toContain(
    'cannot read',
  );
});
