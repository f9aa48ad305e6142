import { invariant } from '@warren/base';
import koffi from 'koffi';

const PAGE = 65_536;

/** TypeScript declares WebAssembly with the browser's library only. */
declare const WebAssembly: {
  readonly Memory: new (size: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
};

/**
 * Memory of fixed size and address that system calls and JavaScript share: packets, addresses, message headers.
 * Its base address is taken once, so that a pointer is `base + offset`, a plain number.
 */
export class PacketMemory {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView<ArrayBuffer>;
  /** The same memory as 32-bit words of this machine, little-endian. */
  readonly words: Uint32Array<ArrayBuffer>;
  /** What a WebAssembly module imports to work on this memory. */
  readonly wasmMemory: { readonly buffer: ArrayBuffer };
  /** Address of offset 0 in this process. */
  readonly base: number;
  #used = 64;

  /** @param pages of 64 KiB each; the memory never grows, since growing would move it. */
  constructor(pages: number) {
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    this.bytes = new Uint8Array(memory.buffer);
    this.view = new DataView(memory.buffer);
    this.words = new Uint32Array(memory.buffer);
    this.wasmMemory = memory;
    this.base = Number(koffi.address(this.bytes));
  }

  /** Offset of `length` bytes that nobody else has, aligned to 64. @throws InvariantError when the memory is used up. */
  allocate(length: number): number {
    const offset = this.#used;
    this.#used = (offset + length + 63) & ~63;
    invariant(this.#used <= this.bytes.length, `packet memory of ${this.bytes.length / PAGE} pages is used up`);
    return offset;
  }

  /** Writes a 64-bit little-endian number below 2^53. */
  setUint64(offset: number, value: number): void {
    this.view.setUint32(offset, value >>> 0, true);
    this.view.setUint32(offset + 4, (value / 0x1_0000_0000) >>> 0, true);
  }

  /** Whether `array` is a part of this memory, so that a system call may use it without a copy. */
  holds(array: Uint8Array): boolean {
    return array.buffer === this.bytes.buffer;
  }
}
