import { X509Certificate } from 'node:crypto';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { HostPort } from '@warren/base';
import { expect, it } from 'vitest';
import { createTestAuthority } from '../testing/test-authority.js';
import { findPinnedControl, verifyChain } from './pinned-root.js';

const certificates = (pem: string): X509Certificate[] =>
  pem.match(/-----BEGIN[\s\S]+?END CERTIFICATE-----/g)!.map((one) => new X509Certificate(one));
const now = new Date();

it('a chain is good when it leads to the pinned root, for this service, today', async () => {
  const ca = await createTestAuthority();
  const chain = certificates((await ca.server()).chain);
  expect(verifyChain(chain, ca.pin, 'x', now).raw).toEqual(chain.at(-1)!.raw);
});

it.each(['another root', 'do not lead', 'another service', 'no certificate'])('a chain is refused: %s', async (why) => {
  const [ca, other] = [await createTestAuthority(), await createTestAuthority()];
  const right = certificates((await ca.server()).chain);
  const foreign = certificates((await other.server()).chain);
  const chains: Record<string, X509Certificate[]> = {
    'another root': foreign,
    'do not lead': [foreign[0]!, right.at(-1)!],
    'another service': certificates((await ca.server('other.example')).chain),
    'no certificate': [],
  };
  expect(() => verifyChain(chains[why]!, ca.pin, 'x', now)).toThrow(expect.objectContaining({ code: 'pin-mismatch' }));
});

it('a wrong clock is told apart from a wrong control plane', async () => {
  const ca = await createTestAuthority();
  const chain = certificates((await ca.server()).chain);
  const check = () => verifyChain(chain, ca.pin, 'x', new Date(0));
  expect(check).toThrow(expect.objectContaining({ code: 'clock-wrong' }));
});

it('something that does not speak TLS counts as not reachable', async () => {
  const server = createServer((socket) => socket.resume().end('SSH-2.0-nothing\r\n'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const dialled = findPinnedControl([`127.0.0.1:${port}` as HostPort], new Uint8Array(32), () => now);
  await expect(dialled).rejects.toMatchObject({ code: 'control-unreachable' });
  await new Promise((resolve) => server.close(resolve));
});

it('an address that never answers does not keep the next one waiting', async () => {
  const ca = await createTestAuthority();
  const { key, chain } = await ca.server();
  const silent = createServer((socket) => socket.on('error', () => undefined).resume());
  const right = createTlsServer({ key, cert: chain, ALPNProtocols: ['h2'] });
  const addresses = await Promise.all([listening(silent), listening(right)]);
  const found = await findPinnedControl(addresses, ca.pin, () => now);
  expect(found.address).toBe(addresses[1]);
  await Promise.all([silent, right].map((server) => new Promise((resolve) => server.close(resolve))));
});

function listening(server: Server): Promise<HostPort> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(`127.0.0.1:${(server.address() as AddressInfo).port}` as HostPort));
  });
}
