import { concatBytes } from '@warren/base';

/** Longest text that a length byte may announce here: UUIDs have 36 characters, token ids at most 64. */
const MAX_TEXT_LENGTH = 64;

/** Printable ASCII without space: ids and nothing else, so that one id has one encoding. */
const TEXT = /^[\x21-\x7e]+$/;

/** @returns whether `textField` takes `text`. */
export const isFieldText = (text: string): boolean => text.length <= MAX_TEXT_LENGTH && TEXT.test(text);

/** ASCII bytes of our own constants: domain strings. */
export const ascii = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));

/** Length byte and ASCII. @throws RangeError for text that is no id: 1 to 64 printable characters. */
export function textField(text: string): Uint8Array {
  if (!isFieldText(text)) throw new RangeError(`an id has 1 to ${MAX_TEXT_LENGTH} printable ASCII characters`);
  return concatBytes(Uint8Array.of(text.length), ascii(text));
}

/** The bytes themselves, of a length that the reader knows. @throws RangeError for any other length. */
export function fixedField(bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.length !== length) throw new RangeError(`this field has ${length} bytes, not ${bytes.length}`);
  return bytes;
}

/** 64 bits, big-endian. @throws RangeError unless `value` is an integer of 0 to 2^53 − 1. */
export function uintField(value: number): Uint8Array {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError('this field is an integer of 0 to 2^53 − 1');
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, Math.floor(value / 2 ** 32));
  view.setUint32(4, value % 2 ** 32);
  return bytes;
}

/** Four length bytes, big-endian, and the bytes: for transcripts, where nothing is decoded again. */
export function longField(bytes: Uint8Array): Uint8Array {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, bytes.length);
  return concatBytes(length, bytes);
}

/**
 * Reads the fields back from bytes from outside. Each method gives undefined from the first field on that is not
 * there or not canonical; nothing throws.
 */
export class FieldReader {
  #offset = 0;
  #failed = false;

  constructor(private readonly bytes: Uint8Array) {}

  /** Skips `constant`, failing unless it is exactly there. */
  constant(constant: Uint8Array): void {
    const found = this.fixed(constant.length);
    if (!found?.every((byte, i) => byte === constant[i])) this.#failed = true;
  }

  /** A copy of the next `length` bytes. */
  fixed(length: number): Uint8Array | undefined {
    const end = this.#offset + length;
    if (this.#failed || end > this.bytes.length) {
      this.#failed = true;
      return undefined;
    }
    // Not `slice`: a Buffer's shares memory, and `uint` reads from the start of the buffer.
    const found = new Uint8Array(this.bytes.subarray(this.#offset, end));
    this.#offset = end;
    return found;
  }

  text(): string | undefined {
    const found = this.fixed(this.fixed(1)?.[0] ?? 0);
    const text = found && String.fromCharCode(...found);
    if (text !== undefined && isFieldText(text)) return text;
    this.#failed = true;
    return undefined;
  }

  uint(): number | undefined {
    const found = this.fixed(8);
    if (!found) return undefined;
    const view = new DataView(found.buffer);
    const value = view.getUint32(0) * 2 ** 32 + view.getUint32(4);
    if (Number.isSafeInteger(value)) return value;
    this.#failed = true;
    return undefined;
  }

  /** Whether everything was read and was right: bytes behind the last field are no encoding of ours. */
  complete(): boolean {
    return !this.#failed && this.#offset === this.bytes.length;
  }
}
