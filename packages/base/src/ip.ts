import ipaddr from 'ipaddr.js';
import type { Brand } from './brand.js';

/** An IPv4 or IPv6 address in canonical text (RFC 5952 for IPv6): equal addresses are equal strings. */
export type IpAddress = Brand<string, 'IpAddress'>;
/** `address/length` with host bits zero, canonical: equal prefixes are equal strings. */
export type Prefix = Brand<string, 'Prefix'>;
export type IpFamily = 4 | 6;

/** @returns undefined unless `text` is dotted decimal IPv4 or IPv6 without zone; never an octal, hex or short form. */
export function parseIpAddress(text: string): IpAddress | undefined {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text).toString() as IpAddress;
  if (text.includes(':') && !text.includes('%') && ipaddr.IPv6.isValid(text)) {
    return ipaddr.IPv6.parse(text).toRFC5952String() as IpAddress;
  }
  return undefined;
}

/** @returns undefined for text that is no address or prefix. A bare address is its own /32 or /128; host bits are cleared. */
export function parsePrefix(text: string): Prefix | undefined {
  const slash = text.indexOf('/');
  const address = parseIpAddress(slash < 0 ? text : text.slice(0, slash));
  if (!address) return undefined;
  const width = addressBits(address);
  const lengthText = slash < 0 ? String(width) : text.slice(slash + 1);
  if (!/^(0|[1-9]\d{0,2})$/.test(lengthText)) return undefined;
  const length = Number(lengthText);
  if (length > width) return undefined;
  return makePrefix(address, length);
}

export const ipFamily = (address: IpAddress | Prefix): IpFamily => (address.includes(':') ? 6 : 4);
/** 32 or 128. */
export const addressBits = (address: IpAddress | Prefix): 32 | 128 => (ipFamily(address) === 4 ? 32 : 128);

/** Network byte order: 4 or 16 bytes, a new array. */
export function ipToBytes(address: IpAddress): Uint8Array {
  return Uint8Array.from(ipaddr.parse(address).toByteArray());
}

/** From 4 or 16 bytes in network byte order. @throws RangeError for any other length. */
export function ipFromBytes(bytes: Uint8Array): IpAddress {
  if (bytes.length !== 4 && bytes.length !== 16)
    throw new RangeError(`an IP address has 4 or 16 bytes, not ${bytes.length}`);
  const parsed = ipaddr.fromByteArray(Array.from(bytes));
  return (parsed instanceof ipaddr.IPv6 ? parsed.toRFC5952String() : parsed.toString()) as IpAddress;
}

/** The prefix of `length` bits that holds `address`. */
export function makePrefix(address: IpAddress, length: number): Prefix {
  const bytes = ipToBytes(address);
  for (let bit = length; bit < bytes.length * 8; bit++) bytes[bit >> 3]! &= ~(0x80 >> (bit & 7));
  return `${ipFromBytes(bytes)}/${length}` as Prefix;
}

/** The /32 or /128 of one address. */
export const hostPrefix = (address: IpAddress): Prefix => `${address}/${addressBits(address)}` as Prefix;
export const prefixAddress = (prefix: Prefix): IpAddress => prefix.slice(0, prefix.indexOf('/')) as IpAddress;
export const prefixLength = (prefix: Prefix): number => Number(prefix.slice(prefix.indexOf('/') + 1));

export function prefixContains(prefix: Prefix, address: IpAddress): boolean {
  return ipFamily(prefix) === ipFamily(address) && makePrefix(address, prefixLength(prefix)) === prefix;
}

/** Whether two prefixes share an address. */
export function prefixesOverlap(a: Prefix, b: Prefix): boolean {
  return prefixLength(a) <= prefixLength(b) ? prefixContains(a, prefixAddress(b)) : prefixContains(b, prefixAddress(a));
}
