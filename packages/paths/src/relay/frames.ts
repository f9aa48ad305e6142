import { concatBytes, type Endpoint, parseEndpoint } from '@warren/base';
import { decodeEndpointField, encodeEndpointField, MAX_ENDPOINT_FIELD_LENGTH } from './endpoint-field.js';
import type { RefusalReason } from './relay-client-api.js';

// Frames between agent and signal server (docs/protocol/signalling.md, “Agent ↔ signal server”).

/** Bytes of a session's name, a relay id and an agent's nonce. */
export const SESSION_LENGTH = 8;
export const RELAY_ID_LENGTH = 8;
export const AGENT_NONCE_LENGTH = 8;
export const COOKIE_LENGTH = 16;
/** Bytes before the datagram in `send` and `deliver`: type, session, relay id. */
export const RELAY_HEADER_LENGTH = 20;
/** Where `send` and `deliver` have the session and the relay id of the other agent. */
export const SESSION_OFFSET = 4;
export const RELAY_ID_OFFSET = 12;

/** So long that no reply to it is longer. */
const HELLO_LENGTH = 64;
const ALIVE_QUESTION_LENGTH = 36;
/** Longest ticket and tombstone: ids have at most 64 characters, all else is fixed. */
export const MAX_TICKET_LENGTH = 512;
export const MAX_TOMBSTONE_LENGTH = 512;
const TOMBSTONE_SIGNATURE_LENGTH = 64;
/** Bytes of the ticket's hash in a register's box. */
export const TICKET_HASH_LENGTH = 16;
/** A register's box: nonce 24, tag 16, plaintext 41; a registered's has an endpoint of either family. */
const REGISTER_BOX_LENGTH = 81;
const REGISTERED_BOX_LENGTHS: readonly number[] = [66, 78];

export const FRAME_TYPE = {
  hello: 0xa0,
  challenge: 0xa1,
  register: 0xa2,
  registered: 0xa3,
  refused: 0xa4,
  'alive?': 0xa5,
  alive: 0xa6,
  'unknown-session': 0xa7,
  send: 0xa8,
  deliver: 0xa9,
  'not-here': 0xaa,
  tombstone: 0xab,
} as const;

/** In the order of their numbers, from 1. */
const REFUSALS: readonly RefusalReason[] = ['ticket-bad', 'ticket-expired', 'revoked', 'full', 'relay-id-taken'];

/** One frame. All bytes of a decoded one are views of what was decoded. */
export type RelayFrame =
  | { readonly type: 'hello'; readonly nonce: Uint8Array }
  | { readonly type: 'challenge'; readonly nonce: Uint8Array; readonly cookie: Uint8Array }
  | {
      readonly type: 'register';
      readonly nonce: Uint8Array;
      readonly cookie: Uint8Array;
      readonly ticket: Uint8Array;
      /** `nonce ‖ crypto_box`, see `sealRegister`. */
      readonly box: Uint8Array;
    }
  | { readonly type: 'registered'; readonly nonce: Uint8Array; readonly box: Uint8Array }
  | { readonly type: 'refused'; readonly nonce: Uint8Array; readonly reason: RefusalReason }
  | { readonly type: 'alive?'; readonly session: Uint8Array; readonly sequence: number }
  | { readonly type: 'alive'; readonly session: Uint8Array; readonly sequence: number; readonly seen: Endpoint }
  | { readonly type: 'unknown-session'; readonly session: Uint8Array }
  | {
      readonly type: 'send' | 'deliver';
      readonly session: Uint8Array;
      /** The destination of a `send`, the source of a `deliver`. */
      readonly relayId: Uint8Array;
      readonly datagram: Uint8Array;
    }
  | { readonly type: 'not-here'; readonly session: Uint8Array; readonly destination: Uint8Array }
  | {
      readonly type: 'tombstone';
      readonly session: Uint8Array;
      readonly tombstone: Uint8Array;
      readonly signature: Uint8Array;
    };

/** The bytes of a frame, new. Lengths are the caller's to keep: ids, nonces and cookies are not checked again. */
export function encodeFrame(frame: RelayFrame): Uint8Array<ArrayBuffer> {
  const head = Uint8Array.of(FRAME_TYPE[frame.type], 0, 0, 0);
  switch (frame.type) {
    case 'hello':
      return padded(HELLO_LENGTH, head, frame.nonce);
    case 'challenge':
      return concatBytes(head, frame.nonce, frame.cookie);
    case 'register':
      return concatBytes(head, frame.nonce, frame.cookie, uint16(frame.ticket.length), frame.ticket, frame.box);
    case 'registered':
      return concatBytes(head, frame.nonce, frame.box);
    case 'refused':
      return concatBytes(head, frame.nonce, Uint8Array.of(REFUSALS.indexOf(frame.reason) + 1));
    case 'alive?':
      return padded(ALIVE_QUESTION_LENGTH, head, frame.session, uint32(frame.sequence));
    case 'alive': {
      const seen = parseEndpoint(frame.seen);
      return concatBytes(head, frame.session, uint32(frame.sequence), encodeEndpointField(seen));
    }
    case 'unknown-session':
      return concatBytes(head, frame.session);
    case 'send':
    case 'deliver':
      return concatBytes(head, frame.session, frame.relayId, frame.datagram);
    case 'not-here':
      return concatBytes(head, frame.session, frame.destination);
    case 'tombstone':
      return concatBytes(head, frame.session, uint16(frame.tombstone.length), frame.tombstone, frame.signature);
  }
}

/** @returns undefined for anything that `encodeFrame` did not make; boxes, tickets and signatures are not looked into. */
export function decodeFrame(bytes: Uint8Array): RelayFrame | undefined {
  const decode = hasFrameHeader(bytes) ? DECODERS[bytes[0]! - FRAME_TYPE.hello] : undefined;
  return decode?.(bytes);
}

type Decoder = (bytes: Uint8Array) => RelayFrame | undefined;

/** By type, from 0xA0. */
const DECODERS: readonly Decoder[] = [
  (bytes) => (isPadded(bytes, 12, HELLO_LENGTH) ? { type: 'hello', nonce: bytes.subarray(4, 12) } : undefined),
  (bytes) =>
    bytes.length === 28
      ? { type: 'challenge', nonce: bytes.subarray(4, 12), cookie: bytes.subarray(12, 28) }
      : undefined,
  decodeRegister,
  (bytes) =>
    REGISTERED_BOX_LENGTHS.includes(bytes.length - 12)
      ? { type: 'registered', nonce: bytes.subarray(4, 12), box: bytes.subarray(12) }
      : undefined,
  (bytes) => {
    const reason = bytes.length === 13 ? REFUSALS[bytes[12]! - 1] : undefined;
    return reason && { type: 'refused', nonce: bytes.subarray(4, 12), reason };
  },
  (bytes) =>
    isPadded(bytes, 16, ALIVE_QUESTION_LENGTH)
      ? { type: 'alive?', session: bytes.subarray(4, 12), sequence: readUint32(bytes, 12) }
      : undefined,
  decodeAlive,
  (bytes) => (bytes.length === 12 ? { type: 'unknown-session', session: bytes.subarray(4, 12) } : undefined),
  (bytes) => decodeRelayed('send', bytes),
  (bytes) => decodeRelayed('deliver', bytes),
  (bytes) =>
    bytes.length === 20
      ? { type: 'not-here', session: bytes.subarray(4, 12), destination: bytes.subarray(12, 20) }
      : undefined,
  decodeTombstoneFrame,
];

function decodeRegister(bytes: Uint8Array): RelayFrame | undefined {
  if (bytes.length < 30) return undefined;
  const ticketLength = readUint16(bytes, 28);
  const end = 30 + ticketLength;
  if (ticketLength > MAX_TICKET_LENGTH || bytes.length !== end + REGISTER_BOX_LENGTH) return undefined;
  return {
    type: 'register',
    nonce: bytes.subarray(4, 12),
    cookie: bytes.subarray(12, 28),
    ticket: bytes.subarray(30, end),
    box: bytes.subarray(end),
  };
}

function decodeAlive(bytes: Uint8Array): RelayFrame | undefined {
  if (bytes.length < 16 || bytes.length > 16 + MAX_ENDPOINT_FIELD_LENGTH) return undefined;
  const field = decodeEndpointField(bytes, 16);
  if (!field?.endpoint || field.end !== bytes.length) return undefined;
  return { type: 'alive', session: bytes.subarray(4, 12), sequence: readUint32(bytes, 12), seen: field.endpoint };
}

function decodeRelayed(type: 'send' | 'deliver', bytes: Uint8Array): RelayFrame | undefined {
  if (bytes.length < RELAY_HEADER_LENGTH) return undefined;
  return {
    type,
    session: bytes.subarray(SESSION_OFFSET, SESSION_OFFSET + SESSION_LENGTH),
    relayId: bytes.subarray(RELAY_ID_OFFSET, RELAY_HEADER_LENGTH),
    datagram: bytes.subarray(RELAY_HEADER_LENGTH),
  };
}

function decodeTombstoneFrame(bytes: Uint8Array): RelayFrame | undefined {
  if (bytes.length < 14) return undefined;
  const length = readUint16(bytes, 12);
  const end = 14 + length;
  if (length > MAX_TOMBSTONE_LENGTH || bytes.length !== end + TOMBSTONE_SIGNATURE_LENGTH) return undefined;
  return {
    type: 'tombstone',
    session: bytes.subarray(4, 12),
    tombstone: bytes.subarray(14, end),
    signature: bytes.subarray(end),
  };
}

/** Whether the first four bytes are those of a frame: a type of ours and three zeros. */
function hasFrameHeader(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && bytes[1] === 0 && bytes[2] === 0 && bytes[3] === 0;
}

/** Whether this is a `deliver`, whole enough to be read at `SESSION_OFFSET` and `RELAY_ID_OFFSET`; allocates nothing. */
export const isDeliver = (frame: Uint8Array): boolean =>
  frame.length >= RELAY_HEADER_LENGTH && frame[0] === FRAME_TYPE.deliver && hasFrameHeader(frame);

/** Whether `frame` has exactly `bytes` at `offset`; allocates nothing. For names, not for secrets. */
export function hasBytesAt(frame: Uint8Array, offset: number, bytes: Uint8Array): boolean {
  if (offset + bytes.length > frame.length) return false;
  for (let i = 0; i < bytes.length; i++) if (frame[offset + i] !== bytes[i]) return false;
  return true;
}

/** Writes what stands before each datagram of a `send` into `header`, at least 20 bytes. */
export function writeSendHeader(header: Uint8Array, session: Uint8Array, destination: Uint8Array): void {
  header[0] = FRAME_TYPE.send;
  header.fill(0, 1, SESSION_OFFSET);
  header.set(session, SESSION_OFFSET);
  header.set(destination, RELAY_ID_OFFSET);
}

function padded(length: number, ...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(length);
  whole.set(concatBytes(...parts));
  return whole;
}

/** Whether `bytes` are `length` long, and zero from `from` on. */
function isPadded(bytes: Uint8Array, from: number, length: number): boolean {
  if (bytes.length !== length) return false;
  for (let i = from; i < length; i++) if (bytes[i] !== 0) return false;
  return true;
}

export const uint16 = (value: number): Uint8Array => Uint8Array.of(value >> 8, value & 0xff);
const uint32 = (value: number): Uint8Array => Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
export const readUint16 = (bytes: Uint8Array, at: number): number => (bytes[at]! << 8) | bytes[at + 1]!;
const readUint32 = (bytes: Uint8Array, at: number): number =>
  readUint16(bytes, at) * 0x1_0000 + readUint16(bytes, at + 2);
