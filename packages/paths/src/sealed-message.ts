import { concatBytes, type Endpoint, parseEndpoint } from '@warren/base';
import { BOX_NONCE_LENGTH, BOX_TAG_LENGTH, openBox, sealBox } from '@warren/crypto/boxes';
import type { NatBehaviour } from '@warren/stun';
import type { Candidate, CandidateKind, NatKind, ServerId } from './path-manager-api.js';
import { decodeEndpointField, encodeEndpointField, MAX_ENDPOINT_FIELD_LENGTH } from './relay/endpoint-field.js';
import { hasBytesAt, RELAY_ID_LENGTH } from './relay/frames.js';
import { asciiBytes, asciiText } from './rendezvous.js';

// Sealed messages between two agents (docs/protocol/signalling.md, “Agent ↔ agent”).

/** First byte of a sealed message. */
export const SEALED_MESSAGE_TYPE = 0xb0;
export const MAX_CANDIDATES = 32;
export const MAX_HOMES = 4;
const TRANSACTION_LENGTH = 8;
const MAX_SERVER_ID_LENGTH = 64;

const RELAY_ID_OFFSET = 4;
const NONCE_OFFSET = 12;
const BOX_OFFSET = NONCE_OFFSET + BOX_NONCE_LENGTH;
/** Where the plaintext names its sender: both ends make boxes with one key, and nobody may send ours back to us as the other's. */
const SENDER_OFFSET = 9;
/** Type, counter and sender's relay id. */
const HEAD_LENGTH = SENDER_OFFSET + RELAY_ID_LENGTH;
/** Longer ones hold nothing that this version knows: 32 candidates and 4 homes are 980 bytes. */
const MAX_MESSAGE_LENGTH = 1_200;
/** A ping has the length of the longest pong, so that no pong is longer than its ping. */
const PING_CONTENT_LENGTH = TRANSACTION_LENGTH + MAX_ENDPOINT_FIELD_LENGTH;

const PING = 0x11;
const PONG = 0x12;
const CANDIDATES = 0x13;
const PREFERRED = 1;
const ANSWER = 1;
const PUNCH = 2;

export interface CandidatesMessage {
  readonly type: 'candidates';
  readonly generation: number;
  /** The receiver is asked for its own. */
  readonly answer: boolean;
  /** The receiver is asked to begin with its probes so that the first ones of both leave in the same moment. */
  readonly punch: boolean;
  readonly nat: NatKind;
  /** How long after this message the sender begins with its probes, milliseconds. */
  readonly punchDelay: number;
  readonly candidates: readonly Candidate[];
  readonly homes: readonly ServerId[];
}

export type SealedMessage =
  | { readonly type: 'ping'; readonly transaction: Uint8Array; readonly preferred: boolean }
  | { readonly type: 'pong'; readonly transaction: Uint8Array; readonly seen: Endpoint | undefined }
  | CandidatesMessage;

/** In the order of their numbers, from 0. */
const BEHAVIOURS: readonly NatBehaviour[] = [
  'unknown',
  'endpoint-independent',
  'address-dependent',
  'address-and-port-dependent',
  'none',
];
/** In the order of their numbers, from 1; peer-reflexive ones are never told. */
const KINDS: readonly CandidateKind[] = ['host', 'server-reflexive', 'port-mapped', 'configured', 'predicted'];

/** Whether these bytes are long enough, and not too long, for a sealed message, and begin like one. */
export const isSealedMessage = (bytes: Uint8Array): boolean =>
  bytes.length >= BOX_OFFSET + BOX_TAG_LENGTH + HEAD_LENGTH &&
  bytes.length <= MAX_MESSAGE_LENGTH &&
  bytes[0] === SEALED_MESSAGE_TYPE &&
  bytes[1] === 0 &&
  bytes[2] === 0 &&
  bytes[3] === 0;

/** A view of the sender's relay id; the message must be one by `isSealedMessage`. */
export const senderOf = (message: Uint8Array): Uint8Array => message.subarray(RELAY_ID_OFFSET, NONCE_OFFSET);

/** The datagram, new. `nonce` is random, 24 bytes; `counter` below 2^53. */
export function sealMessage(
  boxKey: Uint8Array,
  nonce: Uint8Array,
  sender: Uint8Array,
  counter: number,
  message: SealedMessage,
): Uint8Array {
  const plaintext = concatBytes(new Uint8Array(HEAD_LENGTH), encodeContent(message));
  plaintext[0] = message.type === 'ping' ? PING : message.type === 'pong' ? PONG : CANDIDATES;
  const view = new DataView(plaintext.buffer);
  view.setUint32(1, Math.floor(counter / 2 ** 32));
  view.setUint32(5, counter >>> 0);
  plaintext.set(sender, SENDER_OFFSET);
  return concatBytes(Uint8Array.of(SEALED_MESSAGE_TYPE, 0, 0, 0), sender, nonce, sealBox(boxKey, nonce, plaintext));
}

/** @returns undefined unless the box opens and holds a message of this version by `senderOf`; the counter is the caller's to check. */
export function openMessage(
  boxKey: Uint8Array,
  datagram: Uint8Array,
): { readonly counter: number; readonly message: SealedMessage } | undefined {
  const nonce = datagram.subarray(NONCE_OFFSET, BOX_OFFSET);
  const plaintext = openBox(boxKey, nonce, datagram.subarray(BOX_OFFSET));
  if (!plaintext || plaintext.length < HEAD_LENGTH) return undefined;
  if (!hasBytesAt(plaintext, SENDER_OFFSET, senderOf(datagram))) return undefined;
  const view = new DataView(plaintext.buffer, plaintext.byteOffset, plaintext.length);
  const counter = view.getUint32(1) * 2 ** 32 + view.getUint32(5);
  if (!Number.isSafeInteger(counter)) return undefined;
  const message = decodeContent(plaintext[0]!, plaintext.subarray(HEAD_LENGTH));
  return message && { counter, message };
}

function encodeContent(message: SealedMessage): Uint8Array {
  switch (message.type) {
    case 'ping': {
      const content = new Uint8Array(PING_CONTENT_LENGTH);
      content.set(message.transaction);
      content[TRANSACTION_LENGTH] = message.preferred ? PREFERRED : 0;
      return content;
    }
    case 'pong':
      return concatBytes(message.transaction, encodeEndpointField(message.seen && parseEndpoint(message.seen)));
    case 'candidates':
      return encodeCandidates(message);
  }
}

function encodeCandidates(message: CandidatesMessage): Uint8Array {
  const candidates = message.candidates.slice(0, MAX_CANDIDATES).flatMap((candidate) => {
    const endpoint = parseEndpoint(candidate.endpoint);
    const kind = KINDS.indexOf(candidate.kind) + 1;
    return endpoint && kind > 0 ? [concatBytes(Uint8Array.of(kind), encodeEndpointField(endpoint))] : [];
  });
  const homes = message.homes.slice(0, MAX_HOMES).map((home) => {
    const name = asciiBytes(home).subarray(0, MAX_SERVER_ID_LENGTH);
    return concatBytes(Uint8Array.of(name.length), name);
  });
  const head = new Uint8Array(9);
  const view = new DataView(head.buffer);
  view.setUint32(0, message.generation);
  head[4] = (message.answer ? ANSWER : 0) | (message.punch ? PUNCH : 0);
  head[5] = BEHAVIOURS.indexOf(message.nat.mapping);
  head[6] = BEHAVIOURS.indexOf(message.nat.filtering);
  view.setUint16(7, Math.min(Math.max(Math.round(message.punchDelay), 0), 0xffff));
  return concatBytes(head, Uint8Array.of(candidates.length), ...candidates, Uint8Array.of(homes.length), ...homes);
}

function decodeContent(type: number, content: Uint8Array): SealedMessage | undefined {
  if (type === PING) {
    if (content.length !== PING_CONTENT_LENGTH) return undefined;
    const preferred = (content[TRANSACTION_LENGTH]! & PREFERRED) !== 0;
    return { type: 'ping', transaction: content.slice(0, TRANSACTION_LENGTH), preferred };
  }
  if (type === PONG) {
    const field = decodeEndpointField(content, TRANSACTION_LENGTH);
    if (field?.end !== content.length) return undefined;
    return { type: 'pong', transaction: content.slice(0, TRANSACTION_LENGTH), seen: field.endpoint };
  }
  return type === CANDIDATES ? decodeCandidates(content) : undefined;
}

function decodeCandidates(content: Uint8Array): CandidatesMessage | undefined {
  if (content.length < 11) return undefined;
  const view = new DataView(content.buffer, content.byteOffset, content.length);
  const listed = decodeCandidateList(content, 9);
  const homes = listed && decodeHomes(content, listed.end);
  if (!listed || !homes) return undefined;
  return {
    type: 'candidates',
    generation: view.getUint32(0),
    answer: (content[4]! & ANSWER) !== 0,
    punch: (content[4]! & PUNCH) !== 0,
    nat: { mapping: BEHAVIOURS[content[5]!] ?? 'unknown', filtering: BEHAVIOURS[content[6]!] ?? 'unknown' },
    punchDelay: view.getUint16(7),
    candidates: listed.candidates,
    homes,
  };
}

function decodeCandidateList(bytes: Uint8Array, at: number): { candidates: Candidate[]; end: number } | undefined {
  const count = bytes[at]!;
  if (count > MAX_CANDIDATES) return undefined;
  const candidates: Candidate[] = [];
  let end = at + 1;
  for (let i = 0; i < count; i++) {
    const kind = KINDS[(bytes[end] ?? 0) - 1];
    const field = decodeEndpointField(bytes, end + 1);
    if (!field?.endpoint) return undefined;
    end = field.end;
    if (kind) candidates.push({ kind, endpoint: field.endpoint }); // kinds of later versions are passed over
  }
  return { candidates, end };
}

function decodeHomes(bytes: Uint8Array, at: number): ServerId[] | undefined {
  const count = bytes[at];
  if (count === undefined || count > MAX_HOMES) return undefined;
  const homes: ServerId[] = [];
  let end = at + 1;
  for (let i = 0; i < count; i++) {
    const length = bytes[end];
    if (length === undefined || length > MAX_SERVER_ID_LENGTH || end + 1 + length > bytes.length) return undefined;
    homes.push(asciiText(bytes.subarray(end + 1, end + 1 + length)));
    end += 1 + length;
  }
  return end === bytes.length ? homes : undefined;
}
