import type { Endpoint } from '@warren/base';
import { describe, expect, it } from 'vitest';
import { localCandidates } from './local-candidates.js';

const OPTIONS = { port: 51_820, families: [4, 6] as const, mapped: [], isTunnel: (name: string) => name === 'wg0' };
const at = (address: string, internal = false) => ({ address, internal });

describe('the candidates of this host', () => {
  it('are its addresses with the port, IPv6 first, without loopback, link-local IPv6 and tunnels', () => {
    const candidates = localCandidates(
      {
        lo: [at('127.0.0.1', true), at('::1', true)],
        eth0: [at('192.168.1.5'), at('2001:db8::5'), at('fe80::1'), at('fe80::2%eth0'), at('febf::1')],
        wlan0: [at('10.0.0.5'), at('fd00::5')],
        wg0: [at('10.44.0.3')],
      },
      OPTIONS,
    );
    expect(candidates).toEqual(
      ['[2001:db8::5]:51820', '[fd00::5]:51820', '192.168.1.5:51820', '10.0.0.5:51820'].map((endpoint) => ({
        kind: 'host',
        endpoint,
      })),
    );
  });

  it('begin with what a router maps, and leave out families without a socket', () => {
    const mapped = ['198.51.100.7:4711' as Endpoint];
    const candidates = localCandidates(
      { eth0: [at('192.168.1.5'), at('2001:db8::5')] },
      { ...OPTIONS, mapped, families: [4] },
    );
    expect(candidates).toEqual([
      { kind: 'port-mapped', endpoint: '198.51.100.7:4711' },
      { kind: 'host', endpoint: '192.168.1.5:51820' },
    ]);
  });

  it('are few, however many addresses there are', () => {
    const many = Array.from({ length: 300 }, (_, i) => at(`10.1.${i >> 8}.${i & 255}`));
    expect(localCandidates({ eth0: many }, OPTIONS)).toHaveLength(16);
  });
});
