import {
  type IpAddress,
  ipFromBytes,
  ipToBytes,
  makePrefix,
  type Prefix,
  prefixContains,
  prefixLength,
} from '@warren/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AllowedIps } from './allowed-ips.js';

type Owner = 'a' | 'b' | 'c';

/** The rule, word by word: of all prefixes that hold the address, the longest. */
class NaiveTable {
  readonly prefixes = new Map<Prefix, Owner>();

  lookup(address: IpAddress): Owner | undefined {
    const holding = [...this.prefixes].filter(([prefix]) => prefixContains(prefix, address));
    holding.sort(([a], [b]) => prefixLength(b) - prefixLength(a));
    return holding[0]?.[1];
  }
}

/** Few distinct bits, so that prefixes nest and collide. */
const byte = fc.oneof(fc.constantFrom(0, 1, 2, 128, 192, 255), fc.nat(255));
const address = (length: 4 | 16): fc.Arbitrary<IpAddress> =>
  fc.array(byte, { minLength: length, maxLength: length }).map((bytes) => ipFromBytes(Uint8Array.from(bytes)));
const prefix = (length: 4 | 16): fc.Arbitrary<Prefix> =>
  fc.tuple(address(length), fc.nat(length * 8)).map(([ip, bits]) => makePrefix(ip, bits));
const owner = fc.constantFrom<Owner>('a', 'b', 'c');

const command = (length: 4 | 16) =>
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant('insert' as const), prefix: prefix(length), owner }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('remove' as const), which: fc.nat(30), owner }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('removeOwner' as const), owner }) },
  );

describe.each([4, 16] as const)('allowed IPs of %d bytes', (length) => {
  it('finds what looking through all prefixes would find, whatever is added, stolen and removed', () => {
    fc.assert(
      fc.property(
        fc.array(command(length), { maxLength: 40 }),
        fc.array(address(length), { minLength: 5, maxLength: 10 }),
        (commands, addresses) => {
          const [table, naive] = [new AllowedIps<Owner>(), new NaiveTable()];
          for (const step of commands) {
            if (step.do === 'insert') {
              table.insert(step.prefix, step.owner);
              naive.prefixes.set(step.prefix, step.owner);
            } else if (step.do === 'remove') {
              const chosen = [...naive.prefixes.keys()][step.which];
              if (!chosen) continue;
              table.remove(chosen, step.owner);
              if (naive.prefixes.get(chosen) === step.owner) naive.prefixes.delete(chosen);
            } else {
              table.removeOwner(step.owner);
              for (const [key, value] of naive.prefixes) if (value === step.owner) naive.prefixes.delete(key);
            }
          }
          const edges = [...naive.prefixes.keys()].map((each) => each.slice(0, each.indexOf('/')) as IpAddress);
          for (const ip of [...addresses, ...edges]) {
            const padded = Uint8Array.of(9, 9, 9, ...ipToBytes(ip), 9);
            expect(table.lookup(padded, 3, length)).toBe(naive.lookup(ip));
          }
          for (const each of ['a', 'b', 'c'] as const) {
            const mine = [...naive.prefixes].filter(([, value]) => value === each).map(([key]) => key);
            expect(new Set(table.prefixesOf(each))).toEqual(new Set(mine));
          }
        },
      ),
      { numRuns: 1500, seed: 4 },
    );
  });
});

describe('allowed IPs', () => {
  it('keeps the families apart', () => {
    const table = new AllowedIps<Owner>();
    table.insert('0.0.0.0/0' as Prefix, 'a');
    expect(table.lookup(new Uint8Array(16), 0, 16)).toBeUndefined();
    table.insert('::/0' as Prefix, 'b');
    expect(table.lookup(new Uint8Array(16), 0, 16)).toBe('b');
    expect(table.lookup(new Uint8Array(4), 0, 4)).toBe('a');
  });

  it('leaves a prefix with its new owner when the old one lets go of it', () => {
    const table = new AllowedIps<Owner>();
    table.insert('10.0.0.0/8' as Prefix, 'a');
    table.insert('10.0.0.0/8' as Prefix, 'b');
    table.remove('10.0.0.0/8' as Prefix, 'a');
    table.removeOwner('a');
    expect(table.lookup(Uint8Array.of(10, 1, 1, 1), 0, 4)).toBe('b');
    expect(table.prefixesOf('a')).toEqual([]);
  });
});
