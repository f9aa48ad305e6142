import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isWgQuickProblem, parseWgQuick } from '@warren/topology';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestPlane, type TestPlane } from '../testing/control-plane.fixture.js';
import { type ClassicName, classicFiles, makeClassicKeys } from '../testing/wg-quick-files.fixture.js';
import { runProgram } from './program.js';

let plane: TestPlane;
let folder: string;
let folders = 0;
const keys = makeClassicKeys();
const presharedKey = randomBytes(32).toString('base64');
const files = classicFiles(keys, { presharedKey });

beforeAll(async () => {
  plane = await startTestPlane();
  folder = await mkdtemp(join(tmpdir(), 'import-test-'));
});
afterAll(async () => {
  await plane?.stop();
  await rm(folder, { recursive: true, force: true });
});

const warren = (...argv: string[]) => warrenAt({ WARREN_DATA_DIR: plane.config.dataDir }, argv);

async function warrenAt(
  environment: Record<string, string>,
  argv: readonly string[],
): Promise<{ code: number; out: string; err: string }> {
  const run = { code: -1, out: '', err: '' };
  const output = {
    out: (text: string) => {
      run.out += text;
    },
    err: (text: string) => {
      run.err += text;
    },
  };
  run.code = await runProgram(argv, {
    environment,
    output,
    readInput: async () => '',
    now: Date.now,
    serve: async () => 0,
    signal: async () => 0,
  });
  return run;
}

async function write(texts: Readonly<Record<string, string>>): Promise<string> {
  const into = join(folder, `files-${++folders}`);
  await mkdir(into);
  for (const [name, text] of Object.entries(texts)) await writeFile(join(into, `${name}.conf`), text);
  return into;
}

/** A file as plain data; what we add is taken away: our MTU, and the names in full. */
function meaning(text: string): unknown {
  const conf = parseWgQuick(text);
  if (isWgQuickProblem(conf)) throw new Error(`line ${conf.line}: ${conf.message}`);
  const { mtu: _, privateKeyElsewhere: __, privateKey, ...section } = conf.interface;
  const peers = conf.peers.map(({ presharedKey: shared, ...peer }) => ({
    ...peer,
    presharedKey: shared && Buffer.from(shared.expose()).toString('base64'),
  }));
  const byKey = peers.sort((a, b) => (a.publicKey < b.publicKey ? -1 : 1));
  return { section, privateKey: privateKey && Buffer.from(privateKey.expose()).toString('base64'), peers: byKey };
}

interface NodeItem {
  name: string;
  role: string;
  publicKey: string;
  addresses: string[];
  endpoint: string | null;
}
const membersOf = async (network: string): Promise<NodeItem[]> => {
  const { items } = JSON.parse((await warren('node', 'list', '--network', network, '--json')).out) as {
    items: NodeItem[];
  };
  return items
    .map(({ name, role, publicKey, addresses, endpoint }) => ({ name, role, publicKey, addresses, endpoint }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
};

describe('warren import and export', () => {
  it('makes the classic example: names, roles, keys and addresses as they are', async () => {
    const from = await write(files);
    const dry = await warren('import', from, '--network', 'classic', '--dry-run');
    expect(dry).toMatchObject({ code: 0, err: '' });
    expect(dry.out).toContain('network classic would have 10.44.0.0/16 and 5 nodes');
    expect((await warren('network', 'show', 'classic')).code).toBe(1);
    const made = await warren('import', from, '--network', 'classic');
    expect(made).toMatchObject({ code: 0, err: '' });
    const members = await membersOf('classic');
    expect(members.map(({ name, role, addresses }) => `${name} ${role} ${addresses}`)).toEqual([
      'home-server client 10.44.0.3',
      'laptop client 10.44.0.4',
      'phone client 10.44.0.5',
      'public-server1 bounce 10.44.0.1',
      'public-server2 direct 10.44.0.2',
    ]);
    for (const { name, publicKey } of members) expect(publicKey).toBe(keys[name as ClassicName].publicKey);
  });

  it('sends no private key, and logs neither those nor preshared ones', () => {
    for (const { privateKey } of Object.values(keys)) expect(plane.log()).not.toContain(privateKey);
    expect(plane.log()).not.toContain(presharedKey);
  });

  it('gives the files back as they came, and takes its own files for the same network', async () => {
    const out = join(folder, 'out');
    const keyFolder = await write(files);
    const done = await warren('export', '--network', 'classic', '--output', out, '--private-keys', keyFolder);
    expect(done).toMatchObject({ code: 0, err: '' });
    expect(await readdir(out)).toEqual(
      Object.keys(files)
        .map((name) => `${name}.conf`)
        .sort(),
    );
    for (const [name, text] of Object.entries(files)) {
      const path = join(out, `${name}.conf`);
      const written = await readFile(path, 'utf8');
      expect((await stat(path)).mode & 0o777).toBe(0o600);
      expect(meaning(written)).toEqual(meaning(text));
    }
    await warren('import', out, '--network', 'again');
    expect(await membersOf('again')).toEqual(await membersOf('classic'));
  });

  it('without private keys leaves a placeholder, and that is enough to import', async () => {
    const out = join(folder, 'open');
    const done = await warren('export', '--network', 'classic', '--output', out);
    expect(done.out).toContain('5 of them need their private key');
    const laptop = await readFile(join(out, 'laptop.conf'), 'utf8');
    expect(laptop).toContain('PrivateKey = PUT-THE-PRIVATE-KEY-HERE');
    expect(laptop).toContain(`# PublicKey = ${keys.laptop.publicKey}`);
    expect((await warren('import', out, '--network', 'third')).code).toBe(0);
    expect(await membersOf('third')).toEqual(await membersOf('classic'));
    const over = await warren('export', '--network', 'classic', '--output', out);
    expect(over.err).toContain('is there already: give another --output, or --force');
  });

  it('writes nothing outside of its folder, whatever the answer calls its nodes', async () => {
    const file = { node: '../../outside', nodeId: 'x', publicKey: keys.laptop.publicKey, text: '[Interface]\n' };
    const server = createServer((_request, response) => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ network: 'x', networkId: 'x', files: [file] }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const remote = { WARREN_URL: `http://127.0.0.1:${port}`, WARREN_TOKEN: 'warrenkey_x' };
    const done = await warrenAt(remote, ['export', '--output', join(folder, 'a', 'b')]);
    server.close();
    expect(done).toMatchObject({ code: 1, err: expect.stringContaining('no node’s name') });
    expect(await readdir(folder)).not.toContain('outside.conf');
  });

  it('refuses a folder with another key than the node has', async () => {
    const wrong = await write({});
    await writeFile(join(wrong, 'laptop.key'), keys.phone.privateKey);
    const out = join(folder, 'never');
    const done = await warren('export', '--network', 'classic', '--output', out, '--private-keys', wrong);
    expect(done.err).toMatch(/laptop\.key is not the private key of laptop/);
    await expect(stat(out)).rejects.toThrow();
  });

  it('fills the empty default network, and no network that has members', async () => {
    const from = await write(files);
    expect((await warren('import', from, '--json')).code).toBe(0);
    expect(JSON.parse((await warren('network', 'show', 'default', '--json')).out).cidrs).toEqual(['10.44.0.0/16']);
    const twice = await warren('import', from);
    expect(twice).toMatchObject({ code: 1, out: '' });
    expect(twice.err).toContain('network "default" has 5 nodes already: import into a new one with --network NAME');
  });

  it('reports what it completes in one-sided files', async () => {
    const from = await write(classicFiles(makeClassicKeys(), { oneSided: true }));
    const made = await warren('import', from, '--network', 'one-sided');
    for (const name of ['home-server', 'laptop', 'phone'])
      expect(made.out).toMatch(
        new RegExp(`completed +.*public-server2.conf: the file did not list ${name}: it does now`),
      );
    await warren('export', '--network', 'one-sided', '--output', join(folder, 'sided'));
    expect(await readFile(join(folder, 'sided', 'public-server2.conf'), 'utf8')).toContain('# Name = phone');
  });

  it('stops at a conflict with all of them in one line, and makes nothing', async () => {
    const other = makeClassicKeys();
    const from = await write({ ...classicFiles(other), twin: classicFiles(other).laptop });
    const done = await warren('import', from, '--network', 'twins');
    expect(done).toMatchObject({ code: 1, out: '' });
    expect(done.err.trim().split('\n')).toHaveLength(1);
    expect(done.err).toMatch(/nothing was imported: .*twin.conf:1: .*laptop.conf has the same key/);
    expect((await warren('network', 'show', 'twins')).code).toBe(1);
  });

  it('sends nothing of a file in UTF-16, where no private key would be seen', async () => {
    const from = await write({});
    await writeFile(join(from, 'a.conf'), Buffer.from(`\uFEFF${files.laptop}`, 'utf16le'));
    const done = await warren('import', from, '--network', 'wide');
    expect(done).toMatchObject({ code: 1, err: expect.stringContaining('a.conf is no text in UTF-8') });
  });

  it('says which file cannot be read, and why', async () => {
    expect((await warren('import', '/nowhere/x.conf')).err).toContain('/nowhere/x.conf: there is no such file');
    const from = await write({ bad: '[Interface]\nPrivateKey = short\n' });
    const bad = await warren('import', from, '--network', 'x');
    expect(bad.err).toMatch(/bad.conf, line 2: PrivateKey must be the base64 of 32 bytes/);
    const empty = await write({});
    expect((await warren('import', empty)).err).toContain('no file ends in .conf');
    expect((await warren('import', from, '--endpoint', 'x')).code).toBe(2);
  });
});

describe('POST /networks/:id/import', () => {
  const post = (body: object) =>
    plane.rest.app.inject({
      method: 'POST',
      url: '/api/v1/networks/direct/import',
      headers: { authorization: `Bearer ${plane.firstApiKey}` },
      payload: body,
    });

  it('refuses files with a private key, without repeating or logging it', async () => {
    const text = files.laptop;
    const answer = await post({ files: [{ name: 'laptop.conf', text }] });
    expect(answer.statusCode).toBe(400);
    expect(answer.json().code).toBe('private-key-sent');
    expect(answer.json().detail).toContain('laptop.conf, line 4');
    for (const seen of [answer.body, plane.log()]) expect(seen).not.toContain(keys.laptop.privateKey);
  });

  it('lists every conflict in the problem', async () => {
    const answer = await post({
      files: [
        { name: 'a.conf', text: '[Interface]\nnonsense' },
        { name: 'b.conf', text: '' },
      ],
    });
    expect(answer.statusCode).toBe(409);
    expect(answer.json()).toMatchObject({ code: 'import-conflict' });
    expect(answer.json().errors.map(({ path }: { path: string }) => path)).toEqual(['a.conf:2', 'b.conf:1']);
  });
});
