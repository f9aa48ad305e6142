import { fromHex } from '@warren/base';
import { beforeAll, describe, expect, it } from 'vitest';
import { boxesReady, boxPublicKey, openBox, precomputeBoxKey, sealBox } from './boxes.js';
import { LOW_ORDER_POINTS } from './vectors.suite.js';

const bytes = (hex: string): Uint8Array => fromHex(hex)!;

// "Cryptography in NaCl" (Bernstein 2009), §4 and §8: the keys of RFC 7748 §6.1 and what libsodium's own tests seal.
const ALICE = bytes('77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a');
const BOB = bytes('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb');
const FIRST_KEY = bytes('1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389');
const NONCE = bytes('69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37');

describe('boxes', () => {
  beforeAll(() => boxesReady);

  it('precompute the same key on both sides, the one that NaCl publishes', () => {
    expect(precomputeBoxKey(boxPublicKey(BOB), ALICE)).toEqual(FIRST_KEY);
    expect(precomputeBoxKey(boxPublicKey(ALICE), BOB)).toEqual(FIRST_KEY);
  });

  it('open on the other side only as they were sealed', () => {
    const message = Uint8Array.from({ length: 131 }, (_, i) => i);
    const sealed = sealBox(FIRST_KEY, NONCE, message);
    expect(sealed).toHaveLength(147);
    expect(openBox(FIRST_KEY, NONCE, sealed)).toEqual(message);
    for (let i = 0; i < sealed.length; i++) {
      const changed = sealed.slice();
      changed[i]! ^= 0x40;
      expect(openBox(FIRST_KEY, NONCE, changed)).toBeUndefined();
    }
    expect(
      openBox(
        FIRST_KEY,
        NONCE.map((byte) => byte ^ 1),
        sealed,
      ),
    ).toBeUndefined();
    expect(openBox(precomputeBoxKey(boxPublicKey(BOB), BOB)!, NONCE, sealed)).toBeUndefined();
  });

  it('refuse, without an exception, what is too short', () => {
    for (const length of [0, 1, 15, 16, 17]) expect(openBox(FIRST_KEY, NONCE, new Uint8Array(length))).toBeUndefined();
    expect(openBox(FIRST_KEY, new Uint8Array(23), new Uint8Array(40))).toBeUndefined();
  });

  it.each(LOW_ORDER_POINTS)('refuse the public key of low order %s', (point) => {
    expect(precomputeBoxKey(bytes(point), ALICE)).toBeUndefined();
  });

  it('refuse a public key of another length', () => {
    expect(precomputeBoxKey(new Uint8Array(31), ALICE)).toBeUndefined();
  });
});
