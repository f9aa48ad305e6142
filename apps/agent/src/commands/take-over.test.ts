import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fromBase64, type SecretKey, toBase64 } from '@warren/base';
import { Role } from '@warren/proto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listNetworks } from '../state/network-state.js';
import { generateNodeKeys, x25519PublicKey } from '../state/node-keys.js';
import { FakeControl } from '../testing/fake-control.js';
import { Cleanup, runAgent } from '../testing/run.js';

const NODE_ID = '0191e7a0-0000-7000-8000-000000000007';
const cleanup = new Cleanup();
let control: FakeControl;
let stateDir: string;
let folder: string;
let key: SecretKey;

beforeEach(async () => {
  control = await FakeControl.start();
  cleanup.add(() => control.kill());
  folder = await cleanup.folder();
  stateDir = join(folder, 'state');
  key = generateNodeKeys().wireguard;
  const found = { nodeId: NODE_ID, name: 'home-server', role: Role.ROLE_CLIENT, endpoint: '' };
  control.member = { key: x25519PublicKey(key), found };
});
afterEach(() => cleanup.run());

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text, { mode: 0o600 });
  return path;
}
const conf = (more = ''): string =>
  `[Interface]\nAddress = 198.18.0.3/32\nPrivateKey = ${toBase64(key.expose())}\nDNS = 1.1.1.1\n${more}`;
const takeOver = (path: string, ...more: string[]) =>
  runAgent([
    ...['join', '--token', control.token(), '--take-over', path, '--state-dir', stateDir, '--no-start', '--json'],
    ...more,
  ]);
const errorCode = (out: string): string => (JSON.parse(out) as { error: { code: string } }).error.code;
const leavesNothing = () => expect(existsSync(stateDir)).toBe(false);

describe('agent join --take-over', () => {
  it('goes on as the member: its id, name and key, the interface and port of the file', async () => {
    const done = await takeOver(await file('wgtest7.conf', conf('ListenPort = 48217\n')));
    expect(done.code).toBe(0);
    const [joined] = await listNetworks(stateDir);
    expect(joined!.membership).toMatchObject({ nodeId: NODE_ID, interfaceName: 'wgtest7', listenPort: 48_217 });
    expect((await joined!.state.keys()).wireguard.expose()).toEqual(key.expose());
    expect(control.joins[0]).toMatchObject({ name: 'home-server', role: Role.ROLE_UNSPECIFIED, listenPort: 48_217 });
  });

  it('says what of the file the agent does not do, and that the file must not come up again', async () => {
    const { err } = await takeOver(await file('wgtest7.conf', conf('PostUp = echo up\nListenPort = 48218\n')));
    expect(err).toMatch(/keep .*wgtest7\.conf from coming up again \(`systemctl disable wg-quick@wgtest7`\)/);
    expect(err).toContain('by DNS, PostUp');
  });

  it('never sends the private key', async () => {
    await takeOver(await file('wgtest7.conf', conf('ListenPort = 48219\n')));
    const sent = Buffer.concat(control.joins.map((request) => Buffer.from(JSON.stringify(request)))).toString();
    expect(sent).not.toContain(toBase64(key.expose()));
    expect(sent).not.toContain(JSON.stringify([...key.expose()]).slice(1, -1));
  });

  it('after a lost reply is the same node, though the member is an agent by now', async () => {
    const path = await file('wgtest7.conf', conf('ListenPort = 48220\n'));
    control.loseJoinReply = true;
    expect((await takeOver(path)).code).toBe(4);
    expect(await readdir(join(stateDir, 'pending'))).toHaveLength(1);
    control.loseJoinReply = false;
    control.member = undefined;
    await control.listen();
    expect((await takeOver(path)).code).toBe(0);
    expect(control.nodes).toHaveLength(1);
    expect((await listNetworks(stateDir))[0]!.membership.nodeId).toBe(NODE_ID);
  });
});

describe('agent join --take-over refuses', () => {
  it('a key that no member of the network has: 1, and spends nothing', async () => {
    control.member = undefined;
    const done = await takeOver(await file('wgtest7.conf', conf('ListenPort = 48221\n')));
    expect(done.code).toBe(1);
    expect(errorCode(done.out)).toBe('no-member');
    expect(done.err).toContain('import the network');
    expect(control.requests).toEqual(['prepareJoin']);
    leavesNothing();
  });

  it('an interface that is still up: 1, before any request, with the command that takes it down', async () => {
    const path = await file('lo.conf', conf());
    const done = await takeOver(path);
    expect(done).toMatchObject({ code: 1 });
    expect(errorCode(done.out)).toBe('interface-up');
    expect(done.err).toContain(`wg-quick down ${path}`);
    expect(control.requests).toEqual([]);
    leavesNothing();
  });

  it.each([
    ['no file', undefined, 'there is no such file'],
    ['a file that is none', 'hello', 'line 1: this is neither a section'],
    ['a file without a key', '[Interface]\nListenPort = 7\n', 'has no PrivateKey'],
  ])('%s: 1, one line', async (_, text, words) => {
    const path = text === undefined ? join(folder, 'nothing.conf') : await file('wgtest7.conf', text);
    const done = await takeOver(path);
    expect(done.code).toBe(1);
    expect(errorCode(done.out)).toBe('take-over-file');
    expect(done.err).toContain(words);
    expect(done.err.trim().split('\n')).toHaveLength(1);
    leavesNothing();
  });

  it.each(['--name=x', '--role=client', '--endpoint=a.example:1'])('%s beside it: 2', async (flag) => {
    const done = await takeOver(await file('wgtest7.conf', conf()), flag);
    expect(done.code).toBe(2);
    expect(done.err).toContain('does not go with --take-over');
  });

  it('what the control plane refuses: 3, and the file stays as it was', async () => {
    control.refuseJoin = 'role-conflict';
    const path = await file('wgtest7.conf', conf('ListenPort = 48222\n'));
    const before = await readFile(path, 'utf8');
    expect((await takeOver(path)).code).toBe(3);
    expect(await readFile(path, 'utf8')).toBe(before);
    expect(fromBase64(/PrivateKey = (.*)/.exec(before)![1]!)).toEqual(key.expose());
    leavesNothing();
  });
});
