import { SecretKey, unixMillis } from '@warren/base';
import { ed25519PublicKey } from '@warren/crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeSignalClaim, type SignalClaim, signSignalClaim, verifySignalClaim } from './index.js';

const seed = new SecretKey(new Uint8Array(32).fill(7));
const publicKey = ed25519PublicKey(seed.expose());
const CLAIM: SignalClaim = {
  subject: '0123456789abcdef',
  signedAt: unixMillis(1_700_000_000_000),
  key: new Uint8Array(32).fill(1),
  udp: '198.51.100.7:3478',
  tls: ['198.51.100.7:443', '198.51.100.7:8443'],
};

describe('claims of signal servers', () => {
  it('verify for exactly what was signed', () => {
    const signature = signSignalClaim(seed, CLAIM);
    expect(verifySignalClaim(publicKey, CLAIM, signature)).toBe(true);
    const others: Partial<SignalClaim>[] = [
      { subject: 'another' },
      { signedAt: unixMillis(1) },
      { key: new Uint8Array(32) },
      { udp: '' },
      { udp: '198.51.100.7:347', tls: ['8198.51.100.7:443', '198.51.100.7:8443'] },
      { tls: [] },
      { tls: [...CLAIM.tls].reverse() },
    ];
    for (const other of others) {
      expect(verifySignalClaim(publicKey, { ...CLAIM, ...other }, signature)).toBe(false);
    }
    expect(verifySignalClaim(new Uint8Array(32), CLAIM, signature)).toBe(false);
  });

  it('are refused without an exception when they hold garbage', () => {
    const any = fc.record({
      subject: fc.string({ unit: 'binary' }),
      signedAt: fc.double().map(unixMillis),
      key: fc.uint8Array({ maxLength: 40 }),
      udp: fc.string({ unit: 'binary' }),
      tls: fc.array(fc.string({ unit: 'binary' }), { maxLength: 12 }),
    });
    fc.assert(
      fc.property(any, fc.uint8Array({ maxLength: 70 }), (claim, signature) => {
        expect(verifySignalClaim(publicKey, claim, signature)).toBe(false);
      }),
    );
  });

  it('are not made of what has no encoding', () => {
    for (const bad of [{ subject: '' }, { udp: 'ünicode' }, { key: new Uint8Array(3) }, { signedAt: unixMillis(-1) }]) {
      expect(() => encodeSignalClaim({ ...CLAIM, ...bad })).toThrow(RangeError);
    }
  });
});
