import { type IpAddress, type NodeId, type Prefix, prefixContains } from '@warren/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planRenumbering, type Reservation } from './index.js';

const prefixes = (...texts: string[]): Prefix[] => texts as Prefix[];
const space = (whole: string[], ...pools: string[]) => ({ cidrs: prefixes(...whole), pools: prefixes(...pools) });
const node = (name: string, ...addresses: string[]) => ({
  id: `id-${name}` as NodeId,
  name,
  addresses: addresses as IpAddress[],
});
const nobody = new Set<IpAddress>();
const FROM = space(['10.44.0.0/16', 'fd44::/64']);
const NODES = [node('a', '10.44.0.1', 'fd44::1'), node('b', '10.44.1.2', 'fd44::102')];

function plan(to: ReturnType<typeof space>, more: Partial<Parameters<typeof planRenumbering>[0]> = {}) {
  const input = { from: FROM, to, nodes: NODES, reservations: [] as Reservation[], resting: nobody, ...more };
  const made = planRenumbering(input);
  return { ...made, next: made.nodes.map(({ next }) => next) };
}

describe('renumbering', () => {
  it('keeps the distance from the beginning of the prefix', () => {
    expect(plan(space(['10.77.0.0/16', 'fd77::/64'])).next).toEqual([
      ['10.77.0.1', 'fd77::1'],
      ['10.77.1.2', 'fd77::102'],
    ]);
  });

  it('gives the next free address to whom the prefix is too small', () => {
    expect(plan(space(['10.77.0.0/24', 'fd77::/120'])).next).toEqual([
      ['10.77.0.1', 'fd77::1'],
      ['10.77.0.2', 'fd77::2'],
    ]);
  });

  it('gives a new family to everybody, and takes one away', () => {
    const v4 = { from: space(['10.44.0.0/16']), nodes: [node('a', '10.44.0.1'), node('b', '10.44.1.2')] };
    expect(plan(space(['10.44.0.0/16', 'fd77::/64']), v4).next).toEqual([
      ['10.44.0.1', 'fd77::1'],
      ['10.44.1.2', 'fd77::102'],
    ]);
    expect(plan(space(['10.44.0.0/16'])).next).toEqual([['10.44.0.1'], ['10.44.1.2']]);
  });

  it('leaves everybody in peace whose address still fits', () => {
    const small = { from: space(['10.44.0.0/24']), nodes: [node('a', '10.44.0.9')] };
    expect(plan(space(['10.44.0.0/16']), small).next).toEqual([['10.44.0.9']]);
  });

  it('hands nobody an address that another node has now', () => {
    const nodes = [node('a', '10.44.0.1'), node('b', '10.44.0.129')];
    const shifted = plan(space(['10.44.0.128/25']), { from: space(['10.44.0.0/24']), nodes });
    expect(shifted.next).toEqual([['10.44.0.130'], ['10.44.0.129']]);
  });

  it('leaves resting addresses alone', () => {
    const resting = new Set(['10.77.0.1'] as IpAddress[]);
    expect(plan(space(['10.77.0.0/16']), { resting }).next).toEqual([['10.77.0.2'], ['10.77.1.2']]);
  });

  it('takes reservations along, and says which have no place', () => {
    const reservations: Reservation[] = [
      { prefix: '10.44.0.7/32' as Prefix, name: 'printer' },
      { prefix: '10.44.200.0/24' as Prefix, name: null },
      { prefix: 'fd44::7/128' as Prefix, name: null },
    ];
    expect(plan(space(['10.77.0.0/17']), { reservations }).reservations).toEqual([
      { prefix: '10.44.0.7/32', name: 'printer', next: '10.77.0.7/32' },
      { prefix: '10.44.200.0/24', name: null, next: null },
      { prefix: 'fd44::7/128', name: null, next: null },
    ]);
  });

  it('gives what is reserved to its node only', () => {
    const reservations: Reservation[] = [
      { prefix: '10.77.0.1/32' as Prefix, name: 'b' },
      { prefix: '10.77.1.0/24' as Prefix, name: null },
    ];
    expect(plan(space(['10.77.0.0/16']), { reservations }).next).toEqual([['10.77.0.2'], ['10.77.0.3']]);
  });

  it('keeps within the pools who was in a pool', () => {
    const from = space(['10.44.0.0/16'], '10.44.1.0/24');
    const nodes = [node('fixed', '10.44.0.1'), node('pooled', '10.44.1.2')];
    expect(plan(space(['10.77.0.0/16'], '10.77.9.0/24'), { from, nodes }).next).toEqual([['10.77.0.1'], ['10.77.9.1']]);
  });

  it('says when there is no room', () => {
    const many = Array.from({ length: 7 }, (_, n) => node(`n${n}`, `10.44.0.${n + 1}`));
    expect(() => plan(space(['10.77.0.0/29']), { nodes: many })).toThrow(
      expect.objectContaining({ code: 'addresses-exhausted', message: expect.stringContaining('7 nodes') }),
    );
  });

  it('gives every node one address of each family, none twice, none of another node, whatever the prefixes', () => {
    const cidr = fc.record({ third: fc.constantFrom(0, 64, 128), length: fc.integer({ min: 18, max: 25 }) });
    const offsets = fc.uniqueArray(fc.integer({ min: 1, max: 120 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(cidr, cidr, offsets, (a, b, ns) => {
        const text = ({ third, length }: { third: number; length: number }) => `10.1.${third}.0/${length}`;
        const nodes = ns.map((n) => node(`n${n}`, `10.1.${a.third}.${n}`));
        const made = plan(space([text(b), 'fd01::/64']), { from: space([text(a)]), nodes });
        const given = made.next.flat();
        expect(new Set(given).size).toBe(2 * nodes.length);
        for (const { id, next } of made.nodes) {
          expect(prefixContains(text(b) as Prefix, next[0]!)).toBe(true);
          const owner = nodes.find(({ addresses }) => addresses[0] === next[0]);
          if (owner) expect(owner.id).toBe(id);
        }
      }),
    );
  });
});
