import { describe, expect, it } from 'vitest';
import { CARRIER_NAT, HOME_NAT, type NatBehaviour, type NatKind, renderNat } from './nat.js';

const SITE = { inside: 'lan', outside: 'wan', publicAddress: '203.0.113.9' };
const rules = (kind: NatKind): string => renderNat(kind, SITE);

// That the rules do what they say is shown on real packets by tests/lab/nat.test.ts; here is what they are made of.
describe('the rules of a NAT', () => {
  it('look a mapping up by the inner endpoint alone when it is endpoint-independent', () => {
    expect(rules(HOME_NAT)).toContain('snat ip to 203.0.113.9 : ip saddr . udp sport map @out');
  });

  it('look it up by the destination too when it depends on it', () => {
    const kind = (mapping: NatBehaviour): NatKind => ({ mapping, filtering: 'endpoint-independent' });
    expect(rules(kind('address-dependent'))).toContain('ip saddr . udp sport . ip daddr map @out');
    expect(rules(kind('address-and-port-dependent'))).toContain('ip saddr . udp sport . ip daddr . udp dport map @out');
  });

  it('have a set of peers unless filtering is endpoint-independent', () => {
    expect(rules(HOME_NAT)).toContain('udp dport . ip saddr . udp sport != @peers drop');
    expect(rules({ mapping: 'endpoint-independent', filtering: 'endpoint-independent' })).not.toContain('peers');
  });

  it('choose ports at random when told to, or when one inner port needs several outer ones', () => {
    expect(rules(CARRIER_NAT)).toContain('meta l4proto udp snat ip to 203.0.113.9:20000-59999 fully-random');
    expect(rules(HOME_NAT)).toContain('udp sport @used snat ip to 203.0.113.9:20000-59999 fully-random');
    const dependent: NatKind = { mapping: 'address-dependent', filtering: 'address-dependent', ports: 'preserved' };
    expect(rules(dependent)).not.toContain('udp sport @used snat');
  });

  it('forget a mapping after the time that they are given', () => {
    expect(rules({ ...HOME_NAT, timeoutS: 30 })).toContain('timeout 30s');
    expect(() => rules({ ...HOME_NAT, timeoutS: 0 })).toThrow('positive');
  });

  it('count the ports only where each flow has one of its own', () => {
    const kind = {
      mapping: 'address-and-port-dependent',
      filtering: 'endpoint-independent',
      ports: 'sequential',
    } as const;
    expect(rules(kind)).toContain('numgen inc mod 4096 map { 0 : 20000, 1 : 20001,');
    expect(() => rules({ ...kind, mapping: 'endpoint-independent' })).toThrow('port of its own');
  });

  it('of a masquerade give away the port of an early packet only with open input', () => {
    expect(rules({ masquerade: 'input-accepted' })).toContain('update @early');
    expect(rules({ masquerade: 'input-dropped' })).not.toContain('update @early');
  });
});
