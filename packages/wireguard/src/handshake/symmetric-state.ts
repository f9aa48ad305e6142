import type { CryptoProvider } from '@warren/crypto';

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

/** WireGuard paper §5.4. */
const CONSTRUCTION = ascii('Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s');
const IDENTIFIER = ascii('WireGuard v1 zx2c4 Jason@zx2c4.com');

const EMPTY = new Uint8Array(0);
const ONE = Uint8Array.of(1);

/** Two transport keys of one session, in the order of the paper: initiator to responder, responder to initiator. */
export interface SessionKeys {
  readonly fromInitiator: Uint8Array;
  readonly fromResponder: Uint8Array;
}

/**
 * Noise's symmetric state (Noise specification §5.2): `chainingKey` and `hash`, both 32 bytes, replaced, never written
 * into. `key` is what the last `mixKey2` or `mixPresharedKey` gave, for the next seal or open, with counter 0.
 */
export class SymmetricState {
  #chainingKey: Uint8Array;
  #hash: Uint8Array;
  #key: Uint8Array = EMPTY;

  private constructor(
    private readonly crypto: CryptoProvider,
    chainingKey: Uint8Array,
    hash: Uint8Array,
  ) {
    this.#chainingKey = chainingKey;
    this.#hash = hash;
  }

  /** Both sides begin with the responder's static public key, which the initiator knows beforehand (the K in IK). */
  static start(crypto: CryptoProvider, responderStatic: Uint8Array): SymmetricState {
    const chainingKey = crypto.hash(CONSTRUCTION);
    return new SymmetricState(crypto, chainingKey, crypto.hash(crypto.hash(chainingKey, IDENTIFIER), responderStatic));
  }

  /** A copy that goes its own way: a response that does not verify must leave the initiator's state as it was. */
  clone(): SymmetricState {
    return new SymmetricState(this.crypto, this.#chainingKey.slice(), this.#hash.slice());
  }

  mixHash(data: Uint8Array): void {
    this.#hash = this.crypto.hash(this.#hash, data);
  }

  /** `KDF1` into the chaining key. */
  mixKey1(input: Uint8Array): void {
    this.#chainingKey = this.#expand(input, 1)[0]!;
  }

  /** `KDF2` into chaining key and key. */
  mixKey2(input: Uint8Array): void {
    [this.#chainingKey, this.#key] = this.#expand(input, 2) as [Uint8Array, Uint8Array];
  }

  /** `KDF3` into chaining key, hash and key: the psk token. */
  mixPresharedKey(presharedKey: Uint8Array): void {
    const [chainingKey, hashed, key] = this.#expand(presharedKey, 3) as [Uint8Array, Uint8Array, Uint8Array];
    this.#chainingKey = chainingKey;
    this.mixHash(hashed);
    this.#key = key;
  }

  /** Sealed with the hash as associated data and mixed into it: `plaintext.length + 16` bytes, new. */
  sealAndHash(plaintext: Uint8Array): Uint8Array {
    const sealed = new Uint8Array(plaintext.length + 16);
    this.crypto.seal(this.#key, 0, plaintext, this.#hash, sealed);
    this.mixHash(sealed);
    return sealed;
  }

  /** @returns undefined, the state unchanged, when the tag does not verify. */
  openAndHash(sealed: Uint8Array): Uint8Array | undefined {
    const plaintext = new Uint8Array(sealed.length - 16);
    if (!this.crypto.open(this.#key, 0, sealed, this.#hash, plaintext)) return undefined;
    this.mixHash(sealed);
    return plaintext;
  }

  /** The end of the handshake (WireGuard paper §5.4.5). */
  split(): SessionKeys {
    const [fromInitiator, fromResponder] = this.#expand(EMPTY, 2) as [Uint8Array, Uint8Array];
    return { fromInitiator, fromResponder };
  }

  /** Overwrites what keys could be derived from. */
  erase(): void {
    this.#chainingKey.fill(0);
    this.#hash.fill(0);
    this.#key.fill(0);
  }

  /** HKDF (RFC 5869) as the paper's `KDFn`. */
  #expand(input: Uint8Array, outputs: number): Uint8Array[] {
    const { crypto } = this;
    const secret = crypto.hmac(this.#chainingKey, input);
    const results = [crypto.hmac(secret, ONE)];
    while (results.length < outputs) {
      results.push(crypto.hmac(secret, results[results.length - 1]!, Uint8Array.of(results.length + 1)));
    }
    secret.fill(0);
    return results;
  }
}
