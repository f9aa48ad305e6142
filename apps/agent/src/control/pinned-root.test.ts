import { X509Certificate } from 'node:crypto';
import { createServer } from 'node:net';
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
