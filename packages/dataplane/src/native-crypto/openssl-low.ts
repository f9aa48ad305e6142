import { invariant } from '@warren/base';
import { isCounter, type MemoryAead, TAG_LENGTH } from '@warren/crypto';
import type { PacketMemory } from '@warren/udp';
import { type Bind, SIZE, VOID } from './library.js';

const BLOCK = 64;
const KEY = 32;
const WORD = 4;
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
  /** First block of key stream, whose first half is Poly1305's key (RFC 8439 §2.6). */
  readonly #macKey: number;
  /** Room for the padded end of the text and the two lengths. */
  readonly #last: number;
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
    this.#macKey = memory.allocate(BLOCK);
    this.#last = memory.allocate(32);
    this.#tag = memory.allocate(TAG_LENGTH);
    this.#state = memory.allocate(MAX_STATE);
  }

  seal(key: Uint8Array, counter: number, from: number, length: number, to: number): void {
    invariant(isCounter(counter), 'a counter is an integer from 0 to 2^53 - 1');
    this.#begin(key, counter);
    const base = this.#base;
    if (length > 0) this.#chacha(base + to, base + from, length, base + this.#key, base + this.#counter);
    this.#authenticate(to, length, to + length);
  }

  open(key: Uint8Array, counter: number, from: number, length: number, to: number): boolean {
    const textLength = length - TAG_LENGTH;
    if (textLength < 0 || !isCounter(counter)) return false;
    this.#begin(key, counter);
    this.#authenticate(from, textLength, this.#tag);
    if (!this.#tagEquals(from + textLength)) return false;
    const base = this.#base;
    if (textLength > 0) this.#chacha(base + to, base + from, textLength, base + this.#key, base + this.#counter);
    return true;
  }

  forget(): void {
    this.memory.fill(0, this.#key, this.#key + KEY);
    this.memory.fill(0, this.#macKey, this.#macKey + BLOCK);
    this.memory.fill(0, this.#state, this.#state + MAX_STATE);
  }

  /** Makes Poly1305's key, and leaves key and nonce ready for the text, which begins with block 1. */
  #begin(key: Uint8Array, counter: number): void {
    this.memory.set(key, this.#key);
    const words = this.#words;
    const at = this.#counter >> 2;
    words[at] = 0;
    words[at + 1] = 0;
    words[at + 2] = counter >>> 0;
    words[at + 3] = (counter / 0x1_0000_0000) >>> 0;
    const base = this.#base;
    // Half a block would do, but the assembly is made for whole ones.
    this.#chacha(base + this.#macKey, base + this.#zeros, BLOCK, base + this.#key, base + this.#counter);
    words[at] = 1;
  }

  /** Poly1305 over the text, zeros up to 16 bytes, and the lengths of associated data (none) and text. */
  #authenticate(text: number, length: number, tag: number): void {
    const { memory } = this;
    const words = this.#words;
    const base = this.#base;
    const whole = length & ~15;
    const rest = length & 15;
    this.#init(base + this.#state, base + this.#macKey);
    if (whole > 0) this.#update(base + this.#state, base + text, whole);
    let at = this.#last >> 2;
    if (rest > 0) {
      words[at] = 0;
      words[at + 1] = 0;
      words[at + 2] = 0;
      words[at + 3] = 0;
      for (let i = 0; i < rest; i++) memory[this.#last + i] = memory[text + whole + i]!;
      at += 4;
    }
    words[at] = 0;
    words[at + 1] = 0;
    words[at + 2] = length;
    words[at + 3] = 0;
    this.#update(base + this.#state, base + this.#last, rest > 0 ? 32 : 16);
    this.#final(base + this.#state, base + tag);
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
