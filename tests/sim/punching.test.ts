import type { IpAddress } from '@warren/base';
import {
  type Behaviour,
  Host,
  Internet,
  IPV6_FIREWALL,
  KIND_NAT,
  type NatKind,
  Random,
  Router,
  type Segment,
} from '@warren/simnet';
import { describe, expect, it } from 'vitest';
import { directPathRule, natsCanBeCrossed } from './support/direct-path-rule.js';
import { NaivePuncher, reflector } from './support/naive-puncher.js';

const BEHAVIOURS: readonly Behaviour[] = ['endpoint-independent', 'address-dependent', 'address-and-port-dependent'];
const KINDS: readonly NatKind[] = [
  ...BEHAVIOURS.flatMap((mapping) => BEHAVIOURS.map((filtering) => [mapping, filtering] as const)),
  ['none', 'none'] as const,
  ['none', 'address-and-port-dependent'] as const,
].map(([mapping, filtering]) => ({
  ...KIND_NAT,
  mapping,
  filtering,
  ports: mapping === 'endpoint-independent' ? 'preserving' : 'random',
}));
const name = ({ mapping, filtering }: NatKind) => `${mapping}/${filtering}`;

let routers = 0;
function network(internet: Internet, outside: Segment, address: string, nat: NatKind, ipv6 = false): Segment {
  const inside = internet.segment(`inside of ${address}`);
  const options = { name: `router ${++routers}`, inside, outside, address: address as IpAddress, nat };
  new Router(ipv6 ? { ...options, ipv6: IPV6_FIREWALL } : options);
  return inside;
}

function host(segment: Segment, ...addresses: string[]): Host {
  const one = new Host(segment.internet, `host ${addresses}`);
  one.moveTo(segment, ...(addresses as IpAddress[]));
  return one;
}

/** Whether the naive puncher gets across, both ways. */
function crosses(internet: Internet, a: Host, b: Host): boolean {
  const reflectors = [reflector(internet, '198.51.100.1'), reflector(internet, '198.51.100.2')];
  const [alice, bob] = [new NaivePuncher(a, reflectors), new NaivePuncher(b, reflectors)];
  for (const one of [alice, bob]) one.ask();
  internet.run(1000);
  const [ofAlice, ofBob] = [alice.candidates(), bob.candidates()];
  alice.punch(ofBob, 5);
  internet.run(new Random(a.addresses.length).integer(100));
  bob.punch(ofAlice, 5);
  internet.run(3000);
  expect(alice.crossed, 'both or neither').toBe(bob.crossed);
  return alice.crossed;
}

describe('which NATs can be crossed', () => {
  it.each(KINDS.map((kind) => [name(kind), kind] as const))('%s against every other', (_, kind) => {
    for (const other of KINDS) {
      const internet = new Internet(1);
      const a = host(
        network(internet, internet.core, '203.0.113.1', kind),
        kind.mapping === 'none' ? '203.0.113.100' : '192.168.1.2',
      );
      const b = host(
        network(internet, internet.core, '203.0.113.2', other),
        other.mapping === 'none' ? '203.0.113.200' : '192.168.1.2',
      );
      const expected = natsCanBeCrossed(kind, other);
      expect(natsCanBeCrossed(other, kind)).toBe(expected);
      expect(directPathRule(a, b)).toMatchObject({ direct: expected ? 'always' : 'never' });
      expect(crosses(internet, a, b), `${name(kind)} × ${name(other)}`).toBe(expected);
    }
  });

  it('most of the cells can', () => {
    const cells = KINDS.flatMap((a) => KINDS.map((b) => natsCanBeCrossed(a, b)));
    expect([cells.filter((crossed) => crossed).length, cells.length]).toMatchInlineSnapshot(`
      [
        89,
        121,
      ]
    `);
  });
});

describe('which hosts reach each other', () => {
  const strict: NatKind = {
    ...KIND_NAT,
    mapping: 'address-and-port-dependent',
    filtering: 'address-and-port-dependent',
    ports: 'random',
    hairpinning: false,
  };
  const check = (internet: Internet, a: Host, b: Host) => {
    const { direct } = directPathRule(a, b);
    expect(directPathRule(b, a).direct).toBe(direct);
    expect(crosses(internet, a, b) ? 'always' : 'never').toBe(direct);
    return direct;
  };

  it('in one local network, whatever the NAT', () => {
    const internet = new Internet(1);
    const lan = network(internet, internet.core, '203.0.113.1', strict);
    expect(check(internet, host(lan, '192.168.1.2'), host(lan, '192.168.1.3'))).toBe('always');
  });

  it('where one has a public address, whatever the NAT of the other', () => {
    const internet = new Internet(1);
    const lan = network(internet, internet.core, '203.0.113.1', strict);
    expect(check(internet, host(lan, '192.168.1.2'), host(internet.core, '198.51.100.77'))).toBe('always');
  });

  it('by IPv6, through the firewalls of both', () => {
    for (const both of [true, false]) {
      const internet = new Internet(1);
      const home = network(internet, internet.core, '203.0.113.1', strict, true);
      const work = network(internet, internet.core, '203.0.113.2', strict, both);
      const [a, b] = [host(home, '192.168.1.2', '2001:db8:1::2'), host(work, '192.168.1.2', '2001:db8:2::2')];
      expect(check(internet, a, b)).toBe(both ? 'always' : 'never');
    }
  });

  it('not where UDP is blocked, except within one network', () => {
    const internet = new Internet(1);
    const lan = network(internet, internet.core, '203.0.113.1', KIND_NAT);
    const [a, b, c] = [host(lan, '192.168.1.2'), host(lan, '192.168.1.3'), host(internet.core, '198.51.100.77')];
    (lan.gateway as Router).udpBlocked = true;
    expect(directPathRule(a, b).direct).toBe('always');
    expect(check(internet, a, c)).toBe('never');
  });

  it('behind one carrier, from two homes: only with its hairpinning and where its NAT can be crossed', () => {
    for (const hairpinning of [true, false]) {
      for (const mapping of ['endpoint-independent', 'address-dependent'] as const) {
        const internet = new Internet(1);
        const kind: NatKind = { ...KIND_NAT, filtering: 'address-and-port-dependent', ports: 'random' };
        const carrier = network(internet, internet.core, '203.0.113.1', { ...kind, mapping, hairpinning });
        const a = host(network(internet, carrier, '100.64.0.2', kind), '192.168.1.2');
        const b = host(network(internet, carrier, '100.64.0.3', kind), '192.168.1.2');
        const crossed = hairpinning && mapping === 'endpoint-independent';
        // Who has seen the carrier's addresses before can do without; the naive puncher has not.
        expect(directPathRule(a, b).direct).toBe(crossed ? 'always' : 'either');
        expect(crosses(internet, a, b)).toBe(crossed);
      }
    }
  });

  it('behind one carrier, one of them without a router of its own: always', () => {
    const internet = new Internet(1);
    const carrier = network(internet, internet.core, '203.0.113.1', strict);
    const a = host(network(internet, carrier, '100.64.0.2', strict), '192.168.1.2');
    expect(check(internet, a, host(carrier, '100.64.0.9'))).toBe('always');
  });

  it('not where they are cut from each other, whatever else could be', () => {
    const internet = new Internet(1);
    const [home, work] = ['203.0.113.1', '203.0.113.2'].map((address) =>
      network(internet, internet.core, address, KIND_NAT, true),
    );
    const [a, b] = [host(home!, '192.168.1.2', '2001:db8:1::2'), host(work!, '192.168.1.2', '2001:db8:2::2')];
    internet.core.cut(home!.gateway!, work!.gateway!);
    expect(check(internet, a, b)).toBe('never');
  });
});
