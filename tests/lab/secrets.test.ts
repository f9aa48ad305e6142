import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startEmbedded } from '@warren/db';
import pg from 'pg';
import { expect, it } from 'vitest';
import { describeLab } from '../support/groups.js';
import { expectAllReached, useClassicMesh } from './support/classic-mesh.js';

const RECORDER = fileURLToPath(new URL('support/stream-recorder.mjs', import.meta.url));
const recordIn = (dir: string): string => join(dir, 'control-streams');

interface Secret {
  readonly owner: string;
  readonly key: string;
  readonly bytes: Buffer;
}

describeLab('private keys', [], () => {
  const mesh = useClassicMesh({
    logLevel: 'trace',
    controlEnv: (dir) => ({ NODE_OPTIONS: `--import=${RECORDER}`, WARREN_STREAM_RECORD: recordIn(dir) }),
  });
  const secrets = (): Secret[] => mesh().all.flatMap(({ name, host }) => readSecrets(name, host.stateDir));

  it('are three on each host, in files that only their owner reads', () => {
    expect(secrets()).toHaveLength(15);
    expect(new Set(secrets().map(({ bytes }) => bytes.toString('hex'))).size).toBe(15);
    for (const { host } of mesh().all) {
      for (const file of filesIn(host.stateDir)) expect(statSync(file).mode & 0o077, file).toBe(0);
    }
  });

  it('are in no output of any program, with logging at its most talkative', async () => {
    const { all, agents, control, logs } = mesh();
    await expectAllReached(all);
    for (const args of [['status'], ['peers'], ['conf'], ['conf', '--json'], ['version']])
      await agents.laptop.command(args);
    await agents.phone.process.stop();
    await control.warren(['node', 'list', '--json']);
    expect([...logs.keys()].sort()).toEqual(['control', ...all.map(({ name }) => name)].sort());
    for (const [program, text] of logs) expectNone(secrets(), Buffer.from(text), `the output of ${program}`);
  });

  it('are in what `agent conf` prints only when they are asked for', async () => {
    const { laptop } = mesh().agents;
    const wireguard = secrets().find(({ owner, key }) => owner === 'laptop' && key === 'wireguard')!;
    expectNone(secrets(), Buffer.from((await laptop.command(['conf'])).stdout), 'agent conf');
    expect((await laptop.command(['conf', '--private'])).stdout).toContain(wireguard.bytes.toString('base64'));
  });

  it('are in no message that the control plane receives or sends', async () => {
    const { agents, site } = mesh();
    const messages = readFileSync(recordIn(site.world.dir));
    // The public key, as it is or as text, shows that the recording has seen the messages of joining.
    const { node } = await agents.laptop.status();
    const seen = [Buffer.from(node.publicKey), Buffer.from(node.publicKey, 'base64')].filter((key) =>
      messages.includes(key),
    );
    expect(seen).not.toEqual([]);
    expectNone(secrets(), messages, 'a message');
  });

  it("are in no other host's state", () => {
    for (const { name, host } of mesh().all) {
      const foreign = secrets().filter(({ owner }) => owner !== name);
      for (const file of filesIn(host.stateDir)) expectNone(foreign, readFileSync(file), file);
    }
  });

  it('are in no row of the database and in no file of the control plane', async () => {
    const { control } = mesh();
    await control.process.stop(15_000);
    for (const file of filesIn(control.dataDir)) expectNone(secrets(), readFileSync(file), file);
    const rows = await dumpDatabase(control.dataDir);
    expect(rows).toContain('laptop');
    expectNone(secrets(), Buffer.from(rows), 'the database');
  });
});

/** Every 32-byte private value that an agent keeps. */
function readSecrets(owner: string, stateDir: string): Secret[] {
  const keys = filesIn(stateDir).filter((file) => file.endsWith('/keys.json'));
  return keys.flatMap((file) => {
    const content = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
    return ['identity', 'path', 'wireguard'].map((key) => ({
      owner,
      key,
      bytes: Buffer.from(content[key]!, 'base64'),
    }));
  });
}

function expectNone(secrets: readonly Secret[], content: Buffer, where: string): void {
  for (const { owner, key, bytes } of secrets) {
    expect(bytes).toHaveLength(32);
    for (const [form, needle] of Object.entries(forms(bytes))) {
      expect(content.includes(needle), `${key} key of ${owner} as ${form} in ${where}`).toBe(false);
    }
  }
}

function forms(bytes: Buffer): Record<string, Buffer> {
  const hex = bytes.toString('hex');
  return {
    bytes,
    // Without padding, so that base64 with and without it is found.
    base64: Buffer.from(bytes.toString('base64').slice(0, 42)),
    base64url: Buffer.from(bytes.toString('base64url').slice(0, 42)),
    hex: Buffer.from(hex),
    HEX: Buffer.from(hex.toUpperCase()),
    'JSON of bytes': Buffer.from([...bytes].join(',')),
  };
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Every row of every table of ours, as PostgreSQL writes rows as text. */
async function dumpDatabase(dataDir: string): Promise<string> {
  const server = await startEmbedded({ dataDir });
  try {
    const client = new pg.Client({ connectionString: server.url });
    await client.connect();
    const { rows: tables } = await client.query<{ name: string }>(
      "select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname not in ('pg_catalog', 'information_schema')",
    );
    expect(tables.length).toBeGreaterThan(5);
    const texts: string[] = [];
    for (const { name } of tables) {
      const { rows } = await client.query<{ row: string }>(`select t::text as row from ${name} t`);
      texts.push(...rows.map(({ row }) => row));
    }
    await client.end();
    return texts.join('\n');
  } finally {
    await server.close();
  }
}
