import { createSocket } from 'node:dgram';
import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:tls';
import { type IpAddress, parseIpAddress } from '@warren/base';
import { createBindingServer } from '@warren/stun';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Daemon } from '../daemon/daemon.js';
import type { NetcheckReport } from '../netcheck/report.js';
import { FakeControl } from '../testing/fake-control.js';
import { fakeDataPlanes } from '../testing/fake-data-plane.js';
import { Cleanup, runAgent } from '../testing/run.js';
import { createTestAuthority, type TestAuthority } from '../testing/test-authority.js';

const cleanup = new Cleanup();
let control: FakeControl;
let stateDir: string;

beforeEach(async () => {
  control = await FakeControl.start();
  cleanup.add(() => control.kill());
  stateDir = await cleanup.folder();
});
afterEach(() => cleanup.run());

/** A signal server's UDP port, as far as STUN goes. @returns `host:port`. */
async function serveUdp(address: string, answers = true): Promise<string> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, address, resolve));
  cleanup.add(() => void socket.close());
  const { port } = socket.address();
  const server = createBindingServer({ sockets: { primary: { address: address as IpAddress, port } } });
  socket.on('message', (datagram, from) => {
    const answer = server.answer(datagram, { address: parseIpAddress(from.address)!, port: from.port }, 'primary');
    if (answer && answers) socket.send(answer.datagram, answer.to.port, answer.to.address);
  });
  return `${address}:${port}`;
}

/** A TLS listener of that authority. */
async function serveTls(authority: TestAuthority, protocol = 'warren-relay/1'): Promise<string> {
  const { key, chain } = await authority.server('relay.warren.internal');
  const server: Server = createServer({ key, cert: chain, ALPNProtocols: [protocol] });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanup.add(() => void server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function joinWith(servers: { id: string; udp?: string; tls?: string[] }[]): Promise<void> {
  control.signalServers = servers.map(({ id, udp = '', tls = [] }) => ({
    ...{ id, name: `name of ${id}`, udp, tls },
    key: Buffer.alloc(32, 7),
  }));
  const place = ['--interface', 'wgtest0', '--listen-port', '0', '--no-start'];
  expect(await runAgent(['join', '--token', control.token(), '--state-dir', stateDir, ...place])).toMatchObject({
    code: 0,
  });
}

async function check(): Promise<NetcheckReport> {
  const { code, out } = await runAgent(['netcheck', '--json', '--state-dir', stateDir]);
  expect(code).toBe(0);
  return JSON.parse(out) as NetcheckReport;
}

describe('agent netcheck', () => {
  it('says what works, without a daemon, for scripts and for people', async () => {
    await joinWith([
      { id: 'one', udp: await serveUdp('127.0.0.1'), tls: [await serveTls(control.ca)] },
      { id: 'two', udp: await serveUdp('127.0.0.2') },
    ]);
    const report = await check();
    expect(report).toMatchObject({
      ...{ udp: true, udpBlocked: false, intercepted: false, mapping: 'none', filtering: 'none', portMapping: null },
      directPaths: { reach: 'all' },
    });
    expect(report.servers).toMatchObject([
      { id: 'one', name: 'name of one', home: null, udp: { ipv4Ms: expect.any(Number) }, tls: [{ failure: null }] },
      { id: 'two', tls: [] },
    ]);
    expect(report.servers[0]!.tls[0]!.rttMs).toEqual(expect.any(Number));
    const { out } = await runAgent(['netcheck', '--state-dir', stateDir]);
    expect(out).toMatch(/^UDP +works\nNAT mapping +none: this host has a public address\n/);
    expect(out).toMatch(/name of one +127\.0\.0\.1:\d+ +IPv4 [\d.]+ ms +127\.0\.0\.1:\d+ [\d.]+ ms\n/);
    expect(out).toContain('Direct paths to all nodes');
  });

  it('tells blocked UDP from a network that lets nothing out', async () => {
    const silent = await serveUdp('127.0.0.1', false);
    await joinWith([{ id: 'one', udp: silent, tls: [await serveTls(control.ca)] }]);
    expect(await check()).toMatchObject({ udp: false, udpBlocked: true, directPaths: { reach: 'none' } });
    const { out } = await runAgent(['netcheck', '--state-dir', stateDir]);
    expect(out).toMatch(/^UDP +BLOCKED/);
    expect(out).toContain('allow outgoing UDP');
  });

  it('tells every way in which TLS fails', async () => {
    const tls = [
      await serveTls(await createTestAuthority()),
      await serveTls(control.ca, 'h2'),
      '127.0.0.1:1',
      'no-such-name.invalid:443',
    ];
    await joinWith([{ id: 'one', tls }]);
    const report = await check();
    expect(report.servers[0]!.tls.map(({ failure }) => failure)).toEqual([
      'intercepted',
      'no-relay',
      'refused',
      'unresolved',
    ]);
    expect(report).toMatchObject({ udp: null, intercepted: true, directPaths: { reach: 'unknown' } });
    const { out } = await runAgent(['netcheck', '--state-dir', stateDir]);
    expect(out).toContain('Somebody else answers TLS');
  });

  it('asks the running daemon which server is home', async () => {
    await joinWith([{ id: 'one', udp: await serveUdp('127.0.0.1') }]);
    const run = async () => ({ code: 0, stdout: '', stderr: '' });
    const daemon = await Daemon.start({ stateDir, log: () => undefined, startDataPlane: fakeDataPlanes().start, run });
    cleanup.add(() => daemon.stop());
    expect((await check()).servers[0]).toMatchObject({ id: 'one', home: false });
  });

  it('fails in one line where there is nothing to ask', async () => {
    const none = await runAgent(['netcheck', '--json', '--state-dir', stateDir]);
    expect(none).toMatchObject({ code: 1, err: expect.stringMatching(/^agent: .*\n$/) });
    await joinWith([]);
    const { code, out } = await runAgent(['netcheck', '--json', '--state-dir', stateDir]);
    expect([code, JSON.parse(out)]).toMatchObject([1, { error: { code: 'no-signal-servers' } }]);
  });
});
