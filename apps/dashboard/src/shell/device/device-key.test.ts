import { fromBase64Url, toBase64 } from '@warren/base';
import { expect, test } from 'vitest';
import { createKeyPair, keyPairOf, loadSodium } from './device-key.js';

const hex = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(text.match(/../g)!, (pair) => Number.parseInt(pair, 16));

/** RFC 8410 §7: an X25519 private key in PKCS #8 is this and its 32 bytes. */
const PKCS8_HEAD = hex('302e020100300506032b656e04220420');

/** As another implementation works it out: the platform's. */
async function publicKeyByPlatform(privateKey: Uint8Array): Promise<string> {
  const der = Uint8Array.from([...PKCS8_HEAD, ...privateKey]);
  const key = await crypto.subtle.importKey('pkcs8', der, { name: 'X25519' }, true, ['deriveBits']);
  const { x } = await crypto.subtle.exportKey('jwk', key);
  return toBase64(fromBase64Url(x!)!);
}

// RFC 7748 §6.1.
test.each([
  [
    'Alice',
    '77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a',
    '8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a',
  ],
  [
    'Bob',
    '5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb',
    'de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f',
  ],
])('the public key of %s is the one in the standard, and the private key is clamped', async (_, secret, known) => {
  const { privateKey, publicKey } = keyPairOf(await loadSodium(), hex(secret));
  expect(publicKey).toBe(toBase64(hex(known)));
  const clamped = hex(secret);
  clamped[0]! &= 0xf8;
  clamped[31] = (clamped[31]! & 0x7f) | 0x40;
  expect(privateKey.expose()).toEqual(clamped);
});

test('pairs are random, and fit for another implementation', async () => {
  const pairs = await Promise.all(Array.from({ length: 20 }, createKeyPair));
  expect(new Set(pairs.map(({ publicKey }) => publicKey)).size).toBe(pairs.length);
  for (const { privateKey, publicKey } of pairs) {
    const bytes = privateKey.expose();
    expect([bytes.length, bytes[0]! & 7, bytes[31]! >> 6]).toEqual([32, 0, 1]);
    expect(publicKey).toBe(await publicKeyByPlatform(bytes));
  }
});
