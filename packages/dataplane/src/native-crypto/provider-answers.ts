import { equalBytes, fromHex } from '@warren/base';
import type { CryptoProvider } from '@warren/crypto';

const bytes = (hex: string): Uint8Array => fromHex(hex)!;
const sequence = (length: number, step: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * step) & 0xff);

/** RFC 7748 §5.2, first test vector; §6.1, Alice's key pair. */
const X25519 = {
  scalar: bytes('a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4'),
  point: bytes('e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c'),
  result: bytes('c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552'),
  alice: bytes('77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a'),
  alicePublic: bytes('8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a'),
};
/** RFC 7693 Appendix B. */
const BLAKE2S_ABC = bytes('508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982');
/** Key 00…1f, counter 2^32 + 7, 50 bytes of plaintext, associated data `warren`; computed by OpenSSL and by noble alike. */
const AEAD = {
  key: sequence(32, 1),
  counter: 0x1_0000_0007,
  plaintext: sequence(50, 3),
  associatedData: new TextEncoder().encode('warren'),
  sealed: bytes(
    'dc9cf6e139375579f084a42a8181d7092439eb9fafba89604b29baa36641c7d098b3755379c6792e84af58729d874453a3d6d03dcd6ac371c4c315198e3cb64492e9',
  ),
};

/** What the provider gets wrong, or undefined when its answers are right. A primitive that throws is wrong too. */
export function knownAnswerProblem(provider: CryptoProvider): string | undefined {
  try {
    if (!equalBytes(provider.hash(Uint8Array.of(0x61), Uint8Array.of(0x62, 0x63)), BLAKE2S_ABC))
      return 'BLAKE2s is wrong';
    return x25519Problem(provider) ?? aeadProblem(provider);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** What is wrong with it, or undefined. */
export function x25519Problem({ dh, publicKey }: Pick<CryptoProvider, 'dh' | 'publicKey'>): string | undefined {
  if (!equalBytes(dh(X25519.scalar, X25519.point), X25519.result)) return 'X25519 is wrong';
  if (!equalBytes(publicKey(X25519.alice), X25519.alicePublic)) return 'X25519 makes wrong public keys';
  return dh(X25519.scalar, new Uint8Array(32)).every((byte) => byte === 0) ? undefined : 'X25519 takes a low order';
}

function aeadProblem(provider: CryptoProvider): string | undefined {
  const { key, counter, plaintext, associatedData, sealed } = AEAD;
  const out = new Uint8Array(sealed.length);
  provider.seal(key, counter, plaintext, associatedData, out);
  if (!equalBytes(out, sealed)) return 'ChaCha20-Poly1305 seals wrongly';
  if (!provider.open(key, counter, sealed, associatedData, out)) return 'ChaCha20-Poly1305 does not open';
  if (!equalBytes(out.subarray(0, plaintext.length), plaintext)) return 'ChaCha20-Poly1305 opens wrongly';
  const forged = Uint8Array.from(sealed);
  forged[forged.length - 1]! ^= 1;
  return provider.open(key, counter, forged, associatedData, out) ? 'ChaCha20-Poly1305 takes forgeries' : undefined;
}
