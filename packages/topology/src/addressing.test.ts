import type { IpAddress, Prefix } from '@warren/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { endsOf, isUsable, lowestFree, mirrorOf, narrowestOf, poolsOf, spanKey, spansIn, spansOf } from './index.js';

const cidrs = (...texts: string[]): Prefix[] => texts as Prefix[];
const set = (...texts: string[]): Set<IpAddress> => new Set(texts as IpAddress[]);
const space = (whole: string[], ...pools: string[]) => ({ cidrs: cidrs(...whole), pools: cidrs(...pools) });
const BOTH = ['10.44.0.0/16', 'fd44::/64'];

describe('the lowest free address', () => {
  it.each([
    ['the first of an empty network', space(BOTH), set(), '10.44.0.1'],
    ['the lowest hole', space(BOTH), set('10.44.0.1', '10.44.0.3'), '10.44.0.2'],
    [
      'in a second prefix when the first is full',
      space(['10.1.0.0/30', '10.2.0.0/30']),
      set('10.1.0.1', '10.1.0.2'),
      '10.2.0.1',
    ],
    ['in the pool', space(BOTH, '10.44.8.0/24'), set(), '10.44.8.1'],
    [
      'in the next pool when the first is full',
      space(BOTH, '10.44.8.0/30', '10.44.7.9/32'),
      set('10.44.8.1', '10.44.8.2'),
      '10.44.7.9',
    ],
    ['anywhere when only the other family has pools', space(BOTH, 'fd44::8:0/112'), set(), '10.44.0.1'],
    ['both of a pool of two', space(BOTH, '10.44.9.4/31'), set('10.44.9.4'), '10.44.9.5'],
  ])('is %s', (_, where, taken, expected) => {
    expect(lowestFree(spansOf(where, 4), taken)?.address).toBe(expected);
  });

  it('is never the first or the broadcast address of a network, nor an anycast address', () => {
    const edges = space(['10.1.0.0/29', 'fd01::/64'], '10.1.0.0/31', '10.1.0.6/31', 'fd01::/127');
    expect(spansOf(edges, 4)).toEqual([
      { prefix: '10.1.0.0/31', first: 1, last: 1 },
      { prefix: '10.1.0.6/31', first: 0, last: 0 },
    ]);
    expect(lowestFree(spansOf(edges, 6), set())?.address).toBe('fd01::1');
  });

  it('is none when all are taken, and is searched for a bounded time', () => {
    expect(lowestFree(spansOf(space(['10.1.0.0/30']), 4), set('10.1.0.1', '10.1.0.2'))).toBeUndefined();
    expect(lowestFree(spansOf(space(['10.1.0.0/30']), 6), set())).toBeUndefined();
    let asked = 0;
    expect(lowestFree(spansOf(space(['10.0.0.0/8']), 4), { has: () => ++asked > 0 })).toBeUndefined();
    expect(asked).toBeLessThanOrEqual(1_000_000);
  });

  it('is not looked for where everything is known to be taken', () => {
    const spans = spansOf(space(BOTH), 4);
    const asked: string[] = [];
    const taken = { has: (address: IpAddress) => void asked.push(address) as unknown as boolean };
    const startAt = new Map([[spanKey(spans[0]!), 515]]);
    expect(lowestFree(spans, taken, startAt)).toMatchObject({ address: '10.44.2.3', offset: 515 });
    expect(asked).toHaveLength(1);
    expect(endsOf(spans[0]!, 515)).toEqual(['10.44.2.3', '10.44.255.254']);
  });

  it('lies in no excluded prefix, also when that has millions of addresses', () => {
    const big = spansOf(space(['10.0.0.0/8']), 4, cidrs('10.0.0.0/10', '10.64.0.1/32', '192.168.0.0/16', 'fd00::/8'));
    expect(lowestFree(big, set())?.address).toBe('10.64.0.0');
    expect(lowestFree(big, set('10.64.0.0'))?.address).toBe('10.64.0.2');
    expect(spansOf(space(['10.1.0.0/24']), 4, cidrs('10.1.0.0/23'))).toEqual([]);
    expect(lowestFree(spansOf(space(['fd44::/64']), 6, cidrs('fd44::/65')), set())).toBeUndefined();
  });

  it('is what a search through everything finds', () => {
    const holes = fc.array(fc.tuple(fc.nat(255), fc.integer({ min: 26, max: 32 })), { maxLength: 6 });
    fc.assert(
      fc.property(holes, fc.array(fc.nat(255), { maxLength: 120 }), (reserved, used) => {
        const excluded = reserved.map(([at, length]) => {
          const size = 2 ** (32 - length);
          return `10.1.0.${Math.floor(at / size) * size}/${length}` as Prefix;
        });
        const inside = narrowestOf(excluded.map((prefix) => ({ prefix })));
        const taken = set(...used.map((n) => `10.1.0.${n}`));
        const all = Array.from({ length: 254 }, (_, n) => `10.1.0.${n + 1}` as IpAddress);
        const expected = all.find((address) => !taken.has(address) && !inside(address));
        expect(lowestFree(spansIn(cidrs('10.1.0.0/24'), cidrs('10.1.0.0/24'), excluded), taken)?.address).toBe(
          expected,
        );
      }),
    );
  });
});

describe('an IPv6 address', () => {
  const mirror = (whole: string[], v4: string, ...pools: string[]) =>
    mirrorOf(cidrs(...whole), v4 as IpAddress, spansOf(space(whole, ...pools), 6));

  it.each([
    [BOTH, '10.44.0.3', 'fd44::3'],
    [BOTH, '10.44.1.1', 'fd44::101'],
    [['10.44.1.0/24', 'fd44::/120'], '10.44.1.2', 'fd44::2'],
    [['10.1.0.0/30', '10.2.0.0/24', 'fd44::/64'], '10.2.0.9', 'fd44::9'],
  ])('of %s ends as %s does', (whole, v4, expected) => {
    expect(mirror(whole, v4)).toBe(expected);
  });

  it('is none where there is no such address to hand out', () => {
    expect(mirror(['10.44.0.0/16'], '10.44.0.3')).toBeUndefined();
    expect(mirror(['10.44.0.0/16', 'fd44::/126'], '10.44.0.4')).toBeUndefined();
    expect(mirror(BOTH, '10.44.0.3', 'fd44::8:0/112')).toBeUndefined();
    expect(mirror(BOTH, '10.45.0.3')).toBeUndefined();
  });
});

it('pools count for their own family', () => {
  const where = space(BOTH, '10.44.8.0/24');
  expect(poolsOf(where, 4)).toEqual(['10.44.8.0/24']);
  expect(poolsOf(where, 6)).toEqual(['fd44::/64']);
});

it('a node can have every address of its network but the ends', () => {
  const usable = (address: string) => isUsable(cidrs(...BOTH), address as IpAddress);
  expect(['10.44.0.1', '10.44.255.254', 'fd44::1', 'fd44::ffff:ffff:ffff:ffff'].every(usable)).toBe(true);
  expect(['10.44.0.0', '10.44.255.255', 'fd44::', '10.45.0.1', 'fd45::1'].some(usable)).toBe(false);
});

it('of the prefixes that hold an address the narrowest counts', () => {
  const find = narrowestOf([
    { prefix: '10.1.0.0/16' as Prefix },
    { prefix: '10.1.2.3/32' as Prefix },
    { prefix: '10.1.2.0/24' as Prefix },
  ]);
  expect(find('10.1.2.3' as IpAddress)?.prefix).toBe('10.1.2.3/32');
  expect(find('10.1.2.4' as IpAddress)?.prefix).toBe('10.1.2.0/24');
  expect(find('10.1.3.4' as IpAddress)?.prefix).toBe('10.1.0.0/16');
  expect(find('10.2.0.1' as IpAddress)).toBeUndefined();
});
