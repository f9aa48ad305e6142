import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CommandResult, execute } from '@warren/netlab';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { describeLab } from '../support/groups.js';
import { createKeyPair } from '../support/wireguard-keys.js';

const SCRIPT = fileURLToPath(new URL('../../infra/vanilla/warren-follow', import.meta.url));
const [A, B] = [createKeyPair().publicKey, createKeyPair().publicKey];
const PRIVATE = createKeyPair().privateKey;
const peer = (key: string, more = '') => `[Peer]\n# Name = x\nPublicKey = ${key}\nAllowedIPs = 10.44.0.9/32\n${more}`;
const complete = (...peers: string[]) =>
  `${peers.join('\n')}\n# End of file: ${peers.length} peer${peers.length === 1 ? '' : 's'}\n`;
const GOOD = complete(peer(A, 'Endpoint = 192.0.2.1:51820\n'), peer(B, 'Endpoint = dynamic.example.net:51820\n'));

/** Stands in for wg: says what it is told to, writes down what it is asked. */
const WG = `#!/bin/sh
echo "wg $*" >>"$FAKE/calls"
case "$1 $3" in
  'show peers') cat "$FAKE/peers" 2>/dev/null ;;
  'show latest-handshakes') cat "$FAKE/handshakes" 2>/dev/null ;;
  'showconf ') cat "$FAKE/conf" ;;
  'syncconf '*) cat "$3" >"$FAKE/synced" ;;
  'addconf '*) cat "$3" >"$FAKE/added" ;;
esac
exit 0
`;
const IP = `#!/bin/sh
echo "ip $*" >>"$FAKE/calls"
`;

interface Answer {
  readonly status?: number;
  readonly type?: string;
  readonly body?: string;
  /** Says more than it sends. */
  readonly cutOff?: boolean;
}

describeLab('the script that follows a network', ['curl', 'busybox', 'shellcheck'], () => {
  let server: Server;
  let answer: Answer;
  let asked: IncomingHttpHeaders | undefined;
  let dir: string;

  beforeAll(async () => {
    server = createServer((request, response) => {
      asked = request.headers;
      const { status = 200, type = 'text/plain; charset=utf-8', body = '', cutOff } = answer;
      const held = request.headers['if-none-match'] === '"tag"' && status === 200;
      const length = Buffer.byteLength(body) + (cutOff ? 10 : 0);
      response.writeHead(held ? 304 : status, {
        etag: '"tag"',
        ...(held ? {} : { 'content-type': type, 'content-length': length }),
      });
      if (cutOff) response.write(body, () => response.destroy());
      else response.end(held ? undefined : body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'warren-follow-'));
    asked = undefined;
    mkdirSync(join(dir, 'bin'));
    for (const [name, text] of Object.entries({ wg: WG, ip: IP })) {
      writeFileSync(join(dir, 'bin', name), text);
      chmodSync(join(dir, 'bin', name), 0o755);
    }
    write('key', 'warrenconf_secret\n');
    write(
      'conf',
      `[Interface]\nListenPort = 51999\nFwMark = 0x77\nPrivateKey = ${PRIVATE}\n\n[Peer]\nPublicKey = ${A}\n`,
    );
    return () => rmSync(dir, { recursive: true, force: true });
  });

  const write = (name: string, text: string): void => writeFileSync(join(dir, name), text);
  const read = (name: string): string => (existsSync(join(dir, name)) ? readFileSync(join(dir, name), 'utf8') : '');
  const calls = (): string[] => read('calls').split('\n').filter(Boolean);
  const changing = (): string[] => calls().filter((call) => /^wg (syncconf|addconf|set)|route (add|del)/.test(call));

  for (const shell of [['dash'], ['busybox', 'ash']] as const) {
    const follow = (settings: Record<string, string> = {}, ...args: string[]): Promise<CommandResult> => {
      const { port } = server.address() as AddressInfo;
      const url = `http://127.0.0.1:${port}/api/v1/nodes/x/peers.conf`;
      const all = { URL: url, KEY_FILE: join(dir, 'key'), STATE_DIR: join(dir, 'state'), INTERFACE: 'lo', ...settings };
      write(
        'settings',
        Object.entries(all)
          .map(([key, value]) => `${key}=${value}\n`)
          .join(''),
      );
      const [command, ...rest] = shell;
      const env = { FAKE: dir, PATH: `${join(dir, 'bin')}:${process.env.PATH}` };
      return execute(command, [...rest, SCRIPT, '--once', ...args, join(dir, 'settings')], { env });
    };

    describe(`in ${shell.join(' ')}`, () => {
      it('fills an interface that has no peers, with the key it was given, and looks up names by themselves', async () => {
        answer = { body: GOOD };
        write('handshakes', `${A}\t0\n${B}\t0\n`);
        expect(await follow()).toMatchObject({ code: 0 });
        expect(asked?.authorization).toBe('Bearer warrenconf_secret');
        expect(read('added')).toContain(`PublicKey = ${B}`);
        expect(read('added')).toContain('Endpoint = 192.0.2.1:51820');
        expect(read('added')).not.toContain('dynamic');
        expect(calls()).toContain(`wg set lo peer ${B} endpoint dynamic.example.net:51820`);
        expect(calls()).toContain('ip -4 route add 10.44.0.9/32 dev lo');
      });

      it('gives syncconf the key, the port and the mark of the interface, and leaves no key on disk', async () => {
        answer = { body: GOOD };
        write('peers', `${A}\n`);
        expect(await follow()).toMatchObject({ code: 0 });
        expect(read('synced')).toMatch(/^\[Interface\]\nListenPort = 51999\nFwMark = 0x77\nPrivateKey = .*\n/);
        expect(read('synced').match(/\[Peer\]/g)).toHaveLength(2);
        const { stdout } = await execute('grep', ['-r', PRIVATE, join(dir, 'state')]);
        expect(stdout).toBe('');
      });

      it('does not touch an interface that has lost its private key', async () => {
        answer = { body: GOOD };
        write('peers', `${A}\n`);
        write('conf', '[Interface]\nListenPort = 51999\n');
        expect(await follow()).toMatchObject({ code: 1, stderr: expect.stringContaining('no private key') });
        expect(changing()).toEqual([]);
      });

      it.each<[string, Answer]>([
        ['a page', { type: 'text/html', body: '<html>Sign in</html>' }],
        ['a page that says it is text', { body: '<html>Sign in</html>' }],
        ['nothing', { body: '' }],
        ['half a file', { body: GOOD.slice(0, GOOD.indexOf('# End')) }],
        ['a file that lost a peer', { body: GOOD.slice(GOOD.indexOf('[Peer]', 5)) }],
        ['an answer that broke off', { body: GOOD, cutOff: true }],
        ['more than peers', { body: `[Interface]\nPostUp = reboot\n${GOOD}` }],
        ['a key that is none', { body: complete('[Peer]\nPublicKey = short\n') }],
        ['an endpoint that is none', { body: complete(peer(A, 'Endpoint = $(reboot):1\n')) }],
        ['a peer twice', { body: complete(peer(A), peer(A)) }],
        ['a peer without key', { body: complete('[Peer]\nAllowedIPs = 10.0.0.0/8\n') }],
        ['a failure', { status: 500, body: GOOD }],
      ])('changes nothing for %s', async (_, given) => {
        answer = given;
        write('peers', `${A}\n`);
        expect(await follow()).toMatchObject({ code: 1 });
        expect(changing()).toEqual([]);
      });

      it('says in one line of plain text what an answer had that was refused', async () => {
        answer = { body: `\u001b[31mred\\nforged = ${'x'.repeat(5_000)}\n` };
        const { stderr } = await follow();
        answer = { body: `[Peer]\n\u001b[31mred\\nforged${'x'.repeat(5_000)} = 1\n` };
        for (const said of [stderr, (await follow()).stderr]) {
          expect(said).toMatch(/^warren-follow: the file is refused[ -~]{10,400}\n$/);
        }
      });

      it('takes a file without peers, when it says so', async () => {
        answer = { body: '# End of file: 0 peers\n' };
        write('peers', `${A}\n`);
        expect(await follow()).toMatchObject({ code: 0 });
        expect(read('synced')).not.toContain('[Peer]');
      });

      it.each([
        [401, 'is not accepted'],
        [403, 'is not for'],
        [404, 'there is no'],
        [409, 'this one was revoked'],
      ])('says what %s means, and changes nothing', async (status, message) => {
        answer = { status, type: 'application/problem+json', body: '{"code":"x","detail":"this one was revoked"}' };
        write('peers', `${A}\n`);
        expect(await follow()).toMatchObject({ code: 3, stderr: expect.stringContaining(message) });
        expect(changing()).toEqual([]);
      });

      it('asks with the tag of what it has, keeps that for a start without the control plane', async () => {
        answer = { body: GOOD };
        await follow();
        write('calls', '');
        write('peers', `${A}\n`);
        write('handshakes', `${A}\t0\n${B}\t${Math.floor(Date.now() / 1000)}\n`);
        expect(await follow()).toMatchObject({ code: 0 });
        expect(asked?.['if-none-match']).toBe('"tag"');
        expect(changing()).toEqual([]);
        write('peers', '');
        const away = await follow({ URL: 'http://127.0.0.1:9/api/v1/nodes/x/peers.conf' });
        expect(away).toMatchObject({ code: 1, stderr: expect.stringContaining('is not reached') });
        expect(calls().some((call) => call.startsWith('wg addconf'))).toBe(true);
      });

      it('looks a name up again when its peer is not reached, and only then', async () => {
        answer = { body: GOOD };
        await follow();
        const look = async (age: number): Promise<string[]> => {
          write('calls', '');
          write('peers', `${A}\n`);
          write('handshakes', `${A}\t0\n${B}\t${Math.floor(Date.now() / 1000) - age}\n`);
          await follow();
          return changing();
        };
        expect(await look(60)).toEqual([]);
        expect(await look(200)).toEqual([`wg set lo peer ${B} endpoint dynamic.example.net:51820`]);
      });

      it('removes the routes that it added, and no others', async () => {
        answer = { body: GOOD };
        await follow();
        write('calls', '');
        write('peers', `${A}\n`);
        rmSync(join(dir, 'state', 'lo', 'etag'));
        answer = { body: complete(peer(A).replace('10.44.0.9/32', '10.44.0.8/32, fd44::8/128')) };
        await follow();
        expect(calls().filter((call) => /route (add|del)/.test(call))).toEqual([
          'ip -4 route add 10.44.0.8/32 dev lo',
          'ip -6 route add fd44::8/128 dev lo',
          'ip -4 route del 10.44.0.9/32 dev lo',
        ]);
        rmSync(join(dir, 'state', 'lo', 'etag'));
        write('calls', '');
        expect(await follow({ TABLE: 'off' })).toMatchObject({ code: 0 });
        expect(calls().some((call) => call.startsWith('ip'))).toBe(false);
      });

      it.each([
        [{ URL: 'ftp://x/peers.conf' }, 'URL must be'],
        [{ KEY_FILE: '/nowhere' }, 'cannot read KEY_FILE'],
        [{ INTERFACE: 'a b' }, 'INTERFACE must be'],
        [{ WAIT: '0' }, 'WAIT must be'],
        [{ TABLE: 'main' }, 'TABLE must be'],
        [{ COLOUR: 'red' }, 'COLOUR is no setting'],
        [{ CA_FILE: '/nowhere' }, 'cannot read CA_FILE'],
      ])('refuses the settings %j', async (settings, message) => {
        expect(await follow(settings, '--check')).toMatchObject({ code: 2, stderr: expect.stringContaining(message) });
      });
    });
  }

  it('is clean to shellcheck', async () => {
    expect(await execute('shellcheck', ['-s', 'sh', SCRIPT])).toMatchObject({ code: 0, stdout: '' });
  });
});
