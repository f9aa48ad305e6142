import type { IpAddress } from '@warren/base';
import { describe, expect, it } from 'vitest';
import { type Behaviour, KIND_NAT, Nat, type NatKind } from './nat.js';
import type { SocketAddress } from './packet.js';
import { Random } from './random.js';

const PUBLIC = '203.0.113.1' as IpAddress;
const at = (address: string, port: number): SocketAddress => ({ address: address as IpAddress, port });
const inside = at('192.168.1.2', 5000);
const [server, otherPort, otherHost] = [at('198.51.100.1', 80), at('198.51.100.1', 81), at('198.51.100.2', 80)];
const nat = (changes: Partial<NatKind> = {}) => new Nat({ ...KIND_NAT, ...changes }, PUBLIC, new Random(1));

describe('mapping (RFC 4787 §4.1)', () => {
  // Whether a new destination gets the mapping of `server`.
  const rows: [Behaviour, boolean, boolean][] = [
    ['endpoint-independent', true, true],
    ['address-dependent', true, false],
    ['address-and-port-dependent', false, false],
  ];
  it.each(rows)('%s: reused for another port of the address: %s, for another address: %s', (mapping, port, address) => {
    const one = nat({ mapping });
    const first = one.outbound(inside, server, 0)!;
    expect(first.address).toBe(PUBLIC);
    expect(one.outbound(inside, server, 1)).toEqual(first);
    expect(one.outbound(inside, otherPort, 1)!.port === first.port).toBe(port);
    expect(one.outbound(inside, otherHost, 1)!.port === first.port).toBe(address);
  });

  it('none: the address is kept', () => {
    const one = nat({ mapping: 'none' });
    expect(one.outbound(inside, server, 0)).toEqual(inside);
    expect(one.inbound(inside, server, 0)).toEqual(inside);
    expect(one.inbound(at('192.168.1.2', 5001), server, 0)).toBe('no-mapping');
  });

  it('none with filtering none: everything passes, nothing is kept', () => {
    const one = nat({ mapping: 'none', filtering: 'none' });
    expect(one.inbound(inside, server, 0)).toEqual(inside);
    expect(one.size(0)).toBe(0);
  });

  it('two internal endpoints never share a mapping', () => {
    const one = nat();
    const first = one.outbound(inside, server, 0)!;
    const second = one.outbound(at('192.168.1.3', 5000), server, 0)!;
    expect(second).not.toEqual(first);
    expect(one.inbound(second, server, 0)).toEqual(at('192.168.1.3', 5000));
  });
});

describe('who is let in', () => {
  const loose = () => nat({ mapping: 'address-dependent', filtering: 'endpoint-independent', ports: 'sequential' });

  it('is answered from the port that it came to, however dependent the mapping is', () => {
    const one = loose();
    const external = one.outbound(inside, server, 0)!;
    one.inbound(external, otherHost, 1);
    expect(one.outbound(inside, otherHost, 2)).toEqual(external);
  });

  it('does not move what goes to another port of its address', () => {
    const one = loose();
    const toServer = one.outbound(inside, server, 0)!;
    const toHost = one.outbound(inside, otherHost, 0)!;
    const neighbour = at(otherHost.address, 4711);
    one.inbound(toServer, neighbour, 1);
    expect(one.outbound(inside, otherHost, 2)).toEqual(toHost);
    expect(one.outbound(inside, neighbour, 2)).toEqual(toServer);
  });
});

describe('filtering (RFC 4787 §5)', () => {
  const rows: [Behaviour, boolean, boolean][] = [
    ['endpoint-independent', true, true],
    ['address-dependent', true, false],
    ['address-and-port-dependent', false, false],
  ];
  it.each(rows)('%s: lets in another port of the address: %s, another address: %s', (filtering, port, address) => {
    const one = nat({ filtering });
    const external = one.outbound(inside, server, 0)!;
    expect(one.inbound(external, server, 1)).toEqual(inside);
    expect(one.inbound(external, otherPort, 1)).toEqual(port ? inside : 'filtered');
    expect(one.inbound(external, otherHost, 1)).toEqual(address ? inside : 'filtered');
    expect(one.inbound(at(PUBLIC, external.port === 9 ? 10 : 9), server, 1)).toBe('no-mapping');
  });

  it('a permission of one mapping is none of another', () => {
    const one = nat({ mapping: 'address-and-port-dependent', filtering: 'address-dependent' });
    const toServer = one.outbound(inside, server, 0)!;
    one.outbound(inside, otherHost, 0);
    expect(one.inbound(toServer, otherHost, 1)).toBe('filtered');
    expect(one.inbound(toServer, otherPort, 1)).toEqual(inside);
  });

  it('the answer to what was let in leaves by the mapping by which it came', () => {
    const one = nat({ mapping: 'address-and-port-dependent', filtering: 'endpoint-independent' });
    const toServer = one.outbound(inside, server, 0)!;
    expect(one.outbound(inside, otherHost, 0)).not.toEqual(toServer);
    expect(one.inbound(toServer, otherHost, 1)).toEqual(inside);
    expect(one.outbound(inside, otherHost, 2)).toEqual(toServer);
  });
});

describe('ports (RFC 4787 §4.2.1)', () => {
  it('preserving: the internal port if it is free', () => {
    const one = nat();
    expect(one.outbound(inside, server, 0)!.port).toBe(5000);
    expect(one.outbound(at('192.168.1.3', 5000), server, 0)!.port).not.toBe(5000);
    expect(one.outbound(at('192.168.1.4', 5000), server, KIND_NAT.lifetimeMs)!.port).toBe(5000);
  });

  it('sequential: the next one', () => {
    const one = nat({ ports: 'sequential', mapping: 'address-and-port-dependent' });
    const first = one.outbound(inside, server, 0)!.port;
    expect(one.outbound(inside, otherPort, 0)!.port).toBe(first + 1);
    expect(one.outbound(inside, otherHost, 0)!.port).toBe(first + 2);
  });

  it('random: anything from 1024', () => {
    const one = nat({ ports: 'random', mapping: 'address-and-port-dependent' });
    const ports = Array.from({ length: 500 }, (_, i) => one.outbound(inside, at('198.51.100.1', i), 0)!.port);
    expect(new Set(ports).size).toBe(500);
    expect(Math.min(...ports)).toBeGreaterThanOrEqual(1024);
    expect(Math.max(...ports) - Math.min(...ports)).toBeGreaterThan(50_000);
  });

  it('nothing twice until all are used up, and free again when mappings end', () => {
    const one = nat({ ports: 'sequential' });
    const ports = new Set<number>();
    for (let i = 0; i < 64_512; i++) ports.add(one.outbound(at('192.168.1.2', i), server, 0)!.port);
    expect(ports.size).toBe(64_512);
    expect(one.outbound(at('192.168.1.3', 1), server, 0)).toBeUndefined();
    expect(one.outbound(at('192.168.1.3', 1), server, KIND_NAT.lifetimeMs)).toBeDefined();
  });
});

describe('lifetime (RFC 4787 §4.3)', () => {
  const lifetimeMs = 30_000;

  it('a mapping ends with its lifetime, and its port is free again', () => {
    const one = nat({ lifetimeMs });
    const external = one.outbound(inside, server, 0)!;
    expect(one.inbound(external, server, 29_999)).toEqual(inside);
    expect(nat({ lifetimeMs }).inbound(external, server, 0)).toBe('no-mapping');
    one.outbound(inside, server, 40_000);
    expect(one.inbound(external, server, 70_000)).toBe('no-mapping');
  });

  it('packets from inside refresh it always, packets from outside only where the NAT says so', () => {
    for (const inboundRefreshes of [true, false]) {
      const one = nat({ lifetimeMs, inboundRefreshes });
      const external = one.outbound(inside, server, 0)!;
      expect(one.inbound(external, server, 20_000)).toEqual(inside);
      expect(one.inbound(external, server, 40_000)).toEqual(inboundRefreshes ? inside : 'no-mapping');
    }
  });

  it('a permission ends by itself while the mapping lives on', () => {
    const one = nat({ lifetimeMs, filtering: 'address-dependent' });
    const external = one.outbound(inside, server, 0)!;
    one.outbound(inside, otherHost, 20_000);
    expect(one.inbound(external, server, 30_000)).toBe('filtered');
    expect(one.inbound(external, otherHost, 30_000)).toEqual(inside);
  });

  it('a reboot forgets everything and may change the address', () => {
    const one = nat();
    const external = one.outbound(inside, server, 0)!;
    one.reboot('203.0.113.9' as IpAddress);
    expect(one.inbound(external, server, 1)).toBe('no-mapping');
    expect(one.outbound(inside, server, 1)!.address).toBe('203.0.113.9');
  });
});
