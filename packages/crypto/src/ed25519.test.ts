import { fromHex } from '@warren/base';
import { describe, expect, it } from 'vitest';
import { ed25519PublicKey, signEd25519, verifyEd25519 } from './ed25519.js';

const bytes = (hex: string): Uint8Array => fromHex(hex)!;

// RFC 8032 §7.1, tests 1 to 3.
const VECTORS = [
  {
    seed: '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    publicKey: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    message: '',
    signature:
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  },
  {
    seed: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    publicKey: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    message: '72',
    signature:
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  },
  {
    seed: 'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    publicKey: 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    message: 'af82',
    signature:
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  },
] as const;

describe('Ed25519', () => {
  it.each(VECTORS)('agrees with the RFC 8032 vector for message "$message"', (vector) => {
    const seed = bytes(vector.seed);
    expect(ed25519PublicKey(seed)).toEqual(bytes(vector.publicKey));
    expect(signEd25519(seed, bytes(vector.message))).toEqual(bytes(vector.signature));
    expect(verifyEd25519(bytes(vector.publicKey), bytes(vector.message), bytes(vector.signature))).toBe(true);
  });

  it('refuses a changed message, signature or key', () => {
    const { publicKey, signature } = VECTORS[1];
    for (let bit = 0; bit < 512; bit += 37) {
      const changed = bytes(signature);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(verifyEd25519(bytes(publicKey), bytes('72'), changed)).toBe(false);
    }
    expect(verifyEd25519(bytes(publicKey), bytes('73'), bytes(signature))).toBe(false);
    expect(verifyEd25519(bytes(VECTORS[0].publicKey), bytes('72'), bytes(signature))).toBe(false);
  });

  it('refuses, without an exception, keys and signatures of any length and content', () => {
    const message = bytes('72');
    for (const length of [0, 1, 31, 32, 33, 63, 64, 65, 1000]) {
      for (const fill of [0, 1, 0x7f, 0xff]) {
        const garbage = new Uint8Array(length).fill(fill);
        expect(verifyEd25519(garbage, message, bytes(VECTORS[1].signature))).toBe(false);
        expect(verifyEd25519(bytes(VECTORS[1].publicKey), message, garbage)).toBe(false);
      }
    }
  });

  it('refuses a public key of low order, which would sign everything', () => {
    const identity = new Uint8Array(32);
    identity[0] = 1;
    const signature = new Uint8Array(64);
    signature[0] = 1;
    expect(verifyEd25519(identity, bytes('00'), signature)).toBe(false);
  });

  it('names the length that a seed must have', () => {
    expect(() => signEd25519(new Uint8Array(31), bytes(''))).toThrow('32 bytes, not 31');
  });
});
