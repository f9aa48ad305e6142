import { createCipheriv, createHmac } from 'node:crypto';
import { fromHex, toHex } from '@warren/base';
import { describe, expect, it } from 'vitest';
import type { CryptoProvider } from './provider.js';

export { memoryAeadSuite } from './memory-aead.suite.js';

import { AEAD, BLAKE2S, HMAC_BLAKE2S, KEYED_BLAKE2S, LOW_ORDER_POINTS, X25519, XCHACHA } from './vectors.suite.js';

const bytes = (hex: string): Uint8Array => fromHex(hex)!;
const counting = (length: number, from = 0): Uint8Array => Uint8Array.from({ length }, (_, i) => (i + from) % 251);
const EMPTY = new Uint8Array(0);

/** What every `CryptoProvider` must do, by the official vectors. `makeProvider` is called once a test. */
export function cryptoProviderSuite(name: string, makeProvider: () => CryptoProvider): void {
  describe(`crypto provider ${name}`, () => {
    hashTests(makeProvider);
    x25519Tests(makeProvider);
    describe('ChaCha20-Poly1305', () => {
      aeadVectorTests(makeProvider);
      aeadMemoryTests(makeProvider);
      aeadTamperingTests(makeProvider);
    });
    xchachaTests(makeProvider);
  });
}

function hashTests(makeProvider: () => CryptoProvider): void {
  it.each(BLAKE2S)('hashes as BLAKE2s-256: $what', ({ input, digest }) => {
    expect(toHex(makeProvider().hash(input()))).toBe(digest);
  });

  it('hashes parts as their concatenation', () => {
    const provider = makeProvider();
    const whole = counting(200);
    expect(provider.hash(whole.subarray(0, 63), EMPTY, whole.subarray(63, 65), whole.subarray(65))).toEqual(
      provider.hash(whole),
    );
  });

  it.each(KEYED_BLAKE2S)('makes macs as keyed BLAKE2s-128: key of $keyLength, input of $length bytes', (vector) => {
    const mac = makeProvider().mac(
      Uint8Array.from({ length: vector.keyLength }, (_, i) => i + 1),
      counting(vector.length),
    );
    expect(toHex(mac)).toBe(vector.mac);
  });

  it.each(HMAC_BLAKE2S)('makes HMACs: key of $keyLength, input of $length bytes', (vector) => {
    const key = Uint8Array.from({ length: vector.keyLength }, (_, i) => i + 1);
    expect(toHex(makeProvider().hmac(key, counting(vector.length)))).toBe(vector.mac);
  });

  it('makes HMACs of parts as of their concatenation, as OpenSSL does', () => {
    const key = counting(32, 7);
    const [a, b] = [counting(1), counting(90, 3)];
    const expected = createHmac('blake2s256', key).update(a).update(b).digest('hex');
    expect(toHex(makeProvider().hmac(key, a, b))).toBe(expected);
  });

  it('gives results that the next call does not overwrite', () => {
    const provider = makeProvider();
    const first = provider.hash(counting(3));
    const copy = first.slice();
    provider.hash(counting(4));
    provider.hmac(copy, copy);
    expect(first).toEqual(copy);
  });
}

function x25519Tests(makeProvider: () => CryptoProvider): void {
  it.each(X25519)('agrees with RFC 7748: $what', ({ scalar, point, product }) => {
    expect(toHex(makeProvider().dh(bytes(scalar), bytes(point)))).toBe(product);
  });

  it('agrees with RFC 7748 §5.2 after 1 and 1000 iterations', () => {
    const provider = makeProvider();
    let scalar = new Uint8Array(32);
    scalar[0] = 9;
    let point = scalar.slice();
    for (let i = 1; i <= 1000; i++) {
      const product = provider.dh(scalar, point);
      point = scalar;
      scalar = Uint8Array.from(product);
      if (i === 1) expect(toHex(scalar)).toBe('422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079');
    }
    expect(toHex(scalar)).toBe('684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51');
  });

  it('derives public keys from unclamped private ones (RFC 7748 §6.1)', () => {
    const provider = makeProvider();
    const alice = bytes(X25519[2].scalar);
    expect(toHex(provider.publicKey(alice))).toBe(X25519[3].point);
    const unclamped = new Uint8Array(32).fill(0xff);
    const clamped = unclamped.slice();
    clamped[0]! &= 248;
    clamped[31] = 127;
    expect(provider.publicKey(unclamped)).toEqual(provider.publicKey(clamped));
  });

  it.each(LOW_ORDER_POINTS)('gives all zeros for the point of low order %s', (point) => {
    expect(makeProvider().dh(counting(32, 5), bytes(point))).toEqual(new Uint8Array(32));
  });

  it('ignores the top bit of the point', () => {
    const provider = makeProvider();
    const point = bytes(X25519[0].point);
    const product = provider.dh(counting(32), point);
    point[31]! ^= 0x80;
    expect(provider.dh(counting(32), point)).toEqual(product);
  });
}

function aeadVectorTests(makeProvider: () => CryptoProvider): void {
  it('is compared with an OpenSSL that agrees with RFC 8439 §2.8.2', () => {
    const sealed = sealByOpenssl(bytes(AEAD.key), bytes(AEAD.nonce), AEAD.plaintext, bytes(AEAD.associatedData));
    expect(toHex(sealed)).toBe(AEAD.sealed);
  });

  it.each([0, 1, 12, 16, 32, 200])('authenticates %d bytes of associated data, as OpenSSL does', (length) => {
    const [key, data] = [counting(32, 9), counting(length, 1)];
    const sealed = new Uint8Array(AEAD.plaintext.length + 16);
    makeProvider().seal(key, 77, AEAD.plaintext, data, sealed);
    expect(toHex(sealed)).toBe(toHex(sealByOpenssl(key, nonceOf(77), AEAD.plaintext, data)));
  });

  const COUNTERS = [0, 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 40 + 12345, 2 ** 53 - 2 ** 13 - 2];
  it.each(COUNTERS)('uses all 64 bits of the counter %d, as OpenSSL does', (counter) => {
    const provider = makeProvider();
    const key = counting(32, 11);
    for (const length of [0, 1, 15, 16, 17, 63, 64, 65, 128, 1420, 1424]) {
      const plaintext = counting(length, 3);
      const sealed = new Uint8Array(length + 16);
      provider.seal(key, counter, plaintext, EMPTY, sealed);
      expect(toHex(sealed)).toBe(toHex(sealByOpenssl(key, nonceOf(counter), plaintext, EMPTY)));
      const opened = new Uint8Array(length);
      expect(provider.open(key, counter, sealed, EMPTY, opened)).toBe(true);
      expect(toHex(opened)).toBe(toHex(plaintext));
    }
  });
}

/** Four zero bytes and 64 bits little-endian. */
function nonceOf(counter: number): Uint8Array {
  const nonce = Buffer.alloc(12);
  nonce.writeBigUInt64LE(BigInt(counter), 4);
  return nonce;
}

function sealByOpenssl(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, data: Uint8Array): Uint8Array {
  const cipher = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: 16 });
  cipher.setAAD(data, { plaintextLength: plaintext.length });
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

function aeadMemoryTests(makeProvider: () => CryptoProvider): void {
  const key = counting(32, 1);
  const associatedData = counting(7);

  it.each([0, 1, 2, 3, 5, 8, 13])('seals and opens in place, %d bytes into a larger buffer', (offset) => {
    const provider = makeProvider();
    const plaintext = counting(1000);
    const expected = new Uint8Array(1016);
    provider.seal(key, 5, plaintext, associatedData, expected);

    const memory = new Uint8Array(2000).fill(0xaa);
    memory.set(plaintext, offset);
    provider.seal(key, 5, memory.subarray(offset, offset + 1000), associatedData, memory.subarray(offset));
    expect(memory.subarray(offset, offset + 1016)).toEqual(expected);
    expect(memory.subarray(0, offset).every((byte) => byte === 0xaa)).toBe(true);
    expect(memory.subarray(offset + 1016).every((byte) => byte === 0xaa)).toBe(true);

    const sealed = memory.subarray(offset, offset + 1016);
    expect(provider.open(key, 5, sealed, associatedData, memory.subarray(offset))).toBe(true);
    expect(memory.subarray(offset, offset + 1000)).toEqual(plaintext);
    expect(memory.subarray(offset + 1016).every((byte) => byte === 0xaa)).toBe(true);
  });

  it('leaves its inputs alone when the output is elsewhere', () => {
    const provider = makeProvider();
    const plaintext = counting(100);
    const sealed = new Uint8Array(116);
    provider.seal(key, 9, plaintext, associatedData, sealed);
    const before = sealed.slice();
    expect(provider.open(key, 9, sealed, associatedData, new Uint8Array(100))).toBe(true);
    expect(plaintext).toEqual(counting(100));
    expect(sealed).toEqual(before);
    expect(key).toEqual(counting(32, 1));
  });
}

function aeadTamperingTests(makeProvider: () => CryptoProvider): void {
  const key = counting(32, 1);
  const associatedData = counting(7);
  const seal = (provider: CryptoProvider): Uint8Array => {
    const sealed = new Uint8Array(48);
    provider.seal(key, 3, counting(32), associatedData, sealed);
    return sealed;
  };
  const opens = (provider: CryptoProvider, sealed: Uint8Array, counter = 3, data = associatedData): boolean =>
    provider.open(key, counter, sealed, data, new Uint8Array(64));

  it('refuses every changed bit of text and tag', () => {
    const provider = makeProvider();
    const sealed = seal(provider);
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      sealed[bit >> 3]! ^= 1 << (bit & 7);
      expect(opens(provider, sealed)).toBe(false);
      sealed[bit >> 3]! ^= 1 << (bit & 7);
    }
    expect(opens(provider, sealed)).toBe(true);
  });

  it('refuses another counter, associated data, length or key', () => {
    const provider = makeProvider();
    const sealed = seal(provider);
    expect(opens(provider, sealed, 4)).toBe(false);
    expect(opens(provider, sealed, 3 + 2 ** 32)).toBe(false);
    expect(opens(provider, sealed, 3, counting(8))).toBe(false);
    expect(opens(provider, sealed, 3, EMPTY)).toBe(false);
    for (const length of [0, 1, 15, 16, 17, 47]) expect(opens(provider, sealed.subarray(0, length))).toBe(false);
    expect(provider.open(counting(32, 2), 3, sealed, associatedData, new Uint8Array(32))).toBe(false);
  });
}

function xchachaTests(makeProvider: () => CryptoProvider): void {
  it('seals and opens the XChaCha20-Poly1305 vector of draft-irtf-cfrg-xchacha §A.3.1', () => {
    const provider = makeProvider();
    const [key, nonce, data] = [bytes(XCHACHA.key), bytes(XCHACHA.nonce), bytes(XCHACHA.associatedData)];
    const sealed = provider.xseal(key, nonce, XCHACHA.plaintext, data);
    expect(toHex(sealed)).toBe(XCHACHA.sealed);
    expect(provider.xopen(key, nonce, sealed, data)).toEqual(XCHACHA.plaintext);
  });

  it('refuses changed XChaCha20-Poly1305 text, nonce and associated data, and what is too short', () => {
    const provider = makeProvider();
    const [key, nonce, data] = [counting(32), counting(24), counting(16)];
    const sealed = provider.xseal(key, nonce, counting(16), data);
    for (let i = 0; i < sealed.length; i++) {
      const changed = sealed.slice();
      changed[i]! ^= 1;
      expect(provider.xopen(key, nonce, changed, data)).toBeUndefined();
    }
    expect(provider.xopen(key, counting(24, 1), sealed, data)).toBeUndefined();
    expect(provider.xopen(key, nonce, sealed, counting(16, 1))).toBeUndefined();
    for (const length of [0, 15, 16, 31]) {
      expect(provider.xopen(key, nonce, sealed.subarray(0, length), data)).toBeUndefined();
    }
  });
}
