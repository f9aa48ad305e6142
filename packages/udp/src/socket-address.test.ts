import type { IpAddress } from '@warren/base';
import { describe, expect, it } from 'vitest';
import { unsupportedHost } from './libc.js';
import { encodeSocketAddress, socketAddressAndPort, socketAddressEndpoint } from './socket-address.js';

describe('socket address', () => {
  it('lays out IPv4 as the kernel does', () => {
    const encoded = encodeSocketAddress('192.0.2.7' as IpAddress, 51_820);
    expect([...encoded.subarray(0, 8)]).toEqual([2, 0, 0xca, 0x6c, 192, 0, 2, 7]);
    expect(encoded.subarray(8).every((byte) => byte === 0)).toBe(true);
    expect(socketAddressEndpoint(encoded)).toBe('192.0.2.7:51820');
    expect([...socketAddressAndPort(encoded)]).toEqual([192, 0, 2, 7, 0xca, 0x6c]);
  });

  it('lays out IPv6 as the kernel does', () => {
    const encoded = encodeSocketAddress('2001:db8::1' as IpAddress, 1);
    expect([...encoded.subarray(0, 12)]).toEqual([10, 0, 0, 1, 0, 0, 0, 0, 0x20, 0x01, 0x0d, 0xb8]);
    expect(encoded[23]).toBe(1);
    expect(socketAddressEndpoint(encoded)).toBe('[2001:db8::1]:1');
    expect(socketAddressAndPort(encoded)).toHaveLength(18);
    expect([...socketAddressAndPort(encoded).subarray(15)]).toEqual([1, 0, 1]);
  });
});

describe('host', () => {
  it('is refused with a clear line when it is big-endian, not Linux or of an unknown kind', () => {
    expect(unsupportedHost('linux', 's390x', 'BE')).toMatch(/big-endian/);
    expect(unsupportedHost('darwin', 'arm64', 'LE')).toMatch(/needs Linux.*darwin/);
    expect(unsupportedHost('linux', 'mips64el', 'LE')).toMatch(/machine type mips64el/);
    expect(unsupportedHost('linux', 'arm64', 'LE')).toBeUndefined();
    expect(unsupportedHost('linux', 'x64', 'LE')).toBeUndefined();
  });
});
