import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseJoinToken } from '@warren/identity';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestPlane, type TestPlane } from '../testing/control-plane.fixture.js';
import { runProgram } from './program.js';

let plane: TestPlane;

beforeAll(async () => {
  plane = await startTestPlane();
});
afterAll(() => plane?.stop());

interface Run {
  code: number;
  out: string;
  err: string;
}

async function warren(
  argv: string[],
  environment: Record<string, string> = { WARREN_DATA_DIR: plane.config.dataDir },
): Promise<Run> {
  const run: Run = { code: -1, out: '', err: '' };
  run.code = await runProgram(argv, {
    environment,
    output: {
      out: (text) => {
        run.out += text;
      },
      err: (text) => {
        run.err += text;
      },
    },
    readInput: async () => '',
    now: Date.now,
    serve: async () => 0,
    signal: async () => 0,
  });
  return run;
}
const line = (command: string): Promise<Run> => warren(command.split(' '));
const key = (): string => randomBytes(32).toString('base64');

describe('warren', () => {
  it('prints a token alone, or everything about it as JSON', async () => {
    const alone = await line(
      'token create --network default --role client --uses 1 --expires 1h --tag web --ephemeral',
    );
    expect(alone.code).toBe(0);
    expect(alone.out).toMatch(/^warren1_\S+\n$/);
    const json = JSON.parse((await line('token create --uses unlimited --expires never --json')).out);
    expect(parseJoinToken(json.token)!.id).toBe(json.id);
    expect(json).toMatchObject({ maxUses: null, expiresAt: null });
    await line(`token revoke ${json.id}`);
    expect((await line('token list')).out).toMatch(new RegExp(`${json.id}.*revoked`));
  });

  it('manages nodes by name', async () => {
    expect((await warren(['node', 'create', 'phone', '--public-key', key()])).out).toMatch(/^phone 10\.44\.0\.\d+, fd/);
    expect((await line('node list')).out).toMatch(/^NAME .*\nphone +default +client +active/);
    expect((await line('node conf phone')).out).toContain('PrivateKey = PUT-THE-PRIVATE-KEY-HERE');
    expect((await line('node rename phone handy')).out).toBe('renamed phone to handy\n');
    expect(JSON.parse((await line('node show handy --json')).out)).toMatchObject({ name: 'handy', kind: 'vanilla' });
    expect((await line('node revoke handy')).out).toBe('revoked handy\n');
    expect(JSON.parse((await line('node list --status revoked --json')).out).items).toHaveLength(1);
    expect((await line('node delete handy')).code).toBe(0);
  });

  it('asks which one when a name is in two networks', async () => {
    await line('network create second --cidr 10.60.0.0/16');
    await warren(['node', 'create', 'twin', '--public-key', key()]);
    await warren(['node', 'create', 'twin', '--public-key', key(), '--network', 'second']);
    const unclear = await line('node revoke twin');
    expect(unclear).toMatchObject({ code: 1, out: '' });
    expect(unclear.err).toMatch(/give --network or the id/);
    expect((await line('node revoke twin --network second')).code).toBe(0);
    expect((await line('node revoke twin')).code).toBe(0);
    await line('node delete twin --network second');
    expect((await line('network delete second')).code).toBe(0);
  });

  it('shows networks, keys, the audit log and its state', async () => {
    expect((await line('network show default')).out).toContain('10.44.0.0/16');
    expect((await line('network set default --mtu 1380')).out).toContain('1380');
    const made = await line('apikey create ci');
    expect(made.out).toMatch(/^\S+\n$/);
    expect((await line('apikey list')).out).not.toContain(made.out.trim());
    expect((await line('audit --limit 3')).out.trim().split('\n')).toHaveLength(4);
    expect(JSON.parse((await line('status --json')).out)).toMatchObject({ database: 'embedded' });
    expect((await line('version')).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('makes tokens for signal servers, lists both, and ends them', async () => {
    const alone = await line('signal token --region eu-west');
    expect(alone).toMatchObject({ code: 0, out: expect.stringMatching(/^warren1_\S+\n$/) });
    const made = JSON.parse((await line('signal token --region ap-south --expires never --json')).out);
    expect(made).toMatchObject({ region: 'ap-south', used: false, expiresAt: null });
    expect(parseJoinToken(made.token)!.id).toBe(made.id);
    expect((await line(`signal revoke ${made.id}`)).out).toBe(`revoked ${made.id}\n`);
    expect((await line('signal tokens')).out).toMatch(new RegExp(`${made.id} +ap-south +never +revoked`));
    expect((await line('signal list')).out).toMatch(/^SIGNAL SERVER .*\ncontrol +control +control +127\.0\.0\.1:/);
    expect((await line('status')).out).toMatch(/relay +0 agents, 0 bytes relayed[\s\S]*SIGNAL SERVER/);
    const dataDir = ['--data-dir', plane.config.dataDir];
    expect((await warren(['signal', 'list', ...dataDir], {})).code).toBe(0);
    expect((await line('signal delete control')).code).toBe(0);
    expect((await line('signal list')).out).toMatch(/\ncontrol /);
  });

  it('speaks to a control plane elsewhere with WARREN_URL and WARREN_TOKEN', async () => {
    const environment = { WARREN_URL: plane.context.about.httpUrl, WARREN_TOKEN: plane.firstApiKey! };
    expect((await warren(['network', 'list'], environment)).out).toContain('default');
    const wrong = await warren(['network', 'list'], { ...environment, WARREN_TOKEN: 'wrong' });
    expect(wrong).toMatchObject({
      code: 1,
      err: `warren: the control plane does not know this API key (${environment.WARREN_URL})\n`,
    });
  });
});

describe('warren says in one line', () => {
  const cases: [string, string, number, RegExp][] = [
    ['that a node does not exist', 'node revoke nobody', 1, /there is no node "nobody"/],
    ['that a network does not exist', 'token create --network nowhere', 1, /there is no network "nowhere"/],
    ['that a number is none', 'token create --uses many', 2, /1 to 1000000, or unlimited/],
    ['that a duration is none', 'token create --expires soon', 2, /such as 30m, 1h or 7d/],
    ['that a role is none', 'token create --role boss', 2, /client, direct, bounce/],
    ['that a command is none', 'frobnicate', 2, /unknown command 'frobnicate'/],
    ['which commands a group has', 'token', 2, /create, list, show, revoke/],
    ['that an option is missing', 'node create x', 2, /--public-key/],
    ['that an option is none', 'node list --colour', 2, /unknown option '--colour'/],
    ['that there is nothing to set', 'network set default', 2, /say what to set/],
    ['that a signal token wants a region', 'signal token', 2, /--region/],
    ['that a region is none', 'signal token --region -', 1, /region/],
    ['that a signal server does not exist', 'signal delete nothing', 1, /there is no signal server nothing/],
    ['that a signal token does not exist', 'signal revoke nothing', 1, /there is no signal token nothing/],
    ['that a signal server listens nowhere', 'signal --stun everywhere', 2, /--stun takes address:port/],
    ['that a public host is none', 'signal --public-host 0.0.0.0', 2, /--public-host/],
    ['that an argument is too much', 'signal token --region x more', 2, /too many arguments/],
    ['that signal has no such command', 'signal frobnicate', 2, /signal has no command frobnicate: token, tokens,/],
    ['that a listening address is none', 'serve --http everywhere', 2, /--http takes address:port/],
  ];

  it.each(cases)('%s', async (_, command, code, message) => {
    const run = await line(command);
    expect(run).toMatchObject({ code, out: '' });
    expect(run.err).toMatch(message);
    expect(run.err.trim().split('\n')).toHaveLength(1);
  });

  it('that no control plane runs, in JSON too', async () => {
    const empty = await mkdtemp(join(tmpdir(), 'control-test-'));
    const run = await warren(['status', '--json', '--data-dir', empty], {});
    expect(run.code).toBe(1);
    expect(run.err).toMatch(/^warren: no control plane runs on .*warren serve.*\n$/);
    expect(JSON.parse(run.out).error.code).toBe('not-running');
    await rm(empty, { recursive: true });
  });

  it('that WARREN_URL wants WARREN_TOKEN', async () => {
    expect(await warren(['status'], { WARREN_URL: 'http://127.0.0.1:1' })).toMatchObject({ code: 2 });
  });
});
