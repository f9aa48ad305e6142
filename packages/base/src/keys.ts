import type { Brand } from './brand.js';
import { fromBase64, toBase64 } from './bytes.js';

/** Length in bytes of every X25519 and Ed25519 public key, private key (seed) and preshared key. */
export const KEY_LENGTH = 32;

/** A public key as canonical base64 (44 characters): comparable, printable, usable as a map key. */
export type PublicKey = Brand<string, 'PublicKey'>;

/** @returns undefined unless `text` is the base64 of exactly 32 bytes. */
export function parsePublicKey(text: string): PublicKey | undefined {
  return fromBase64(text)?.length === KEY_LENGTH ? (text as PublicKey) : undefined;
}

/** @throws RangeError unless `bytes` are 32. */
export function publicKeyFromBytes(bytes: Uint8Array): PublicKey {
  if (bytes.length !== KEY_LENGTH) throw new RangeError(`a public key has ${KEY_LENGTH} bytes, not ${bytes.length}`);
  return toBase64(bytes) as PublicKey;
}

/** A new array of 32 bytes. */
export function publicKeyBytes(key: PublicKey): Uint8Array {
  return fromBase64(key)!;
}

const NODE_INSPECT = Symbol.for('nodejs.util.inspect.custom');

/** A private or preshared key. Whatever prints, serialises or inspects it sees a placeholder. */
export class SecretKey {
  readonly #bytes: Uint8Array;

  /** Copies `bytes`. @throws RangeError unless they are 32. */
  constructor(bytes: Uint8Array) {
    if (bytes.length !== KEY_LENGTH) throw new RangeError(`a secret key has ${KEY_LENGTH} bytes, not ${bytes.length}`);
    this.#bytes = Uint8Array.from(bytes);
  }

  /** @returns undefined unless `text` is the base64 of exactly 32 bytes. */
  static parse(text: string): SecretKey | undefined {
    const bytes = fromBase64(text);
    return bytes?.length === KEY_LENGTH ? new SecretKey(bytes) : undefined;
  }

  /** The bytes themselves, not a copy: for cryptography and for the one file that stores them. */
  expose(): Uint8Array {
    return this.#bytes;
  }

  /** Overwrites the key; whatever still holds this object then holds zeros. */
  erase(): void {
    this.#bytes.fill(0);
  }

  toString(): string {
    return 'SecretKey(…)';
  }

  toJSON(): string {
    return this.toString();
  }

  [NODE_INSPECT](): string {
    return this.toString();
  }
}
