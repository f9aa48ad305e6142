import { expect, it } from 'vitest';
import { namedLog } from './named-log.js';

const key = `${'A'.repeat(42)}4=`;
const names = {
  peer: (publicKey: string) => (publicKey === key ? 'phone' : undefined),
  server: (id: string) => (id === 's1' ? 'eu-west' : undefined),
};

it('says names for keys and ids, and leaves what it does not know', () => {
  const lines: string[] = [];
  const log = namedLog((_, message) => lines.push(message), names);
  log('debug', `${key} goes by the relay s1 (udp): relayed`);
  log('debug', `handshake with ${'B'.repeat(43)}= completed`);
  log('debug', 'x goes by the relay s2 (tls): relayed');
  expect(lines).toEqual([
    'phone goes by the relay eu-west (udp): relayed',
    `handshake with ${'B'.repeat(43)}= completed`,
    'x goes by the relay s2 (tls): relayed',
  ]);
});
