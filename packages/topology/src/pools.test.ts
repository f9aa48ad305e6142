import type { Prefix } from '@warren/base';
import { describe, expect, it } from 'vitest';
import { checkAddresses, checkPools, checkReservation } from './index.js';

const CIDRS = ['10.44.0.0/16', 'fd44::/64'] as Prefix[];
const refused = { code: 'bad-request' };

describe('pools', () => {
  it('are prefixes or addresses within the network', () => {
    expect(checkPools(['10.44.8.0/24', '10.44.9.1', 'fd44::8:0/112'], CIDRS)).toEqual([
      '10.44.8.0/24',
      '10.44.9.1/32',
      'fd44::8:0/112',
    ]);
  });

  it.each([
    [['10.45.0.0/24'], 'not within'],
    [['10.0.0.0/8'], 'not within'],
    [['10.44.8.1/24'], '10.44.8.0/24'],
    [['10.44.8.0/24', '10.44.8.128/25'], 'overlaps'],
    [['10.44.0.0/32'], 'no address that a node can have'],
    [['x'], 'no pool'],
    [Array.from({ length: 33 }, (_, n) => `10.44.${n}.0/24`), 'at most 32'],
  ])('such as %s are refused', (texts, why) => {
    const check = () => checkPools(texts, CIDRS);
    expect(check).toThrow(expect.objectContaining(refused));
    expect(check).toThrow(why);
  });
});

it('a reservation is one address or a prefix of the network', () => {
  expect(checkReservation('10.44.1.0/24', CIDRS)).toBe('10.44.1.0/24');
  expect(checkReservation('FD44::7', CIDRS)).toBe('fd44::7/128');
  expect(() => checkReservation('10.45.0.1', CIDRS)).toThrow('not within');
});

describe('fixed addresses', () => {
  it('are one of either family or of both', () => {
    expect(checkAddresses(['fd44::7', '10.44.0.7'], CIDRS)).toEqual(['10.44.0.7', 'fd44::7']);
    expect(checkAddresses(['10.44.0.7'], CIDRS)).toEqual(['10.44.0.7']);
  });

  it.each([
    [[], 'one IPv4 and one IPv6'],
    [['10.44.0.7', '10.44.0.8'], 'one IPv4 and one IPv6'],
    [['10.44.0.0'], 'the first and the last'],
    [['10.44.255.255'], 'the first and the last'],
    [['192.168.1.1'], 'it is not in 10.44.0.0/16, fd44::/64'],
    [['10.44.0.7/32'], 'no address'],
  ])('such as %s are refused', (texts, why) => {
    const check = () => checkAddresses(texts, CIDRS);
    expect(check).toThrow(expect.objectContaining(refused));
    expect(check).toThrow(why);
  });
});
