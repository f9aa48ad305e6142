import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toBase64 } from './bytes.js';
import { drop, isDrop } from './drop.js';
import { formatEndpoint, formatHostPort, parseEndpoint, parseHostPort } from './endpoint.js';
import { InvariantError, invariant, WarrenError } from './error.js';
import { ipFromBytes } from './ip.js';
import { parsePublicKey, publicKeyBytes, publicKeyFromBytes, SecretKey } from './keys.js';

describe('endpoints', () => {
  it.each([
    ['example.org:51820', 'example.org', 51820],
    ['public-server1.example-vpn.dev.:1', 'public-server1.example-vpn.dev.', 1],
    ['192.0.2.1:65535', '192.0.2.1', 65535],
    ['[2001:DB8::1]:8443', '2001:db8::1', 8443],
    ['localhost:80', 'localhost', 80],
  ])('reads %s', (text, host, port) => {
    expect(parseHostPort(text)).toEqual({ host, port });
  });

  it.each([
    '',
    'host',
    'host:0',
    'host:65536',
    'host:port',
    ':80',
    '2001:db8::1:80',
    '[192.0.2.1]:80',
    '[::1]',
    '192.0.2.256:80',
    '192.0.2:80',
    'a b:80',
    '-a.example:80',
    `${'a'.repeat(64)}.example:80`,
  ])('refuses "%s"', (text) => {
    expect(parseHostPort(text)).toBeUndefined();
  });

  it('are read as they were written', () => {
    const ip = fc
      .oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 }))
      .map(ipFromBytes);
    fc.assert(
      fc.property(ip, fc.integer({ min: 1, max: 65535 }), (address, port) => {
        expect(parseEndpoint(formatEndpoint(address, port))).toEqual({ address, port });
        expect(parseHostPort(formatHostPort(address, port))).toEqual({ host: address, port });
      }),
    );
    expect(parseEndpoint('example.org:80')).toBeUndefined();
  });
});

describe('keys', () => {
  it('are 32 bytes as canonical base64, nothing else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        const key = publicKeyFromBytes(bytes);
        expect(parsePublicKey(key)).toBe(key);
        expect(publicKeyBytes(key)).toEqual(bytes);
        expect(SecretKey.parse(key)!.expose()).toEqual(bytes);
      }),
    );
    for (const length of [0, 31, 33]) {
      const text = toBase64(new Uint8Array(length));
      expect(parsePublicKey(text)).toBeUndefined();
      expect(SecretKey.parse(text)).toBeUndefined();
      expect(() => publicKeyFromBytes(new Uint8Array(length))).toThrow(`not ${length}`);
      expect(() => new SecretKey(new Uint8Array(length))).toThrow(`not ${length}`);
    }
  });

  it('that are secret show themselves to no printer, serialiser or inspector', () => {
    const bytes = new Uint8Array(32).fill(0x5a);
    const key = new SecretKey(bytes);
    const shown = [`${key}`, String(key), JSON.stringify({ key }), inspect({ key }, { depth: 9, showHidden: true })];
    for (const text of shown) {
      expect(text).toContain('SecretKey(…)');
      expect(text).not.toMatch(/90|5a|Wlpa/i);
    }
    expect(Object.keys(key)).toEqual([]);
  });

  it('that are secret copy what they are made of, and can be erased', () => {
    const bytes = new Uint8Array(32).fill(7);
    const key = new SecretKey(bytes);
    bytes.fill(0);
    expect(key.expose()[0]).toBe(7);
    key.erase();
    expect(key.expose()).toEqual(new Uint8Array(32));
  });
});

describe('drops and errors', () => {
  it('drops are frozen and told from any other result', () => {
    const reason = drop('too-short');
    expect(Object.isFrozen(reason)).toBe(true);
    expect(isDrop(reason)).toBe(true);
    for (const other of [0, 1, '', 'too-short', null, undefined, {}, { drop: false }, new Uint8Array(1)]) {
      expect(isDrop(other)).toBe(false);
    }
  });

  it('invariants throw our own error, operations theirs with a stable code', () => {
    expect(() => invariant(false, 'heap is a heap')).toThrow(new InvariantError('heap is a heap'));
    expect(() => invariant(1, 'fine')).not.toThrow();
    const cause = new Error('inner');
    const error = new WarrenError('port-in-use', 'port 51820 is in use: choose another', { cause });
    expect(error).toMatchObject({ code: 'port-in-use', name: 'WarrenError', cause });
  });
});
