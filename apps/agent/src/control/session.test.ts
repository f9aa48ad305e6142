import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { Cleanup, until } from '../testing/run.js';
import { createTestAuthority } from '../testing/test-authority.js';
import { createControlClient } from './client.js';
import { Session } from './session.js';

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
