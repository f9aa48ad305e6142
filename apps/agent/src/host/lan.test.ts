import type { Prefix } from '@warren/base';
import { describe, expect, it } from 'vitest';
import {
  prefixesOfAddresses,
  prefixesOfRoutes,
  readHostPrefixes,
  requireNoLanClash,
  requireNoNetworkClash,
} from './lan.js';

const ADDRESSES = [
  { ifname: 'lo', flags: ['LOOPBACK', 'UP'], addr_info: [{ local: '127.0.0.1', prefixlen: 8, scope: 'host' }] },
  {
    ifname: 'eth0',
    flags: ['BROADCAST', 'UP'],
    addr_info: [
      { family: 'inet', local: '192.168.1.20', prefixlen: 24, scope: 'global' },
      { family: 'inet6', local: 'fe80::1', prefixlen: 64, scope: 'link' },
      { family: 'inet6', local: '2001:db8::5', prefixlen: 64, scope: 'global' },
    ],
  },
  { ifname: 'eth1', flags: [], addr_info: [] },
];
const ROUTES = [
  { dst: 'default', gateway: '192.168.1.1', dev: 'eth0' },
  { dst: '10.44.7.0/24', gateway: '192.168.1.2', dev: 'eth0' },
  { dst: '10.9.9.9', dev: 'tun7' },
  { dst: 'fe80::/64', dev: 'eth0' },
  { type: 'unreachable', dst: '10.0.0.0/8', dev: 'lo' },
];

describe("the host's prefixes", () => {
  it('are those of its addresses, without loopback and link-local ones', () => {
    expect(prefixesOfAddresses(ADDRESSES)).toEqual([
      { interfaceName: 'eth0', prefix: '192.168.1.0/24' },
      { interfaceName: 'eth0', prefix: '2001:db8::/64' },
    ]);
  });

  it('and those of its routes, without the default route', () => {
    expect(prefixesOfRoutes(ROUTES)).toEqual([
      { interfaceName: 'eth0', prefix: '10.44.7.0/24' },
      { interfaceName: 'tun7', prefix: '10.9.9.9/32' },
    ]);
  });

  it('come from what ip says, also when it says nothing', async () => {
    const run = async (_name: string, args: readonly string[]) => {
      const stdout = args.includes('address')
        ? JSON.stringify(ADDRESSES)
        : args.includes('-4')
          ? JSON.stringify(ROUTES)
          : '';
      return { code: 0, stdout, stderr: '' };
    };
    expect(await readHostPrefixes(run)).toHaveLength(4);
    const garbage = async () => ({ code: 0, stdout: 'no json', stderr: '' });
    await expect(readHostPrefixes(garbage)).rejects.toMatchObject({ code: 'program-unusable' });
  });
});

describe('a clash', () => {
  const host = [
    { interfaceName: 'eth0', prefix: '10.44.7.0/24' as Prefix },
    { interfaceName: 'wg0', prefix: '10.44.0.3/32' as Prefix },
  ];

  it('is refused, naming prefix and interface', () => {
    const check = () => requireNoLanClash(['fd00::/64', '10.44.0.0/16'], host, new Set(['wg0']));
    expect(check).toThrow(expect.objectContaining({ code: 'lan-clash' }));
    expect(check).toThrow(/10\.44\.0\.0\/16.*10\.44\.7\.0\/24.*eth0/);
  });

  it('is none with an interface of ours, or with another prefix', () => {
    requireNoLanClash(['10.44.0.0/24'], host, new Set(['wg0']));
    requireNoLanClash(['10.45.0.0/16'], host, new Set());
    expect(() => requireNoLanClash(['10.44.0.0/24'], host, new Set())).toThrow('wg0');
  });

  it('between two networks is refused too', () => {
    const joined = [{ name: 'first', cidrs: ['10.44.0.0/16'] }];
    expect(() => requireNoNetworkClash(['10.44.3.0/24'], joined)).toThrow('first');
    requireNoNetworkClash(['10.45.0.0/16'], joined);
  });
});
