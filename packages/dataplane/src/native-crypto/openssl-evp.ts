import { invariant } from '@warren/base';
import { isCounter, type MemoryAead, TAG_LENGTH } from '@warren/crypto';
import type { PacketMemory } from '@warren/udp';
import { type Bind, INT, SIZE, VOID } from './library.js';

const KEY = 32;
const NONCE = 12;
// openssl/evp.h
const EVP_CTRL_AEAD_GET_TAG = 0x10;
const EVP_CTRL_AEAD_SET_TAG = 0x11;

type Init = (context: number, cipher: number, engine: number, key: number, nonce: number) => number;
type Update = (context: number, out: number, lengthOut: number, input: number, length: number) => number;
type Final = (context: number, out: number, lengthOut: number) => number;

interface Evp {
  readonly cipher: number;
  readonly newContext: () => number;
  readonly control: (context: number, command: number, length: number, pointer: number) => number;
  readonly cleanse: (address: number, length: number) => void;
  readonly sealInit: Init;
  readonly sealUpdate: Update;
  readonly sealFinal: Final;
  readonly openInit: Init;
  readonly openUpdate: Update;
  readonly openFinal: Final;
}

/**
 * ChaCha20-Poly1305 by OpenSSL's public EVP interface, one context a direction for the life of the process.
 * @throws Error when the library has no such symbols.
 */
export function openEvp(name: string, bind: Bind, memory: PacketMemory): MemoryAead {
  const init = [SIZE, SIZE, SIZE, SIZE, SIZE];
  const update = [SIZE, SIZE, SIZE, SIZE, INT];
  const final = [SIZE, SIZE, SIZE];
  return new EvpAead(name, memory, {
    cipher: bind<() => number>('EVP_chacha20_poly1305', SIZE, [])(),
    newContext: bind('EVP_CIPHER_CTX_new', SIZE, []),
    control: bind('EVP_CIPHER_CTX_ctrl', INT, [SIZE, INT, INT, SIZE]),
    cleanse: bind('OPENSSL_cleanse', VOID, [SIZE, SIZE]),
    sealInit: bind('EVP_EncryptInit_ex', INT, init),
    sealUpdate: bind('EVP_EncryptUpdate', INT, update),
    sealFinal: bind('EVP_EncryptFinal_ex', INT, final),
    openInit: bind('EVP_DecryptInit_ex', INT, init),
    openUpdate: bind('EVP_DecryptUpdate', INT, update),
    openFinal: bind('EVP_DecryptFinal_ex', INT, final),
  });
}

class EvpAead implements MemoryAead {
  readonly memory: Uint8Array;
  readonly #view: DataView;
  readonly #base: number;
  readonly #key: number;
  readonly #nonce: number;
  readonly #lengthOut: number;
  readonly #sealing: number;
  readonly #opening: number;

  constructor(
    readonly name: string,
    memory: PacketMemory,
    private readonly evp: Evp,
  ) {
    this.memory = memory.bytes;
    this.#view = memory.view;
    this.#base = memory.base;
    this.#key = memory.allocate(KEY);
    this.#nonce = memory.allocate(NONCE);
    this.#lengthOut = memory.allocate(4);
    this.#sealing = evp.newContext();
    this.#opening = evp.newContext();
    const ready =
      evp.sealInit(this.#sealing, evp.cipher, 0, 0, 0) === 1 && evp.openInit(this.#opening, evp.cipher, 0, 0, 0) === 1;
    invariant(ready, 'OpenSSL has no ChaCha20-Poly1305');
  }

  seal(key: Uint8Array, counter: number, from: number, length: number, to: number): void {
    invariant(isCounter(counter), 'a counter is an integer from 0 to 2^53 - 1');
    this.#begin(key, counter);
    const { evp } = this;
    const base = this.#base;
    const context = this.#sealing;
    const out = base + this.#lengthOut;
    const sealed =
      evp.sealInit(context, 0, 0, base + this.#key, base + this.#nonce) === 1 &&
      (length === 0 || evp.sealUpdate(context, base + to, out, base + from, length) === 1) &&
      evp.sealFinal(context, base + to + length, out) === 1 &&
      evp.control(context, EVP_CTRL_AEAD_GET_TAG, TAG_LENGTH, base + to + length) === 1;
    // What is at `to` could otherwise go out as plaintext.
    invariant(sealed, 'OpenSSL failed to seal');
  }

  open(key: Uint8Array, counter: number, from: number, length: number, to: number): boolean {
    const textLength = length - TAG_LENGTH;
    if (textLength < 0 || !isCounter(counter)) return false;
    this.#begin(key, counter);
    const { evp } = this;
    const base = this.#base;
    const context = this.#opening;
    const out = base + this.#lengthOut;
    return (
      evp.openInit(context, 0, 0, base + this.#key, base + this.#nonce) === 1 &&
      evp.control(context, EVP_CTRL_AEAD_SET_TAG, TAG_LENGTH, base + from + textLength) === 1 &&
      (textLength === 0 || evp.openUpdate(context, base + to, out, base + from, textLength) === 1) &&
      evp.openFinal(context, out, out) === 1
    );
  }

  /** The contexts get a key of zeros: OpenSSL itself overwrites them only when they are freed. */
  forget(): void {
    const { evp } = this;
    const key = this.#base + this.#key;
    evp.cleanse(key, KEY);
    evp.sealInit(this.#sealing, 0, 0, key, 0);
    evp.openInit(this.#opening, 0, 0, key, 0);
  }

  #begin(key: Uint8Array, counter: number): void {
    this.memory.set(key, this.#key);
    this.#view.setUint32(this.#nonce + 4, counter >>> 0, true);
    this.#view.setUint32(this.#nonce + 8, (counter / 0x1_0000_0000) >>> 0, true);
  }
}
