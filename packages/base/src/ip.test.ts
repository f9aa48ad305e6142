import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addressBits,
  hostPrefix,
  type IpAddress,
  ipFamily,
  ipFromBytes,
  ipToBytes,
  makePrefix,
  parseIpAddress,
  parsePrefix,
  prefixAddress,
  prefixContains,
  prefixesOverlap,
  prefixLength,
} from './ip.js';

describe('parseIpAddress', () => {
  it.each([
    ['10.44.0.1', '10.44.0.1'],
    ['0.0.0.0', '0.0.0.0'],
    ['fd00:0:0:0::1', 'fd00::1'],
    ['2001:DB8::0001', '2001:db8::1'],
    ['::', '::'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
  ])('reads %s as %s', (text, canonical) => {
    expect(parseIpAddress(text)).toBe(canonical);
  });

  it.each([
    '',
    '10.44.0',
    '10.44.0.256',
    '010.0.0.1',
    '0x0a.0.0.1',
    '1',
    '10.0.0.1/8',
    'fe80::1%eth0',
    ':::',
    'g::',
    'host',
  ])('refuses "%s"', (text) => {
    expect(parseIpAddress(text)).toBeUndefined();
  });

  it('accepts nothing that the operating system would not', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string()), (text) => {
        const address = parseIpAddress(text);
        if (address) expect([isIP(text), isIP(address)]).toEqual([ipFamily(address), ipFamily(address)]);
      }),
    );
  });
});

const address = fc
  .oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 }))
  .map(ipFromBytes);
const prefix = address.chain((ip) => fc.nat(addressBits(ip)).map((length) => makePrefix(ip, length)));
const bits = (ip: IpAddress): string => [...ipToBytes(ip)].map((byte) => byte.toString(2).padStart(8, '0')).join('');

describe('addresses and prefixes', () => {
  it('are canonical: text, bytes and text again are the same', () => {
    fc.assert(
      fc.property(address, prefix, (ip, net) => {
        expect(ipFromBytes(ipToBytes(ip))).toBe(ip);
        expect(parseIpAddress(ip)).toBe(ip);
        expect(parsePrefix(net)).toBe(net);
        expect(parsePrefix(ip)).toBe(hostPrefix(ip));
      }),
    );
  });

  it('contain what has the same leading bits', () => {
    fc.assert(
      fc.property(prefix, address, (net, ip) => {
        const sameBits = bits(ip).startsWith(bits(prefixAddress(net)).slice(0, prefixLength(net)));
        expect(prefixContains(net, ip)).toBe(ipFamily(net) === ipFamily(ip) && sameBits);
        expect(prefixContains(net, prefixAddress(net))).toBe(true);
      }),
    );
  });

  it('overlap exactly if one contains the other’s address', () => {
    fc.assert(
      fc.property(prefix, prefix, (a, b) => {
        const expected = prefixContains(a, prefixAddress(b)) || prefixContains(b, prefixAddress(a));
        expect(prefixesOverlap(a, b)).toBe(expected);
        expect(prefixesOverlap(b, a)).toBe(expected);
      }),
    );
  });

  it.each([
    ['10.44.3.7/16', '10.44.0.0/16'],
    ['10.44.3.7', '10.44.3.7/32'],
    ['fd00::1/8', 'fd00::/8'],
    ['1.2.3.4/0', '0.0.0.0/0'],
  ])('parsePrefix reads %s as %s', (text, canonical) => {
    expect(parsePrefix(text)).toBe(canonical);
  });

  it.each(['10.0.0.0/33', '10.0.0.0/', '10.0.0.0/08', '10.0.0.0/-1', '10.0.0.0/8/8', 'fd00::/129', '/8', 'x/8'])(
    'parsePrefix refuses "%s"',
    (text) => {
      expect(parsePrefix(text)).toBeUndefined();
    },
  );

  it('cannot be made of another number of bytes', () => {
    expect(() => ipFromBytes(new Uint8Array(5))).toThrow('4 or 16 bytes, not 5');
  });
});
