import { type Drop, drop, invariant } from '@warren/base';
import { hmacSha1, hmacSha256 } from '@warren/crypto';
import { ATTRIBUTE, HEADER_LENGTH, MAGIC_COOKIE, MAX_ATTRIBUTES, TRANSACTION_ID_LENGTH } from './constants.js';
import { FINGERPRINT_LENGTH, fingerprintOf } from './fingerprint.js';

/** RFC 8489 §5. */
export type StunClass = 'request' | 'indication' | 'success' | 'error';

/** One attribute as it is on the wire, without its padding (RFC 8489 §14). */
export interface StunAttribute {
  /** 16 bits. */
  readonly type: number;
  /** From `decodeMessage`: a view into the datagram. */
  readonly value: Uint8Array;
}

/** A STUN message (RFC 8489 §5): what it is and its attributes in order. */
export interface StunMessage {
  readonly class: StunClass;
  /** 12 bits. */
  readonly method: number;
  /** 12 bytes. */
  readonly transactionId: Uint8Array;
  readonly attributes: readonly StunAttribute[];
}

/** What `encodeMessage` puts behind the attributes, in this order. */
export interface MessageTail {
  /** MESSAGE-INTEGRITY under this key (RFC 8489 §14.5). */
  readonly integrityKey?: Uint8Array;
  /** MESSAGE-INTEGRITY-SHA256 under this key, not cut short (RFC 8489 §14.6). */
  readonly integritySha256Key?: Uint8Array;
  /** FINGERPRINT (RFC 8489 §14.7). */
  readonly fingerprint?: boolean;
}

const NOT_STUN = drop('not-stun');
const TOO_MANY_ATTRIBUTES = drop('stun-too-many-attributes');
const ATTRIBUTE_CUT_OFF = drop('stun-attribute-cut-off');
const FINGERPRINT_WRONG = drop('stun-fingerprint-wrong');

const ATTRIBUTE_HEADER_LENGTH = 4;
const CLASSES = ['request', 'indication', 'success', 'error'] as const;
const MACS = [
  { type: ATTRIBUTE['MESSAGE-INTEGRITY'], hmac: hmacSha1, length: 20 },
  { type: ATTRIBUTE['MESSAGE-INTEGRITY-SHA256'], hmac: hmacSha256, length: 32 },
] as const;

export const paddedLength = (length: number): number => (length + 3) & ~3;

/**
 * Whether these bytes are STUN and nothing else that shares the port: two zero bits, the cookie, and exactly the length
 * that they name (RFC 8489 §6.3). Never throws; allocates nothing.
 */
export function isStunMessage(bytes: Uint8Array): boolean {
  if (bytes.length < HEADER_LENGTH || bytes[0]! > 0x3f || bytes.length % 4 !== 0) return false;
  if (((bytes[2]! << 8) | bytes[3]!) !== bytes.length - HEADER_LENGTH) return false;
  return bytes[4] === 0x21 && bytes[5] === 0x12 && bytes[6] === 0xa4 && bytes[7] === 0x42;
}

/**
 * Decodes one datagram. Attributes that RFC 8489 §14.5 and §14.6 say to ignore, for coming after an integrity attribute,
 * are left out. A FINGERPRINT that is wrong or not last spoils the message (§6.3). Integrity is not checked here, see
 * `checkIntegrity`. Never throws.
 */
export function decodeMessage(datagram: Uint8Array): StunMessage | Drop {
  if (!isStunMessage(datagram)) return NOT_STUN;
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.length);
  const attributes: StunAttribute[] = [];
  let least = 0;
  for (let offset = HEADER_LENGTH, count = 0; offset < datagram.length; count++) {
    if (count === MAX_ATTRIBUTES) return TOO_MANY_ATTRIBUTES;
    const type = view.getUint16(offset);
    const start = offset + ATTRIBUTE_HEADER_LENGTH;
    const end = start + view.getUint16(offset + 2);
    if (end > datagram.length) return ATTRIBUTE_CUT_OFF;
    const value = datagram.subarray(start, end);
    if (type === ATTRIBUTE.FINGERPRINT && !isFingerprint(datagram, offset, value)) return FINGERPRINT_WRONG;
    const rank = rankOf(type);
    if (rank >= least) attributes.push({ type, value });
    // After an integrity attribute only stronger ones and FINGERPRINT count: they alone cannot have been put there.
    if (rank > 0) least = Math.max(least, rank + 1);
    offset = paddedLength(end);
  }
  const { method, class: messageClass } = splitType(view.getUint16(0));
  return { class: messageClass, method, transactionId: datagram.subarray(8, HEADER_LENGTH), attributes };
}

/** 0: any attribute; else the order in which the three of the tail come. */
const rankOf = (type: number): number =>
  1 + [MACS[0].type, MACS[1].type, ATTRIBUTE.FINGERPRINT].indexOf(type as (typeof MACS)[number]['type']);

const isFingerprint = (datagram: Uint8Array, offset: number, value: Uint8Array): boolean =>
  value.length === 4 &&
  offset + FINGERPRINT_LENGTH === datagram.length &&
  new DataView(value.buffer, value.byteOffset).getUint32(0) === fingerprintOf(datagram.subarray(0, offset));

/** The bits of the class stand between those of the method (RFC 8489 §5, figure 3). */
function splitType(type: number): { method: number; class: StunClass } {
  const method = (type & 0x000f) | ((type & 0x00e0) >> 1) | ((type & 0x3e00) >> 2);
  return { method, class: CLASSES[((type & 0x0100) >> 7) | ((type & 0x0010) >> 4)]! };
}

function joinType(method: number, messageClass: StunClass): number {
  const bits = CLASSES.indexOf(messageClass);
  const spread = (method & 0x000f) | ((method & 0x0070) << 1) | ((method & 0x0f80) << 2);
  return spread | ((bits & 2) << 7) | ((bits & 1) << 4);
}

/**
 * Encodes a message and its tail into a new array; padding is zeros.
 * @throws InvariantError when a transaction id, method or attribute cannot be encoded.
 */
export function encodeMessage(message: StunMessage, tail: MessageTail = {}): Uint8Array<ArrayBuffer> {
  invariant(message.transactionId.length === TRANSACTION_ID_LENGTH, 'a STUN transaction id has 12 bytes');
  invariant(message.method >= 0 && message.method <= 0xfff, 'a STUN method has 12 bits');
  const keys = [tail.integrityKey, tail.integritySha256Key];
  let length = messageLength(message.attributes);
  for (const [index, mac] of MACS.entries()) if (keys[index]) length += ATTRIBUTE_HEADER_LENGTH + mac.length;
  if (tail.fingerprint) length += FINGERPRINT_LENGTH;
  invariant(length - HEADER_LENGTH <= 0xffff, 'a STUN message has at most 65535 bytes of attributes');
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, joinType(message.method, message.class));
  view.setUint32(4, MAGIC_COOKIE);
  bytes.set(message.transactionId, 8);
  let offset = HEADER_LENGTH;
  const put = (type: number, value: Uint8Array): void => {
    view.setUint16(offset, type);
    view.setUint16(offset + 2, value.length);
    bytes.set(value, offset + ATTRIBUTE_HEADER_LENGTH);
    offset += ATTRIBUTE_HEADER_LENGTH + paddedLength(value.length);
  };
  for (const { type, value } of message.attributes) put(type, value);
  for (const [index, mac] of MACS.entries()) {
    const key = keys[index];
    if (!key) continue;
    // Its length field counts up to and with the integrity attribute, whatever comes behind (RFC 8489 §14.5).
    view.setUint16(2, offset - HEADER_LENGTH + ATTRIBUTE_HEADER_LENGTH + mac.length);
    put(mac.type, mac.hmac(key, bytes.subarray(0, offset)));
  }
  view.setUint16(2, length - HEADER_LENGTH);
  if (tail.fingerprint) {
    view.setUint32(offset + ATTRIBUTE_HEADER_LENGTH, fingerprintOf(bytes.subarray(0, offset)));
    view.setUint16(offset, ATTRIBUTE.FINGERPRINT);
    view.setUint16(offset + 2, 4);
  }
  return bytes;
}

/** Bytes of a message with these attributes and no tail. */
export function messageLength(attributes: readonly StunAttribute[]): number {
  let length = HEADER_LENGTH;
  for (const { value } of attributes) length += ATTRIBUTE_HEADER_LENGTH + paddedLength(value.length);
  return length;
}
