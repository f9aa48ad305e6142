import { expect, test } from 'vitest';
import { callerKey, plainAddress } from './caller-address.js';

test('a caller over IPv4 is the same one at a socket for both families', () => {
  expect(plainAddress('::ffff:198.51.100.7')).toBe('198.51.100.7');
  expect(plainAddress('::ffff:c633:6407')).toBe('198.51.100.7');
  expect(callerKey('::ffff:198.51.100.7')).toBe(callerKey('198.51.100.7'));
  expect(callerKey('::ffff:198.51.100.7')).not.toBe(callerKey('::ffff:198.51.100.8'));
});

test('a host has one IPv6 network of 64 bits', () => {
  expect(callerKey('2001:db8::1')).toBe(callerKey('2001:db8::ffff:1'));
  expect(callerKey('2001:db8::1')).not.toBe(callerKey('2001:db8:0:1::1'));
});

test('a port that a proxy adds makes nobody another, and neither does nonsense', () => {
  expect(callerKey('198.51.100.7:4242')).toBe('198.51.100.7');
  expect(plainAddress('[2001:db8::1]:4242')).toBe('2001:db8::1');
  expect(callerKey('_hidden')).toBe(callerKey('x'.repeat(10_000)));
  expect(plainAddress('_hidden')).toBe('_hidden');
  expect(callerKey(null)).toBe('local');
});
