import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, equalBytes, fromBase64, fromBase64Url, fromHex, toBase64, toBase64Url, toHex } from './bytes.js';

const bytes = fc.uint8Array({ maxLength: 100 });

describe('bytes', () => {
  it('survive hex, base64 and base64url, and agree with Buffer', () => {
    fc.assert(
      fc.property(bytes, (original) => {
        const buffer = Buffer.from(original);
        expect(toHex(original)).toBe(buffer.toString('hex'));
        expect(toBase64(original)).toBe(buffer.toString('base64'));
        expect(toBase64Url(original)).toBe(buffer.toString('base64url'));
        expect(fromHex(toHex(original).toUpperCase())).toEqual(original);
        expect(fromBase64(toBase64(original))).toEqual(original);
        expect(fromBase64Url(toBase64Url(original))).toEqual(original);
      }),
    );
  });

  it('are undefined, never an exception, for text that is not canonical', () => {
    for (const text of ['a', 'zz', '0x00', ' 00']) expect(fromHex(text)).toBeUndefined();
    for (const text of ['A', 'AA', 'AB==', 'AA==\n', 'A-_=', '====']) expect(fromBase64(text)).toBeUndefined();
    for (const text of ['A', 'AA==', 'AB', 'A+/=']) expect(fromBase64Url(text)).toBeUndefined();
    fc.assert(fc.property(fc.string(), (text) => [fromHex(text), fromBase64(text), fromBase64Url(text)].length === 3));
  });

  it('are concatenated in order and compared by content', () => {
    fc.assert(
      fc.property(fc.array(bytes), (parts) => {
        expect(concatBytes(...parts)).toEqual(Uint8Array.from(parts.flatMap((part) => [...part])));
      }),
    );
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        expect(equalBytes(a, b)).toBe(toHex(a) === toHex(b));
        expect(equalBytes(a, a.slice())).toBe(true);
      }),
    );
  });
});
