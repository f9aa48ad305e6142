import { createHmac, createPrivateKey, createPublicKey, diffieHellman } from 'node:crypto';
import { SecretKey } from '@warren/base';
import { type CryptoProvider, nobleProvider } from '@warren/crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type PossessionTranscript, proveKeyPossession, verifyKeyPossession } from './index.js';

// RFC 8410 §7: the DER around 32 raw bytes.
const PKCS8 = Buffer.from('302e020100300506032b656e04220420', 'hex');
const SPKI = Buffer.from('302a300506032b656e032100', 'hex');
const privateObject = (key: Uint8Array) =>
  createPrivateKey({ key: Buffer.concat([PKCS8, key]), format: 'der', type: 'pkcs8' });
const publicObject = (key: Uint8Array) =>
  createPublicKey({ key: Buffer.concat([SPKI, key]), format: 'der', type: 'spki' });

/** OpenSSL's primitives: of the provider only what a proof uses. */
const provider = {
  hmac(key: Uint8Array, ...parts: readonly Uint8Array[]) {
    const hmac = createHmac('blake2s256', key);
    for (const part of parts) hmac.update(part);
    return Uint8Array.from(hmac.digest());
  },
  dh(privateKey: Uint8Array, publicKey: Uint8Array) {
    try {
      const keys = { privateKey: privateObject(privateKey), publicKey: publicObject(publicKey) };
      return Uint8Array.from(diffieHellman(keys));
    } catch {
      return new Uint8Array(32); // OpenSSL refuses low order where a CryptoProvider gives zeros
    }
  },
  publicKey(privateKey: Uint8Array) {
    const der = createPublicKey(privateObject(privateKey)).export({ format: 'der', type: 'spki' });
    return Uint8Array.from(der.subarray(-32));
  },
} as unknown as CryptoProvider;

const wireguard = new SecretKey(new Uint8Array(32).fill(0x41));
const challenger = new SecretKey(new Uint8Array(32).fill(0x42));
const wireguardKey = provider.publicKey(wireguard.expose());
const challengeKey = provider.publicKey(challenger.expose());
const TRANSCRIPT: PossessionTranscript = {
  challenge: new Uint8Array(32).fill(1),
  identityKey: new Uint8Array(32).fill(2),
  record: new Uint8Array(150).fill(3),
  tokenId: 'k7dq',
};
const PROOF = proveKeyPossession(provider, wireguard, challengeKey, TRANSCRIPT);
const verify = (transcript: PossessionTranscript, proof = PROOF, key = wireguardKey): boolean =>
  verifyKeyPossession(provider, challenger, key, transcript, proof);

/** Keys with which X25519 gives zeros whatever the private key (RFC 7748 §6.1). */
const LOW_ORDER = [
  new Uint8Array(32),
  Uint8Array.of(1, ...new Uint8Array(31)),
  Uint8Array.from(Buffer.from('e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800', 'hex')),
];

describe('the proof of possession', () => {
  it('is accepted for the transcript and keys that it was made for', () => {
    expect(PROOF).toHaveLength(32);
    expect(verify(TRANSCRIPT)).toBe(true);
  });

  it('is the same whichever provider makes it', () => {
    expect(proveKeyPossession(nobleProvider, wireguard, challengeKey, TRANSCRIPT)).toEqual(PROOF);
    expect(verifyKeyPossession(nobleProvider, challenger, wireguardKey, TRANSCRIPT, PROOF)).toBe(true);
    for (const key of LOW_ORDER) {
      expect(() => proveKeyPossession(nobleProvider, wireguard, key, TRANSCRIPT)).toThrow('unusable challenge key');
      expect(verifyKeyPossession(nobleProvider, challenger, key, TRANSCRIPT, PROOF)).toBe(false);
    }
  });

  it('is refused when anything that it binds is another', () => {
    const one = Uint8Array.of(9);
    expect(verify({ ...TRANSCRIPT, challenge: one })).toBe(false);
    expect(verify({ ...TRANSCRIPT, identityKey: one })).toBe(false);
    expect(verify({ ...TRANSCRIPT, record: one })).toBe(false);
    expect(verify({ ...TRANSCRIPT, tokenId: 'k7dr' })).toBe(false);
    expect(verify(TRANSCRIPT, PROOF, challengeKey)).toBe(false);
    expect(verifyKeyPossession(provider, wireguard, wireguardKey, TRANSCRIPT, PROOF)).toBe(false);
  });

  it('is refused when bytes move from one field to its neighbour', () => {
    const shifted = { ...TRANSCRIPT, challenge: new Uint8Array(31).fill(1), identityKey: Uint8Array.of(1) };
    const identityKey = Uint8Array.of(1, ...TRANSCRIPT.identityKey);
    expect(verify({ ...shifted, identityKey })).toBe(false);
  });

  it('is neither made nor checked with a key of low order, whose shared secret everybody knows', () => {
    let macs = 0;
    const counting = {
      ...provider,
      hmac: (...args: Parameters<CryptoProvider['hmac']>) => {
        macs++;
        return provider.hmac(...args);
      },
    };
    for (const key of LOW_ORDER) {
      expect(() => proveKeyPossession(counting, wireguard, key, TRANSCRIPT)).toThrow('unusable challenge key');
      expect(verifyKeyPossession(counting, challenger, key, TRANSCRIPT, PROOF)).toBe(false);
    }
    expect(macs).toBe(0);
    expect(() => proveKeyPossession(provider, wireguard, new Uint8Array(31), TRANSCRIPT)).toThrow('unusable');
  });

  it('is refused without an exception when it is garbage', () => {
    const garbage = fc.tuple(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ maxLength: 40 }), fc.string());
    fc.assert(
      fc.property(garbage, ([proof, key, tokenId]) => {
        expect(verify(TRANSCRIPT, proof)).toBe(false);
        expect(verify({ ...TRANSCRIPT, tokenId }, proof, key)).toBe(false);
      }),
    );
  });
});
