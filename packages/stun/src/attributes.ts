import { type IpAddress, ipFromBytes, ipToBytes } from '@warren/base';
import { ATTRIBUTE, MAGIC_COOKIE, MAX_REASON_LENGTH } from './constants.js';
import type { StunAttribute, StunMessage } from './message.js';

/** An address and a UDP port. */
export interface TransportAddress {
  readonly address: IpAddress;
  readonly port: number;
}

/** RFC 8489 §14.8: 300 to 699, and words for people. */
export interface StunError {
  readonly code: number;
  readonly reason: string;
}

/** RFC 5780 §7.2: from which other socket the answer shall come. */
export interface ChangeRequest {
  readonly address: boolean;
  readonly port: boolean;
}

type AddressType = 'MAPPED-ADDRESS' | 'RESPONSE-ORIGIN' | 'OTHER-ADDRESS';

const FAMILY_LENGTH = new Map([
  [1, 4],
  [2, 16],
]);

/** The first attribute of that name; undefined when there is none. A view into the datagram. */
export const attributeValue = (message: StunMessage, name: keyof typeof ATTRIBUTE): Uint8Array | undefined =>
  message.attributes.find(({ type }) => type === ATTRIBUTE[name])?.value;

/** MAPPED-ADDRESS (RFC 8489 §14.1), RESPONSE-ORIGIN and OTHER-ADDRESS (RFC 5780 §7.3, §7.4): plain. */
export const addressAttribute = (name: AddressType, { address, port }: TransportAddress): StunAttribute => ({
  type: ATTRIBUTE[name],
  value: encodeAddress(ipToBytes(address), port),
});

/** @returns undefined when absent or no address of RFC 8489 §14.1. */
export function readAddress(message: StunMessage, name: AddressType): TransportAddress | undefined {
  const value = attributeValue(message, name);
  return value && decodeAddress(value);
}

/** XOR-MAPPED-ADDRESS (RFC 8489 §14.2), masked with cookie and transaction id. */
export function xorMappedAddressAttribute(mapped: TransportAddress, transactionId: Uint8Array): StunAttribute {
  const value = encodeAddress(ipToBytes(mapped.address), mapped.port);
  mask(value, transactionId);
  return { type: ATTRIBUTE['XOR-MAPPED-ADDRESS'], value };
}

/** XOR-MAPPED-ADDRESS unmasked. @returns undefined when absent or no address. */
export function readXorMappedAddress(message: StunMessage): TransportAddress | undefined {
  const value = attributeValue(message, 'XOR-MAPPED-ADDRESS')?.slice();
  if (!value || value.length < 8) return undefined;
  mask(value, message.transactionId);
  return decodeAddress(value);
}

function encodeAddress(address: Uint8Array, port: number): Uint8Array {
  const value = new Uint8Array(4 + address.length);
  value[1] = address.length === 4 ? 1 : 2;
  new DataView(value.buffer).setUint16(2, port);
  value.set(address, 4);
  return value;
}

function decodeAddress(value: Uint8Array): TransportAddress | undefined {
  if (value.length < 4 || FAMILY_LENGTH.get(value[1]!) !== value.length - 4) return undefined;
  return { address: ipFromBytes(value.subarray(4)), port: (value[2]! << 8) | value[3]! };
}

function mask(value: Uint8Array, transactionId: Uint8Array): void {
  const key = new Uint8Array(16);
  new DataView(key.buffer).setUint32(0, MAGIC_COOKIE);
  key.set(transactionId, 4);
  value[2]! ^= key[0]!;
  value[3]! ^= key[1]!;
  for (let i = 4; i < value.length && i < 20; i++) value[i]! ^= key[i - 4]!;
}

/** ERROR-CODE (RFC 8489 §14.8); the reason is ASCII. */
export function errorCodeAttribute({ code, reason }: StunError): StunAttribute {
  const words = Uint8Array.from(reason.slice(0, MAX_REASON_LENGTH), (letter) => letter.charCodeAt(0) & 0x7f);
  return { type: ATTRIBUTE['ERROR-CODE'], value: Uint8Array.of(0, 0, Math.floor(code / 100), code % 100, ...words) };
}

/** @returns undefined when absent or outside 300 to 699. */
export function readErrorCode(message: StunMessage): StunError | undefined {
  const value = attributeValue(message, 'ERROR-CODE');
  if (!value || value.length < 4) return undefined;
  const [hundreds, rest] = [value[2]! & 7, value[3]!];
  if (hundreds < 3 || hundreds > 6 || rest > 99) return undefined;
  return { code: hundreds * 100 + rest, reason: readText(value.subarray(4, 4 + MAX_REASON_LENGTH)) };
}

/** UNKNOWN-ATTRIBUTES (RFC 8489 §14.13): attribute types. */
export function unknownAttributesAttribute(types: readonly number[]): StunAttribute {
  const value = new Uint8Array(types.length * 2);
  for (const [index, type] of types.entries()) new DataView(value.buffer).setUint16(index * 2, type);
  return { type: ATTRIBUTE['UNKNOWN-ATTRIBUTES'], value };
}

/** @returns undefined when absent or of odd length. */
export function readUnknownAttributes(message: StunMessage): readonly number[] | undefined {
  const value = attributeValue(message, 'UNKNOWN-ATTRIBUTES');
  if (!value || value.length % 2 !== 0) return undefined;
  return Array.from({ length: value.length / 2 }, (_, index) => (value[2 * index]! << 8) | value[2 * index + 1]!);
}

/** SOFTWARE (RFC 8489 §14.14), for people. */
export function readSoftware(message: StunMessage): string | undefined {
  const value = attributeValue(message, 'SOFTWARE');
  return value && readText(value.subarray(0, MAX_REASON_LENGTH));
}

/** A remote's words may end up in a terminal: printable ASCII, `?` for anything else. */
const readText = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '?')).join('');

/** CHANGE-REQUEST (RFC 5780 §7.2). */
export const changeRequestAttribute = ({ address, port }: ChangeRequest): StunAttribute => ({
  type: ATTRIBUTE['CHANGE-REQUEST'],
  value: Uint8Array.of(0, 0, 0, (address ? 4 : 0) | (port ? 2 : 0)),
});

/** @returns undefined when absent or not of four bytes. */
export function readChangeRequest(message: StunMessage): ChangeRequest | undefined {
  const value = attributeValue(message, 'CHANGE-REQUEST');
  if (value?.length !== 4) return undefined;
  return { address: (value[3]! & 4) !== 0, port: (value[3]! & 2) !== 0 };
}

/** PADDING (RFC 5780 §7.6) of so many bytes. */
export const paddingAttribute = (length: number): StunAttribute => ({
  type: ATTRIBUTE.PADDING,
  value: new Uint8Array(length),
});

/** RESPONSE-PORT (RFC 5780 §7.5): the port of the sender's address that the answer shall go to. */
export const responsePortAttribute = (port: number): StunAttribute => ({
  type: ATTRIBUTE['RESPONSE-PORT'],
  value: Uint8Array.of(port >> 8, port & 0xff),
});

/** @returns undefined when absent or not a port. Four bytes, two of them padding in its length, are taken too. */
export function readResponsePort(message: StunMessage): number | undefined {
  const value = attributeValue(message, 'RESPONSE-PORT');
  if (value?.length !== 2 && value?.length !== 4) return undefined;
  return (value[0]! << 8) | value[1]! || undefined;
}
