import { describe, expect, it } from 'vitest';
import { CARRIER_NAT, HOME_NAT, type NatKind, renderNat } from './nat.js';

const SITE = { inside: 'lan', outside: 'wan', publicAddress: '203.0.113.9' };
const rules = (kind: NatKind): string => renderNat(kind, SITE);

// That the rules do what they say is shown on real packets by tests/lab/nat.test.ts; here is what they are made of.
describe('the rules of a NAT', () => {
  it('look a mapping up by the inner endpoint alone when it is endpoint-independent', () => {
    expect(rules(HOME_NAT)).toContain('snat ip to 203.0.113.9 : ip saddr . udp sport map @out');
  });

  it('look it up by the destination too when it depends on it', () => {
    const kind = (mapping: NatKind['mapping']): NatKind => ({ mapping, filtering: 'endpoint-independent' });
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
});
