import type { Prefix } from '@warren/base';
import { expect, it } from 'vitest';
import { isLanPath, linkPrefixes } from './lan-path.js';

const links = ['192.168.1.0/24', '2001:db8:5::/64'] as Prefix[];

it('links are those with neighbours: no loopback, no single address, no tunnel', () => {
  const interfaces = {
    lo: [{ cidr: '127.0.0.1/8', internal: true }],
    eth0: [
      { cidr: '192.168.1.7/24', internal: false },
      { cidr: '2001:db8:5::7/64', internal: false },
      { cidr: null, internal: false },
    ],
    ppp0: [{ cidr: '203.0.113.7/32', internal: false }],
    wg0: [{ cidr: '10.44.0.3/16', internal: false }],
  };
  expect(linkPrefixes(interfaces, new Set(['wg0']))).toEqual(links);
});

it.each([
  ['a host on our link', '192.168.1.9:51820', 'host', true],
  ['a host on our link, over IPv6', '[2001:db8:5::9]:51820', 'host', true],
  ['a configured address on our link', '192.168.1.9:51820', 'configured', true],
  ['a router on our link, the peer behind it', '192.168.1.9:40000', 'server-reflexive', false],
  ['an unnamed address on our link', '192.168.1.9:40000', 'peer-reflexive', false],
  ['a host elsewhere', '203.0.113.9:51820', 'host', false],
] as const)('%s', (_what, endpoint, candidateKind, lan) => {
  expect(isLanPath(endpoint, { candidateKind }, links)).toBe(lan);
});

it('of a vanilla member only the address is known', () => {
  expect(isLanPath('192.168.1.9:51820', undefined, links)).toBe(true);
  expect(isLanPath('203.0.113.9:51820', undefined, links)).toBe(false);
  expect(isLanPath(null, undefined, links)).toBe(false);
});
