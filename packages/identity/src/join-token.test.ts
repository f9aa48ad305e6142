import type { HostPort } from '@warren/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatJoinToken, type JoinToken, parseJoinToken } from './index.js';

const TOKEN: JoinToken = {
  id: 'k7dq2v',
  secret: new Uint8Array(32).fill(1),
  addresses: ['warren.example.com:8443', '203.0.113.7:443', '[2001:db8::7]:8443'] as HostPort[],
  pin: new Uint8Array(32).fill(2),
};
const TEXT = formatJoinToken(TOKEN);

const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
const port = fc.integer({ min: 1, max: 65_535 });
const address = fc
  .oneof(fc.domain(), fc.ipV4())
  .chain((host) => port.map((n) => `${host}:${n}` as HostPort))
  .filter((text) => text.length <= 255);
const tokens: fc.Arbitrary<JoinToken> = fc.record({
  id: fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/),
  secret: bytes32,
  addresses: fc.array(address, { minLength: 1, maxLength: 8 }),
  pin: bytes32,
});

describe('join tokens', () => {
  it('come back from their text', () => {
    fc.assert(
      fc.property(tokens, (token) => {
        expect(parseJoinToken(formatJoinToken(token))).toEqual(token);
      }),
    );
  });

  it('are read with white space around them, as pasted', () => {
    expect(parseJoinToken(` ${TEXT}\r\n`)).toEqual(TOKEN);
  });

  it('are refused when a character is missing, added or mistyped', () => {
    for (let i = 0; i < TEXT.length; i++) {
      expect(parseJoinToken(TEXT.slice(0, i) + TEXT.slice(i + 1))).toBeUndefined();
      expect(parseJoinToken(`${TEXT.slice(0, i)}A${TEXT.slice(i)}`)).toBeUndefined();
      const typed = TEXT[i] === 'b' ? 'c' : 'b';
      expect(parseJoinToken(TEXT.slice(0, i) + typed + TEXT.slice(i + 1))).toBeUndefined();
    }
  });

  it('are not found in other text, and no text throws', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.string({ maxLength: 300 }).map((rest) => `warren1_${rest}`),
      fc.base64String({ maxLength: 300 }).map((rest) => `warren1_${rest}`),
    );
    fc.assert(
      fc.property(text, (garbage) => {
        expect(parseJoinToken(garbage)).toBeUndefined();
      }),
      { numRuns: 2000 },
    );
  });

  it('are not made from what they could not carry', () => {
    expect(() => formatJoinToken({ ...TOKEN, id: '' })).toThrow('printable id');
    expect(() => formatJoinToken({ ...TOKEN, id: 'x'.repeat(65) })).toThrow('printable id');
    expect(() => formatJoinToken({ ...TOKEN, addresses: [] })).toThrow('1 to 8 addresses');
    expect(() => formatJoinToken({ ...TOKEN, addresses: ['no port'] as unknown as HostPort[] })).toThrow('addresses');
    expect(() => formatJoinToken({ ...TOKEN, secret: new Uint8Array(31) })).toThrow('32 bytes');
  });
});
