/** Bytes that the AEADs add: the Poly1305 tag (RFC 8439 §2.5). */
export const TAG_LENGTH = 16;
/** Bytes of WireGuard's `Mac`: keyed BLAKE2s-128 (WireGuard paper §5.4). */
export const MAC_LENGTH = 16;
/** Bytes of WireGuard's `Hash`: BLAKE2s-256. */
export const HASH_LENGTH = 32;
/** Bytes of an XChaCha20-Poly1305 nonce. */
export const XNONCE_LENGTH = 24;

/**
 * The primitives that WireGuard is made of. One compliance suite (`@warren/crypto/suite`) holds every
 * implementation to the official vectors. All of them write into the caller's memory where packets are concerned.
 */
export interface CryptoProvider {
  /** What `agent status` shows, e.g. `noble`. */
  readonly name: string;

  /** BLAKE2s-256 of `parts` in order; 32 bytes, new. RFC 7693. */
  hash(...parts: readonly Uint8Array[]): Uint8Array;
  /** HMAC-BLAKE2s of `parts` in order; 32 bytes, new. */
  hmac(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array;
  /** Keyed BLAKE2s with 16 bytes of output, new: WireGuard's `Mac`. `key` has 1 to 32 bytes. */
  mac(key: Uint8Array, input: Uint8Array): Uint8Array;

  /** X25519, RFC 7748. 32 bytes, new. All zeros when `publicKey` is of low order: the caller checks. */
  dh(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array;
  /** The public key of a private one, which is clamped as RFC 7748 says. */
  publicKey(privateKey: Uint8Array): Uint8Array;

  /**
   * ChaCha20-Poly1305 (RFC 8439) with the nonce of 4 zero bytes and `counter` as 64-bit little-endian.
   * Writes `plaintext.length + 16` bytes to the start of `out`, which may begin at `plaintext`'s own first byte.
   */
  seal(key: Uint8Array, counter: number, plaintext: Uint8Array, associatedData: Uint8Array, out: Uint8Array): void;
  /**
   * Writes `sealed.length - 16` bytes to the start of `out` (which may begin at `sealed`'s own first byte).
   * @returns false, with `out` unspecified, when the tag does not verify.
   */
  open(key: Uint8Array, counter: number, sealed: Uint8Array, associatedData: Uint8Array, out: Uint8Array): boolean;

  /** XChaCha20-Poly1305 with a 24-byte nonce: cookies only. `plaintext.length + 16` bytes, new. */
  xseal(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, associatedData: Uint8Array): Uint8Array;
  /** @returns undefined when the tag does not verify. */
  xopen(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array, associatedData: Uint8Array): Uint8Array | undefined;
}
