import { type AddressInfo, createServer, type Socket } from 'node:net';
import * as grpc from '@grpc/grpc-js';
import * as wire from '@warren/proto';
import { afterEach, expect, it } from 'vitest';
import { Cleanup, until } from '../testing/run.js';
import { createTestAuthority } from '../testing/test-authority.js';
import { createControlClient } from './client.js';
import { type Reply, Session } from './session.js';

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

it('an address at which nobody says anything is given up for the next', async () => {
  const sockets: Socket[] = [];
  const silent = createServer((socket) => void sockets.push(socket.on('error', () => undefined)));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  cleanup.add(() => {
    for (const socket of sockets) socket.destroy();
    silent.close();
  });
  const first = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const { rootPem } = await createTestAuthority();
  const failures: string[] = [];
  const session = new Session({
    openClient: async (address) => createControlClient({ address, rootPem }),
    addresses: () => [first, '127.0.0.1:9'],
    hello: () => ({ message: undefined }),
    heartbeat: () => ({ message: undefined }),
    handle: async () => 'applied',
    onConnection: () => undefined,
    onCertificateRefused: () => undefined,
    onFailure: (message) => void failures.push(message),
    backoff: { next: () => 1, reset: () => undefined },
    log: () => undefined,
    connectLimit: 100,
  });
  const ended = session.run();
  await until('two attempts', () => failures.length >= 2);
  session.stop();
  await ended;
  expect(failures[0]).toContain(`${first} did not answer: no connection within 100 ms`);
  expect(failures[1]).toContain('127.0.0.1:9 did not answer: connect ECONNREFUSED');
});

/** A control plane that says one word on each stream, and reads nothing. */
async function startDeafControl() {
  const { rootPem, server: certificate } = await createTestAuthority();
  const { key, chain } = await certificate();
  const server = new grpc.Server();
  const streams: grpc.ServerDuplexStream<wire.SyncRequest, wire.SyncResponse>[] = [];
  const sync: wire.AgentServiceServer['sync'] = (stream) => {
    streams.push(stream.on('error', () => undefined));
    stream.write({ message: undefined });
  };
  server.addService({ sync: wire.AgentServiceService.sync }, { sync });
  const pair = { private_key: Buffer.from(key), cert_chain: Buffer.from(chain) };
  const port = await new Promise<number>((resolve, reject) => {
    const credentials = grpc.ServerCredentials.createSsl(null, [pair]);
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  cleanup.add(() => server.forceShutdown());
  return { address: `127.0.0.1:${port}`, rootPem, streams };
}

it('says when the stream takes more: of a reader that reads nothing not before it reads again', async () => {
  const { address, rootPem, streams } = await startDeafControl();
  let reply: Reply | undefined;
  const session = new Session({
    openClient: async () => createControlClient({ address, rootPem }),
    addresses: () => [address],
    hello: () => ({ message: undefined }),
    heartbeat: () => ({ message: undefined }),
    handle: async (_message, answer) => {
      reply = answer;
      return 'applied';
    },
    onConnection: () => undefined,
    onCertificateRefused: () => undefined,
    onFailure: () => undefined,
    backoff: { next: () => 1, reset: () => undefined },
    log: () => undefined,
  });
  const ended = session.run();
  await until('a stream', () => reply !== undefined);
  const json = 'x'.repeat(60_000);
  let sent = 0;
  let taken = 0;
  const say = (): void => {
    const value = { id: ++sent, json, failure: '' };
    reply?.({ message: { $case: 'explainAnswer', value } }, () => {
      taken++;
      if (sent < 1_000) say();
    });
  };
  say();
  let before = -1;
  await until('the stream to be full', async () => {
    const stands = taken === before;
    before = taken;
    await new Promise((resolve) => setTimeout(resolve, stands ? 0 : 200));
    return stands;
  });
  expect(taken).toBe(sent - 1);
  expect(taken).toBeLessThan(100);
  for (const stream of streams) stream.resume();
  await until('everything to be taken', () => taken === 1_000);
  session.stop();
  await ended;
});
