import { concatBytes, type Endpoint, parseEndpoint } from '@warren/base';
import { sha256 } from '@warren/crypto';
import { BOX_NONCE_LENGTH, openBox, sealBox } from '@warren/crypto/boxes';
import { decodeEndpointField, encodeEndpointField } from './endpoint-field.js';
import {
  AGENT_NONCE_LENGTH,
  hasBytesAt,
  type RelayFrame,
  readUint16,
  SESSION_LENGTH,
  TICKET_HASH_LENGTH,
  uint16,
} from './frames.js';

// Boxes of `register` and `registered` (docs/protocol/signalling.md). The first plaintext byte says what it is.
const REGISTER = 0x01;
const REGISTERED = 0x02;

/** What a server says inside a `registered`. */
export interface Registration {
  /** 8 bytes, new. */
  readonly session: Uint8Array;
  readonly keepaliveSeconds: number;
  /** Where the server sees the agent. */
  readonly seen: Endpoint;
}

/** What the box of a `register` is made for. */
export type RegisterTerms = Pick<RelayFrame & { readonly type: 'register' }, 'nonce' | 'cookie' | 'ticket'>;

/** The box of a `register`. @param boxNonce 24 random bytes. */
export function sealRegister(boxKey: Uint8Array, boxNonce: Uint8Array, terms: RegisterTerms): Uint8Array {
  return seal(boxKey, boxNonce, registerPlain(terms));
}

/** Whether the owner of the other key sealed `box` for this nonce and cookie, and to use this ticket. */
export function opensRegister(boxKey: Uint8Array, box: Uint8Array, terms: RegisterTerms): boolean {
  const plain = open(boxKey, box);
  const expected = registerPlain(terms);
  return plain?.length === expected.length && hasBytesAt(plain, 0, expected);
}

/**
 * Two bounces are agent and server of each other, under one box key: without the ticket in it, what one sealed to register at the
 * other could be sent back to it as a registration of the other.
 */
const registerPlain = ({ nonce, cookie, ticket }: RegisterTerms): Uint8Array =>
  concatBytes(Uint8Array.of(REGISTER), nonce, cookie, sha256(ticket).subarray(0, TICKET_HASH_LENGTH));

/** The box of a `registered`. @param boxNonce 24 random bytes. */
export function sealRegistered(
  boxKey: Uint8Array,
  boxNonce: Uint8Array,
  agentNonce: Uint8Array,
  registration: Registration,
): Uint8Array {
  const { session, keepaliveSeconds, seen } = registration;
  const field = encodeEndpointField(parseEndpoint(seen));
  const plain = concatBytes(Uint8Array.of(REGISTERED), agentNonce, session, uint16(keepaliveSeconds), field);
  return seal(boxKey, boxNonce, plain);
}

/** @returns undefined unless the server sealed it in answer to this nonce. */
export function openRegistered(boxKey: Uint8Array, box: Uint8Array, agentNonce: Uint8Array): Registration | undefined {
  const plain = open(boxKey, box);
  const sessionAt = 1 + AGENT_NONCE_LENGTH;
  const keepaliveAt = sessionAt + SESSION_LENGTH;
  if (!plain || plain.length <= keepaliveAt + 2 || plain[0] !== REGISTERED) return undefined;
  if (!hasBytesAt(plain, 1, agentNonce)) return undefined;
  const field = decodeEndpointField(plain, keepaliveAt + 2);
  if (!field?.endpoint || field.end !== plain.length) return undefined;
  return {
    session: plain.slice(sessionAt, keepaliveAt),
    keepaliveSeconds: readUint16(plain, keepaliveAt),
    seen: field.endpoint,
  };
}

const seal = (key: Uint8Array, nonce: Uint8Array, plain: Uint8Array): Uint8Array =>
  concatBytes(nonce, sealBox(key, nonce, plain));

const open = (key: Uint8Array, box: Uint8Array): Uint8Array | undefined =>
  openBox(key, box.subarray(0, BOX_NONCE_LENGTH), box.subarray(BOX_NONCE_LENGTH));
