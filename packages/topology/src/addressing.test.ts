import type { IpAddress, Prefix } from '@warren/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allocateAddresses } from './index.js';

const cidrs = (...texts: string[]): Prefix[] => texts as Prefix[];
const set = (...texts: string[]): Set<IpAddress> => new Set(texts as IpAddress[]);
const BOTH = cidrs('10.44.0.0/16', 'fd44::/64');

describe('addresses', () => {
  it.each([
    ['the first of each family in an empty network', BOTH, set(), ['10.44.0.1', 'fd44::1']],
    ['the lowest hole', BOTH, set('10.44.0.1', 'fd44::1', '10.44.0.3', 'fd44::3'), ['10.44.0.2', 'fd44::2']],
    ['the lowest IPv6 address when the one alike is taken', BOTH, set('fd44::1', 'fd44::2'), ['10.44.0.1', 'fd44::3']],
    ['only IPv4 where there is no IPv6 prefix', cidrs('10.44.0.0/16'), set(), ['10.44.0.1']],
    ['only IPv6 where there is no IPv4 prefix', cidrs('fd44::/64'), set('fd44::1'), ['fd44::2']],
    [
      'a second prefix when the first is full',
      cidrs('10.1.0.0/30', '10.2.0.0/30'),
      set('10.1.0.1', '10.1.0.2'),
      ['10.2.0.1'],
    ],
    [
      'an offset beyond one byte alike',
      cidrs('10.44.1.0/24', 'fd44::/120'),
      set('10.44.1.1'),
      ['10.44.1.2', 'fd44::2'],
    ],
    [
      'the lowest in a small IPv6 prefix',
      cidrs('10.44.0.0/29', 'fd44::/126'),
      set('10.44.0.1', '10.44.0.2', '10.44.0.3'),
      ['10.44.0.4', 'fd44::1'],
    ],
  ])('are %s', (_, prefixes, taken, expected) => {
    expect(allocateAddresses(prefixes, taken)).toEqual(expected);
  });

  it('carry the IPv4 offset over a byte boundary into IPv6', () => {
    const taken = { has: (address: IpAddress) => /^10\.44\.0\./.test(address) || address === '10.44.1.0' };
    expect(allocateAddresses(BOTH, taken)).toEqual(['10.44.1.1', 'fd44::101']);
  });

  it('rest after their node is gone', () => {
    expect(allocateAddresses(BOTH, set(), set('10.44.0.1', 'fd44::2'))).toEqual(['10.44.0.2', 'fd44::1']);
  });

  it('run out with a clear word, never into network or broadcast address', () => {
    const full = set('10.1.0.1', '10.1.0.2');
    expect(() => allocateAddresses(cidrs('10.1.0.0/30'), full)).toThrow(
      expect.objectContaining({ code: 'addresses-exhausted', message: expect.stringContaining('10.1.0.0/30') }),
    );
    expect(() => allocateAddresses(cidrs('10.1.0.0/30'), set('10.1.0.1'), set('10.1.0.2'))).toThrow('no free address');
    const v6Full = set('fd44::1', 'fd44::2', 'fd44::3');
    expect(() => allocateAddresses(cidrs('10.1.0.0/24', 'fd44::/126'), v6Full)).toThrow('fd44::/126');
  });

  it('are searched for a bounded time in a prefix that is full', () => {
    let asked = 0;
    const everything = { has: () => ++asked > 0 };
    expect(() => allocateAddresses(cidrs('10.0.0.0/8'), everything)).toThrow('no free address');
    expect(asked).toBeLessThanOrEqual(1_000_000);
  });

  it('fill a network without repetition, lowest first', () => {
    fc.assert(
      fc.property(fc.integer({ min: 24, max: 30 }), fc.array(fc.nat(300), { maxLength: 40 }), (length, gone) => {
        const prefixes = cidrs(`10.9.0.0/${length}`, 'fd99::/64');
        const capacity = 2 ** (32 - length) - 2;
        const taken = new Set<IpAddress>();
        for (let i = 0; i < capacity; i++) for (const address of allocateAddresses(prefixes, taken)) taken.add(address);
        expect(taken.size).toBe(2 * capacity);
        expect(() => allocateAddresses(prefixes, taken)).toThrow('no free address');
        const freed = gone.map((n) => 1 + (n % capacity));
        for (const n of freed)
          for (const address of [`10.9.0.${n}`, `fd99::${n.toString(16)}`]) taken.delete(address as IpAddress);
        if (freed.length === 0) return;
        const lowest = Math.min(...freed);
        expect(allocateAddresses(prefixes, taken)).toEqual([`10.9.0.${lowest}`, `fd99::${lowest.toString(16)}`]);
      }),
    );
  });
});
