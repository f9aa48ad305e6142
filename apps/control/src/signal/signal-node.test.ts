import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { type HostPort, parseHostPort } from '@warren/base';
import { formatJoinToken, parseJoinToken } from '@warren/identity';
import { RELAY_ALPN, RELAY_SERVICE_NAME } from '@warren/signal';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SERVICE_NAME } from '../ca/certificate-authority.js';
import type { SignalConfig } from '../config.js';
import { startTestPlane, type TestPlane, until } from '../testing/control-plane.fixture.js';
import { FakeAgent } from '../testing/fake-agent.fixture.js';
import { answersStun } from '../testing/stun.fixture.js';
import { type SignalNode, startSignalNode } from './signal-node.js';

const FREE = { host: '127.0.0.1', port: 0 };
const silent = pino({ level: 'silent' });
const dirs: string[] = [];
let plane: TestPlane;
let agent: FakeAgent;

beforeAll(async () => {
  plane = await startTestPlane();
  agent = await FakeAgent.join(await plane.token(), { name: 'laptop' });
});
afterAll(async () => {
  agent?.close();
  await plane?.stop();
  for (const dir of dirs) await rm(dir, { recursive: true, force: true });
});

async function freshDir(): Promise<string> {
  dirs.push(await mkdtemp(join(tmpdir(), 'control-signal-')));
  return dirs.at(-1)!;
}
const configOf = (dataDir: string, token?: string): SignalConfig => ({
  ...{ dataDir, agents: [FREE], stun: FREE, logLevel: 'silent' },
  ...(token !== undefined && { token }),
});
async function signalToken(region = 'eu-west'): Promise<string> {
  const headers = { authorization: `Bearer ${plane.firstApiKey}` };
  const answer = await plane.rest.app.inject({
    ...{ method: 'POST', url: '/api/v1/signal-tokens', headers, payload: { region } },
  });
  return answer.json().token;
}
async function serverNames(node: SignalNode): Promise<Record<string, boolean>> {
  const { host, port } = parseHostPort(node.tls[0]!)!;
  const accepts = (servername: string) =>
    new Promise<boolean>((resolve) => {
      const socket = tls.connect({ host, port, ca: agent.root, servername, ALPNProtocols: [RELAY_ALPN] });
      socket.once('secureConnect', () => resolve(socket.alpnProtocol === RELAY_ALPN));
      socket.once('error', () => resolve(false));
      socket.once('close', () => resolve(false));
      setTimeout(() => socket.destroy(), 1_000).unref();
    });
  return { relay: await accepts(RELAY_SERVICE_NAME), control: await accepts(SERVICE_NAME) };
}

describe('a signal server that runs alone', () => {
  it('enrols, is told of to agents, answers for relays and for nobody else, and keeps its keys closed', async () => {
    const dataDir = await freshDir();
    const stream = await agent.sync().synced();
    const node = await startSignalNode(configOf(dataDir, await signalToken('ap-south')), silent);
    await until(() => stream.self!.signalServers.some(({ id }) => id === node.serverId), 'agents are told');
    expect(stream.self!.signalServers.find(({ id }) => id === node.serverId)).toMatchObject({
      ...{ name: 'ap-south', udp: node.udp, tls: node.tls },
    });
    expect(await answersStun(node.udp)).toBe(true);
    expect(await serverNames(node)).toEqual({ relay: true, control: false });
    expect((await stat(join(dataDir, 'signal.json'))).mode & 0o777).toBe(0o600);
    await expect(startSignalNode(configOf(dataDir), silent)).rejects.toThrow(/another `warren signal`.*--data-dir/);
    const rows = await plane.context.store.listSignalServers(60_000);
    const load = { clients: 0, relayedBytes: 0, relayedRate: 0 };
    expect(rows.find(({ id }) => id === node.serverId)).toMatchObject({ load });
    await node.close();
    await plane.context.store.deleteSignalServer(node.serverId, 'admin');
    await plane.context.signals.refresh();
    await until(() => !stream.self!.signalServers.some(({ id }) => id === node.serverId), 'agents forget it');
    stream.cancel();
  });

  it('starts again without token and without control plane, and hears of revocations when that is back', async () => {
    const other = await startTestPlane();
    const { store } = other.context;
    const { token, secret } = await store.createSignalToken({ region: 'somewhere' }, 'admin');
    const { agentAddresses: addresses } = other.context.about;
    const text = formatJoinToken({ id: token.id, secret, addresses, pin: other.context.pin });
    const dataDir = await freshDir();
    const node = await startSignalNode(configOf(dataDir, text), silent, 50);
    const member = await other.vanilla('phone');
    await store.revokeNode(member.id, 'admin');
    const kept = async () => JSON.parse(await readFile(join(dataDir, 'signal.json'), 'utf8')).enrolled.tombstones;
    await until(async () => (await kept()).length === 1, 'the revocation is kept');
    await other.stop();
    await node.close();
    const again = await startSignalNode(configOf(dataDir), silent, 50);
    expect(again.serverId).toBe(node.serverId);
    expect(await answersStun(again.udp)).toBe(true);
    await again.close();
    expect(await kept()).toHaveLength(1);
    const same = await startSignalNode(configOf(dataDir, text), silent);
    await same.close();
  });

  it('is refused in one line that says what to do', async () => {
    const start = async (token?: string, change: Partial<SignalConfig> = {}, dir?: string) =>
      startSignalNode({ ...configOf(dir ?? (await freshDir()), token), ...change }, silent);
    const refused = async (attempt: Promise<SignalNode>, code: string, text: RegExp) => {
      const error = await attempt.then(
        (node) => node.close().then(() => undefined),
        (thrown: Error & { code?: string }) => thrown,
      );
      expect(error).toMatchObject({ code, message: expect.stringMatching(text) });
      expect(error!.message).not.toContain('\n');
    };
    const good = await signalToken();
    const parsed = parseJoinToken(good)!;
    await refused(start(), 'usage', /warren signal token/);
    await refused(start('nonsense'), 'token-bad', /copy the whole line/);
    await refused(start(await plane.token()), 'token-unknown', /warren signal token/);
    await refused(start(formatJoinToken({ ...parsed, pin: new Uint8Array(32) })), 'pin-mismatch', /names/);
    const nobody = { ...parsed, addresses: ['127.0.0.1:1' as HostPort] };
    await refused(start(formatJoinToken(nobody)), 'unreachable', /127\.0\.0\.1:1/);
    const wrong = { ...parsed, secret: new Uint8Array(32) };
    await refused(start(formatJoinToken(wrong)), 'token-unknown', /signal token/);

    const blocker = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => blocker.once('listening', resolve));
    const taken = { host: '127.0.0.1', port: (blocker.address() as { port: number }).port };
    const dir = await freshDir();
    await refused(start(good, { agents: [taken] }, dir), 'port-in-use', /--agents/);
    blocker.close();
    const udp = parseHostPort(plane.context.about.stunAddress)!;
    await refused(start(good, { stun: udp }, dir), 'port-in-use', /--stun/);
    await refused(start(good), 'token-used-up', /another server/);
    await refused(start(await signalToken(), {}, dir), 'already-enrolled', /--data-dir/);
    // What failed did not cost the token: the directory has what it gave.
    await (await start(undefined, {}, dir)).close();
    await writeFile(join(dir, 'signal.json'), '{"version":1}');
    await refused(start(undefined, {}, dir), 'data-dir', /damaged/);
  });
});
