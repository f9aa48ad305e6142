import type { Prefix } from '@warren/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkCidrs, clashesWith } from './index.js';

describe("a network's prefixes", () => {
  it.each([
    [['10.44.0.0/16']],
    [['10.44.0.0/16', 'fd12:3456:789a::/64']],
    [['100.64.0.0/10']],
    [['172.16.0.0/12', '192.168.7.0/30']],
  ])('%j are fine', (texts) => {
    expect(checkCidrs(texts)).toEqual({ cidrs: texts, warnings: [] });
  });

  it.each([[['192.0.2.0/24']], [['2001:db8::/64']], [['172.32.0.0/16']], [['10.0.0.0/8', '8.8.8.0/24']]])(
    '%j are taken with a warning, because they are not private',
    (texts) => {
      const { cidrs, warnings } = checkCidrs(texts);
      expect(cidrs).toEqual(texts);
      expect(warnings).toEqual([expect.stringMatching(/is not private/)]);
    },
  );

  it.each([
    [[], '1 to 8 prefixes'],
    [Array.from({ length: 9 }, (_, i) => `10.${i}.0.0/16`), '1 to 8 prefixes'],
    [['hello'], 'is no prefix'],
    [['10.44.0.0'], 'is no prefix'],
    [['10.44.0.0/33'], 'is no prefix'],
    [['10.44.0.1/16'], 'write 10.44.0.0/16'],
    [['fd00::1/64'], 'write fd00::/64'],
    [['10.0.0.0/7'], '8 to 30'],
    [['10.0.0.0/31'], '8 to 30'],
    [['fd00::/127'], '32 to 126'],
    [['127.0.0.0/8'], 'no node can have'],
    [['169.254.0.0/16'], 'no node can have'],
    [['224.0.0.0/8'], 'no node can have'],
    [['fe80::/64'], 'no node can have'],
    [['ff02::/64'], 'no node can have'],
    [['::/32'], 'no node can have'],
    [['10.44.0.0/16', '10.44.7.0/24'], 'overlaps'],
    [['10.44.0.0/16', '10.44.0.0/16'], 'overlaps'],
  ])('%j are refused', (texts, message) => {
    expect(() => checkCidrs(texts)).toThrow(
      expect.objectContaining({ code: 'bad-request', message: expect.stringContaining(message) }),
    );
  });

  it('are refused in one printable line, whatever they are', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 200 }), { maxLength: 3 }), (texts) => {
        try {
          checkCidrs(texts);
        } catch (error) {
          expect(error).toMatchObject({ code: 'bad-request', message: expect.stringMatching(/^.{1,300}$/) });
        }
      }),
    );
  });

  it("clash with a host's LAN when they share an address, in either direction", () => {
    const lans = ['10.44.7.0/24', '10.0.0.0/8', '192.168.1.0/24', 'fd44::/64', '0.0.0.0/0'] as Prefix[];
    expect(clashesWith(['10.44.0.0/16', 'fd45::/64'] as Prefix[], lans).map((clash) => clash.lan)).toEqual([
      '10.44.7.0/24',
      '10.0.0.0/8',
      '0.0.0.0/0',
    ]);
    expect(clashesWith(['172.20.0.0/16'] as Prefix[], lans.slice(0, 4))).toEqual([]);
  });
});
