import {
  addressBits,
  type IpAddress,
  ipFromBytes,
  ipToBytes,
  type Prefix,
  prefixAddress,
  prefixLength,
} from '@warren/base';

/** Beyond this nobody looks: numbers stay exact, and no network has that many nodes. */
export const FAR = 2 ** 32 - 1;

/** An address as a number, network byte order. */
export function toNumber(address: IpAddress): bigint {
  return ipToBytes(address).reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
}

/** The inverse of `toNumber`; `bits` is 32 or 128. */
export function fromNumber(value: bigint, bits: 32 | 128): IpAddress {
  const bytes = new Uint8Array(bits / 8);
  for (let i = bytes.length - 1, rest = value; i >= 0; i--, rest >>= 8n) bytes[i] = Number(rest & 255n);
  return ipFromBytes(bytes);
}

/** How many addresses a prefix has. */
export const sizeOf = (prefix: Prefix): bigint => 1n << BigInt(addressBits(prefix) - prefixLength(prefix));

/** The first and the last address of a prefix as numbers. */
export function limitsOf(prefix: Prefix): readonly [first: bigint, last: bigint] {
  const first = toNumber(prefixAddress(prefix));
  return [first, first + sizeOf(prefix) - 1n];
}

/** How far an address lies behind the first one of its prefix. */
export const offsetIn = (prefix: Prefix, address: IpAddress): bigint =>
  toNumber(address) - toNumber(prefixAddress(prefix));
