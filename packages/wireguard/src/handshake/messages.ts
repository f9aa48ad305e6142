import type { Drop } from '@warren/base';
import { DROPS } from '../drops.js';

/** The type field: a 32-bit little-endian word, of which the paper calls three bytes reserved. WireGuard paper §5.4. */
export const MESSAGE_TYPE = Object.freeze({ initiation: 1, response: 2, cookieReply: 3, transport: 4 });

export const INITIATION_LENGTH = 148;
export const RESPONSE_LENGTH = 92;
export const COOKIE_REPLY_LENGTH = 64;
/** Bytes before the sealed payload of a transport message: type, receiver, counter. */
export const TRANSPORT_HEADER_LENGTH = 16;
/** Header and tag around an empty payload: a keepalive. */
export const TRANSPORT_MIN_LENGTH = 32;

/** Bytes of mac1 and of mac2, the last 32 of an initiation or response. */
export const MACS_LENGTH = 32;

/** First message. All arrays are views of the datagram. WireGuard paper §5.4.2. */
export interface Initiation {
  readonly senderIndex: number;
  /** 32 bytes, in clear. */
  readonly ephemeral: Uint8Array;
  /** 32 bytes and tag. */
  readonly sealedStatic: Uint8Array;
  /** 12 bytes and tag. */
  readonly sealedTimestamp: Uint8Array;
}

/** Second message. All arrays are views of the datagram. WireGuard paper §5.4.3. */
export interface Response {
  readonly senderIndex: number;
  readonly receiverIndex: number;
  /** 32 bytes, in clear. */
  readonly ephemeral: Uint8Array;
  /** The tag of an empty payload, 16 bytes. */
  readonly sealedEmpty: Uint8Array;
}

/** Answer under load. All arrays are views of the datagram. WireGuard paper §5.4.7. */
export interface CookieReply {
  readonly receiverIndex: number;
  /** 24 bytes. */
  readonly nonce: Uint8Array;
  /** 16 bytes and tag. */
  readonly sealedCookie: Uint8Array;
}

/** Header of a data message; what follows it is the sealed payload. WireGuard paper §5.4.6. */
export interface TransportHeader {
  readonly receiverIndex: number;
  /** Inexact above 2^53, where it is beyond every limit anyway. */
  readonly counter: number;
}

/** The type word; undefined for less than four bytes. */
export function messageType(datagram: Uint8Array): number | undefined {
  return datagram.length < 4 ? undefined : readUint32(datagram, 0);
}

/** A new datagram of 148 bytes; mac1 and mac2 are zero. */
export function encodeInitiation(message: Initiation): Uint8Array {
  const datagram = new Uint8Array(INITIATION_LENGTH);
  writeUint32(datagram, 0, MESSAGE_TYPE.initiation);
  writeUint32(datagram, 4, message.senderIndex);
  datagram.set(message.ephemeral, 8);
  datagram.set(message.sealedStatic, 40);
  datagram.set(message.sealedTimestamp, 88);
  return datagram;
}

export function decodeInitiation(datagram: Uint8Array): Initiation | Drop {
  const fault = checkForm(datagram, MESSAGE_TYPE.initiation, INITIATION_LENGTH);
  if (fault) return fault;
  return {
    senderIndex: readUint32(datagram, 4),
    ephemeral: datagram.subarray(8, 40),
    sealedStatic: datagram.subarray(40, 88),
    sealedTimestamp: datagram.subarray(88, 116),
  };
}

/** A new datagram of 92 bytes; mac1 and mac2 are zero. */
export function encodeResponse(message: Response): Uint8Array {
  const datagram = new Uint8Array(RESPONSE_LENGTH);
  writeUint32(datagram, 0, MESSAGE_TYPE.response);
  writeUint32(datagram, 4, message.senderIndex);
  writeUint32(datagram, 8, message.receiverIndex);
  datagram.set(message.ephemeral, 12);
  datagram.set(message.sealedEmpty, 44);
  return datagram;
}

export function decodeResponse(datagram: Uint8Array): Response | Drop {
  const fault = checkForm(datagram, MESSAGE_TYPE.response, RESPONSE_LENGTH);
  if (fault) return fault;
  return {
    senderIndex: readUint32(datagram, 4),
    receiverIndex: readUint32(datagram, 8),
    ephemeral: datagram.subarray(12, 44),
    sealedEmpty: datagram.subarray(44, 60),
  };
}

/** A new datagram of 64 bytes. */
export function encodeCookieReply(message: CookieReply): Uint8Array {
  const datagram = new Uint8Array(COOKIE_REPLY_LENGTH);
  writeUint32(datagram, 0, MESSAGE_TYPE.cookieReply);
  writeUint32(datagram, 4, message.receiverIndex);
  datagram.set(message.nonce, 8);
  datagram.set(message.sealedCookie, 32);
  return datagram;
}

export function decodeCookieReply(datagram: Uint8Array): CookieReply | Drop {
  const fault = checkForm(datagram, MESSAGE_TYPE.cookieReply, COOKIE_REPLY_LENGTH);
  if (fault) return fault;
  return {
    receiverIndex: readUint32(datagram, 4),
    nonce: datagram.subarray(8, 32),
    sealedCookie: datagram.subarray(32, 64),
  };
}

/** Writes the 16 bytes of the header at `at` of `out`. `counter` is below 2^53. */
export function writeTransportHeader(out: Uint8Array, receiverIndex: number, counter: number, at = 0): void {
  writeUint32(out, at, MESSAGE_TYPE.transport);
  writeUint32(out, at + 4, receiverIndex);
  writeUint32(out, at + 8, counter >>> 0);
  writeUint32(out, at + 12, Math.floor(counter / 0x1_0000_0000));
}

export function decodeTransportHeader(datagram: Uint8Array): TransportHeader | Drop {
  if (messageType(datagram) !== MESSAGE_TYPE.transport) return DROPS.unknownType;
  if (datagram.length < TRANSPORT_MIN_LENGTH) return DROPS.wrongLength;
  return { receiverIndex: readUint32(datagram, 4), counter: readCounter(datagram) };
}

/** The counter of a transport message of at least 16 bytes, which begins at `at`. */
export function readCounter(bytes: Uint8Array, at = 0): number {
  return readUint32(bytes, at + 8) + readUint32(bytes, at + 12) * 0x1_0000_0000;
}

export function readUint32(bytes: Uint8Array, offset: number): number {
  return (bytes[offset]! | (bytes[offset + 1]! << 8) | (bytes[offset + 2]! << 16) | (bytes[offset + 3]! << 24)) >>> 0;
}

function writeUint32(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value;
  bytes[offset + 1] = value >>> 8;
  bytes[offset + 2] = value >>> 16;
  bytes[offset + 3] = value >>> 24;
}

function checkForm(datagram: Uint8Array, type: number, length: number): Drop | undefined {
  if (messageType(datagram) !== type) return DROPS.unknownType;
  return datagram.length === length ? undefined : DROPS.wrongLength;
}
