import { invariant } from '@warren/base';
import { isCounter, type MemoryAead, TAG_LENGTH } from '@warren/crypto';
import type { PacketMemory } from '@warren/udp';
import { type Bind, SIZE, VOID } from './library.js';

const BLOCK = 64;
const KEY = 32;
const WORD = 4;
/** Bytes of the two 64-bit lengths that end Poly1305's input (RFC 8439 §2.8). */
const LENGTHS = 16;
/** Longest text that is copied to be sealed or opened: any packet of an ordinary MTU. */
const SHORT = 2048;
/** Whole bytes of a longer text that go with its end; with the lengths that makes at least 64. */
const END = 48;
/** `Poly1305_ctx_size()` is about 250; what asks for more is not the OpenSSL that we know. */
const MAX_STATE = 512;

/**
 * ChaCha20-Poly1305 put together from OpenSSL's `ChaCha20_ctr32` and `Poly1305_*` as RFC 8439 §2.8 says: two thirds of what
 * EVP costs. They are no public interface, but the `node` binary exports them; the known answers decide whether they are used.
 * @throws Error when the library has no such symbols.
 */
export function openLowLevel(bind: Bind, memory: PacketMemory): MemoryAead {
  const chacha = bind<(out: number, input: number, length: number, key: number, counter: number) => void>(
    'ChaCha20_ctr32',
    VOID,
    [SIZE, SIZE, SIZE, SIZE, SIZE],
  );
  const init = bind<(state: number, key: number) => void>('Poly1305_Init', VOID, [SIZE, SIZE]);
  const update = bind<(state: number, input: number, length: number) => void>('Poly1305_Update', VOID, [
    SIZE,
    SIZE,
    SIZE,
  ]);
  const final = bind<(state: number, tag: number) => void>('Poly1305_Final', VOID, [SIZE, SIZE]);
  const stateSize = bind<() => number>('Poly1305_ctx_size', SIZE, [])();
  invariant(stateSize <= MAX_STATE, `Poly1305 wants ${stateSize} bytes of state`);
  return new LowLevelAead(memory, { chacha, init, update, final });
}

interface Primitives {
  readonly chacha: (out: number, input: number, length: number, key: number, counter: number) => void;
  readonly init: (state: number, key: number) => void;
  readonly update: (state: number, input: number, length: number) => void;
  readonly final: (state: number, tag: number) => void;
}

/**
 * Texts of ordinary packets are copied behind a block of zeros, so that one pass of ChaCha20 makes Poly1305's key and applies the
 * key stream, and Poly1305's input is one piece: a call costs 60 to 130 ns, a copy of a packet 30. Longer texts stay where
 * they are but for their end. No Poly1305 update is below 64 bytes where that can be had: it would leave the vector code for
 * 400 ns.
 */
class LowLevelAead implements MemoryAead {
  readonly name = 'openssl-low';
  readonly memory: Uint8Array;
  readonly #words: Uint32Array;
  readonly #base: number;
  readonly #chacha: Primitives['chacha'];
  readonly #init: Primitives['init'];
  readonly #update: Primitives['update'];
  readonly #final: Primitives['final'];
  readonly #key: number;
  /** Block counter and nonce: the last four words of ChaCha20's state (RFC 8439 §2.3). */
  readonly #counter: number;
  readonly #zeros: number;
  /** First block of key stream, whose first half is Poly1305's key (RFC 8439 §2.6); a short text follows it. */
  readonly #stream: number;
  /** End of Poly1305's input: the end of the text, zeros up to 16 bytes, and the two lengths. */
  readonly #end: number;
  readonly #tag: number;
  readonly #state: number;

  constructor(memory: PacketMemory, primitives: Primitives) {
    this.memory = memory.bytes;
    this.#words = memory.words;
    this.#base = memory.base;
    this.#chacha = primitives.chacha;
    this.#init = primitives.init;
    this.#update = primitives.update;
    this.#final = primitives.final;
    this.#key = memory.allocate(KEY);
    this.#counter = memory.allocate(16);
    this.#zeros = memory.allocate(BLOCK);
    this.#stream = memory.allocate(BLOCK + SHORT + LENGTHS);
    this.#end = memory.allocate(SHORT + LENGTHS);
    this.#tag = memory.allocate(TAG_LENGTH);
    this.#state = memory.allocate(MAX_STATE);
  }

  seal(key: Uint8Array, counter: number, from: number, length: number, to: number): void {
    invariant(isCounter(counter), 'a counter is an integer from 0 to 2^53 - 1');
    this.#setKey(key, counter);
    if (length <= SHORT) {
      this.#applyShort(from, length);
      const text = this.#stream + BLOCK;
      this.#authenticateShort(text, length, text + length);
      this.memory.copyWithin(to, text, text + length + TAG_LENGTH);
    } else {
      this.#makeMacKey();
      this.#applyLong(from, length, to);
      this.#authenticateLong(to, length, to + length);
    }
  }

  open(key: Uint8Array, counter: number, from: number, length: number, to: number): boolean {
    const textLength = length - TAG_LENGTH;
    if (textLength < 0 || !isCounter(counter)) return false;
    this.#setKey(key, counter);
    if (textLength <= SHORT) {
      this.#applyShort(from, textLength);
      this.memory.copyWithin(this.#end, from, from + textLength);
      this.#authenticateShort(this.#end, textLength, this.#tag);
      if (!this.#tagEquals(from + textLength)) return false;
      this.memory.copyWithin(to, this.#stream + BLOCK, this.#stream + BLOCK + textLength);
      return true;
    }
    this.#makeMacKey();
    this.#authenticateLong(from, textLength, this.#tag);
    if (!this.#tagEquals(from + textLength)) return false;
    this.#applyLong(from, textLength, to);
    return true;
  }

  forget(): void {
    this.memory.fill(0, this.#key, this.#key + KEY);
    this.memory.fill(0, this.#stream, this.#stream + BLOCK + SHORT);
    this.memory.fill(0, this.#end, this.#end + SHORT);
    this.memory.fill(0, this.#state, this.#state + MAX_STATE);
  }

  #setKey(key: Uint8Array, counter: number): void {
    this.memory.set(key, this.#key);
    const words = this.#words;
    const at = this.#counter >> 2;
    words[at] = 0;
    words[at + 1] = 0;
    words[at + 2] = counter >>> 0;
    words[at + 3] = (counter / 0x1_0000_0000) >>> 0;
  }

  /** Poly1305's key, and behind it the text with the key stream applied. */
  #applyShort(text: number, length: number): void {
    const base = this.#base;
    const stream = this.#stream;
    this.memory.copyWithin(stream, this.#zeros, this.#zeros + BLOCK);
    this.memory.copyWithin(stream + BLOCK, text, text + length);
    this.#chacha(base + stream, base + stream, BLOCK + length, base + this.#key, base + this.#counter);
  }

  #makeMacKey(): void {
    const base = this.#base;
    // Half a block would do, but the assembly is made for whole ones.
    this.#chacha(base + this.#stream, base + this.#zeros, BLOCK, base + this.#key, base + this.#counter);
  }

  /** The text begins with block 1. */
  #applyLong(from: number, length: number, to: number): void {
    const base = this.#base;
    this.#words[this.#counter >> 2] = 1;
    this.#chacha(base + to, base + from, length, base + this.#key, base + this.#counter);
  }

  /** Poly1305 over a copied text, behind which there is room for what follows it; writes the tag. */
  #authenticateShort(text: number, length: number, tag: number): void {
    const state = this.#base + this.#state;
    const end = this.#writeLengths(text + length, text, length);
    this.#init(state, this.#base + this.#stream);
    this.#update(state, this.#base + text, end - text);
    this.#final(state, this.#base + tag);
  }

  /** The same for a text that is not copied, but for its end. */
  #authenticateLong(text: number, length: number, tag: number): void {
    const state = this.#base + this.#state;
    const whole = (length & ~15) - END;
    this.memory.copyWithin(this.#end, text + whole, text + length);
    const end = this.#writeLengths(this.#end + length - whole, this.#end, length);
    this.#init(state, this.#base + this.#stream);
    this.#update(state, this.#base + text, whole);
    this.#update(state, this.#base + this.#end, end - this.#end);
    this.#final(state, this.#base + tag);
  }

  /**
   * Zeros from `at` to a multiple of 16 bytes from `begin`, and the lengths of associated data (none) and text.
   * `begin` is aligned. @returns the end.
   */
  #writeLengths(at: number, begin: number, length: number): number {
    const { memory } = this;
    const words = this.#words;
    const padded = begin + ((at - begin + 15) & ~15);
    for (let i = at; i < padded; i++) memory[i] = 0;
    const word = padded >> 2;
    words[word] = 0;
    words[word + 1] = 0;
    words[word + 2] = length;
    words[word + 3] = 0;
    return padded + LENGTHS;
  }

  /** In time that does not depend on where they differ. */
  #tagEquals(tag: number): boolean {
    const { memory } = this;
    const words = this.#words;
    const computed = this.#tag;
    let difference = 0;
    if (tag % WORD === 0) {
      for (let i = 0; i < 4; i++) difference |= words[(tag >> 2) + i]! ^ words[(computed >> 2) + i]!;
    } else {
      for (let i = 0; i < TAG_LENGTH; i++) difference |= memory[tag + i]! ^ memory[computed + i]!;
    }
    return difference === 0;
  }
}
