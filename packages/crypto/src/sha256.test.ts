import { fromHex, toHex } from '@warren/base';
import { describe, expect, it } from 'vitest';
import { sha256 } from './index.js';

describe('sha256', () => {
  it('gives the digests of the FIPS 180 examples', () => {
    expect(toHex(sha256(new TextEncoder().encode('abc')))).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
    expect(toHex(sha256(fromHex('')!))).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  });
});
