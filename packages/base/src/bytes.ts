import { base64, base64urlnopad, hex } from '@scure/base';

/** One new array holding all parts in order. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** Compares in time that depends on the lengths only, so that it may be used on MACs and secrets. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!;
  return difference === 0;
}

export const toHex = (bytes: Uint8Array): string => hex.encode(bytes);
/** @returns undefined when `text` is not hexadecimal. */
export const fromHex = (text: string): Uint8Array | undefined => decodeOrUndefined(hex.decode, text.toLowerCase());

export const toBase64 = (bytes: Uint8Array): string => base64.encode(bytes);
/** Standard alphabet with padding, canonical only. @returns undefined for anything else. */
export const fromBase64 = (text: string): Uint8Array | undefined => decodeOrUndefined(base64.decode, text);

export const toBase64Url = (bytes: Uint8Array): string => base64urlnopad.encode(bytes);
/** URL alphabet without padding. @returns undefined for anything else. */
export const fromBase64Url = (text: string): Uint8Array | undefined => decodeOrUndefined(base64urlnopad.decode, text);

function decodeOrUndefined(decode: (text: string) => Uint8Array, text: string): Uint8Array | undefined {
  try {
    return decode(text);
  } catch {
    return undefined; // the library throws on bad input; here bad input is data
  }
}
