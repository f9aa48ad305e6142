import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startControlPlane } from './control-plane.js';
import { startTestPlane, until } from './testing/control-plane.fixture.js';
import { FakeAgent } from './testing/fake-agent.fixture.js';

let dataDir: string;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'control-test-'));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

const silent = pino({ level: 'silent' });

describe('a control plane', () => {
  it('comes back with the same authority, keys and members, and agents resume', async () => {
    const first = await startTestPlane({ dataDir });
    const agent = await FakeAgent.join(await first.token(), { name: 'laptop' });
    const before = await agent.sync().synced();
    expect(first.firstApiKey).toMatch(/\S{20,}/);
    await first.stop();
    await until(() => before.ended !== undefined, 'end');
    expect(before.farewell?.code).toBe('draining');

    const second = await startTestPlane({ dataDir });
    expect(second.firstApiKey).toBeUndefined();
    expect(second.context.pin).toEqual(first.context.pin);
    expect(await second.context.store.checkApiKey(first.firstApiKey!)).toBeDefined();
    expect((await second.context.store.findNode(agent.nodeId))?.name).toBe('laptop');
    agent.close();
    await second.stop();
  });

  it('that stops answers whoever waits, at once', async () => {
    const plane = await startTestPlane({ dataDir });
    const url = `${plane.context.about.httpUrl}/api/v1/networks/default/peers.conf`;
    const headers = { authorization: `Bearer ${plane.firstApiKey}` };
    const etag = (await fetch(url, { headers })).headers.get('etag')!;
    let asked = false;
    plane.rest.app.server.once('request', () => {
      asked = true;
    });
    const waiting = fetch(`${url}?wait=60`, { headers: { ...headers, 'if-none-match': etag } });
    await until(() => asked, 'the request is there');
    await plane.stop();
    expect((await waiting).status).toBe(304);
  });

  it('keeps its directory to itself', async () => {
    const plane = await startTestPlane({ dataDir });
    expect((await stat(dataDir)).mode & 0o777).toBe(0o700);
    expect((await stat(join(dataDir, 'control.sock'))).mode & 0o777).toBe(0o600);
    expect((await stat(join(dataDir, 'sealing.key'))).mode & 0o777).toBe(0o600);
    await plane.stop();
    expect(await readdir(dataDir)).not.toContain('control.sock');
  });

  it('that finds a port in use says which flag, and leaves nothing running', async () => {
    const blocker = createServer().listen(0, '127.0.0.1');
    await until(() => blocker.listening, 'listening');
    const taken = { host: '127.0.0.1', port: (blocker.address() as { port: number }).port };
    const udp = createSocket('udp4').bind(0, '127.0.0.1');
    await once(udp, 'listening');
    const udpTaken = { host: '127.0.0.1', port: udp.address().port };
    const free = { host: '127.0.0.1', port: 0 };
    const config = { dataDir, http: free, agents: [free], stun: free, logLevel: 'silent' } as const;
    await expect(startControlPlane({ ...config, http: taken }, silent)).rejects.toThrow(/already in use.*--http/);
    await expect(startControlPlane({ ...config, agents: [free, taken] }, silent)).rejects.toThrow(
      /already in use.*--agents/,
    );
    await expect(startControlPlane({ ...config, stun: udpTaken }, silent)).rejects.toThrow(/already in use.*--stun/);
    expect(await readdir(dataDir)).not.toContain('serve.lock');
    expect(spawnSync('ps', ['ax', '-o', 'args']).stdout.toString()).not.toContain(dataDir);
    blocker.close();
    udp.close();
    await (await startTestPlane({ dataDir })).stop();
  });

  it('does not start twice on one directory', async () => {
    const plane = await startTestPlane({ dataDir });
    await expect(startTestPlane({ dataDir })).rejects.toThrow(/another `warren serve`.*--data-dir/);
    expect(await plane.context.store.findNetwork('default')).toBeDefined();
    await plane.stop();
  });

  it('starts over the lock of a process that was killed', async () => {
    await writeFile(join(dataDir, 'serve.lock'), `${process.pid} 1\n`);
    await (await startTestPlane({ dataDir })).stop();
  });
});
