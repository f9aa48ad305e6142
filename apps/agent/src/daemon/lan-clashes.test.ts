import type { IpAddress, Prefix } from '@warren/base';
import { describe, expect, it } from 'vitest';
import type { HostNetwork } from '../host/lan.js';
import { findLanClashes } from './lan-clashes.js';

const NETWORK = { name: 'default', interfaceName: 'wg0', cidrs: ['10.44.0.0/16', 'fd44::/64'] };
const OTHER = { name: 'second', interfaceName: 'wg1', cidrs: ['10.60.0.0/16'] };
const on = (interfaceName: string, prefix: string) => ({ interfaceName, prefix: prefix as Prefix });
const has = (interfaceName: string, address: string, of: 'host' | 'router' = 'host') => ({
  ...{ interfaceName, address: address as IpAddress, of },
});
const peers = (...addresses: string[]) =>
  addresses.map((address, n) => ({ name: `n${n}`, addresses: [address as IpAddress] }));
const host = (prefixes: HostNetwork['prefixes'], addresses: HostNetwork['addresses'] = []): HostNetwork => ({
  ...{ prefixes, addresses },
});

describe('networks of the host', () => {
  it('that lie elsewhere, or are our own, are in nobody’s way', () => {
    const own = [on('eth0', '192.168.1.0/24'), on('wg0', '10.44.0.3/32'), on('wg1', '10.60.0.0/16')];
    expect(findLanClashes(NETWORK, [OTHER], host(own, [has('wg0', '10.44.0.3')]), peers('10.44.0.4'))).toEqual({
      warnings: [],
      clashes: [],
      lans: ['192.168.1.0/24'],
      unrouted: [],
    });
  });

  it('that overlap are told with what it means, once each', () => {
    const lan = host([on('eth1', '10.44.7.0/24'), on('eth1', '10.44.7.0/24')]);
    const found = findLanClashes(NETWORK, [], lan, peers('10.44.0.1', '10.44.7.9'));
    expect(found).toMatchObject({ clashes: ['10.44.7.0/24'], lans: ['10.44.7.0/24'], unrouted: [] });
    expect(found.warnings).toHaveLength(1);
    expect(found.warnings[0]).toEqual({
      code: 'lan-clash',
      message: expect.stringMatching(
        /10\.44\.7\.0\/24 on eth1 overlaps 10\.44\.0\.0\/16 .*addresses of n1 \(10\.44\.7\.9\) are not reached.*renumber/,
      ),
    });
  });

  it('keep their routers and the host’s own addresses, and say who is lost by that', () => {
    const addresses = [
      has('eth1', '10.44.7.20'),
      has('eth1', '10.44.7.1', 'router'),
      has('eth1', '192.168.1.1', 'router'),
    ];
    const found = findLanClashes(NETWORK, [], host([on('eth1', '10.44.7.0/24')], addresses), peers('10.44.7.1'));
    expect(found.unrouted).toEqual(['10.44.7.20/32', '10.44.7.1/32']);
    expect(found.warnings[0]!.message).toMatch(/n0 \(10\.44\.7\.1\) of the network cannot be reached/);
  });

  it('are as many as there are, the largest first, without single and public addresses', () => {
    const many = host([
      on('eth0', '192.168.1.0/24'),
      on('tun0', '10.9.9.9/32'),
      on('eth1', '172.16.0.0/12'),
      on('eth2', '203.0.113.0/24'),
    ]);
    expect(findLanClashes(NETWORK, [], many, []).lans).toEqual(['172.16.0.0/12', '192.168.1.0/24']);
  });

  it('another network of ours that was renumbered into this one is told', () => {
    const moved = { ...OTHER, cidrs: ['10.44.128.0/17'] };
    expect(findLanClashes(NETWORK, [moved], host([]), []).warnings).toMatchObject([
      { code: 'network-clash', message: expect.stringContaining('second') },
    ]);
  });
});
