import type { NetworkInterfaceInfo } from 'node:os';
import { describe, expect, it } from 'vitest';
import { bestAddress, tokenAddresses } from './public-host.js';

const entry = (address: string, internal = false): NetworkInterfaceInfo =>
  ({ address, internal, family: address.includes(':') ? 'IPv6' : 'IPv4' }) as NetworkInterfaceInfo;

describe('the address in tokens', () => {
  it('is the configured host for every listener', () => {
    const listeners = [
      { host: '0.0.0.0', port: 8443 },
      { host: '127.0.0.1', port: 443 },
    ];
    expect(tokenAddresses(listeners, 'vpn.example.org')).toEqual(['vpn.example.org:8443', 'vpn.example.org:443']);
    expect(tokenAddresses([{ host: '::', port: 1 }], '2001:db8::1')).toEqual(['[2001:db8::1]:1']);
  });

  it('is the listening address where that is one', () => {
    expect(tokenAddresses([{ host: '192.0.2.7', port: 8443 }], undefined)).toEqual(['192.0.2.7:8443']);
  });

  it('prefers public over private and IPv4 over IPv6, and never names what leads nowhere', () => {
    const interfaces = {
      lo: [entry('127.0.0.1', true)],
      docker0: [entry('172.17.0.1')],
      eth0: [entry('10.0.0.5'), entry('fe80::1%eth0'), entry('2001:db8::5')],
      eth1: [entry('198.51.100.7')],
    };
    expect(bestAddress(interfaces)).toBe('198.51.100.7');
    expect(bestAddress({ ...interfaces, eth1: [] })).toBe('2001:db8::5');
    expect(bestAddress({ eth0: [entry('10.0.0.5')] })).toBe('10.0.0.5');
    expect(bestAddress({ lo: [entry('127.0.0.1', true)] })).toBe('127.0.0.1');
  });
});
