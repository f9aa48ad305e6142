import {
  concatBytes,
  KEY_LENGTH,
  type NetworkId,
  type NodeId,
  networkId,
  nodeId,
  type PublicKey,
  publicKeyBytes,
  publicKeyFromBytes,
  type SecretKey,
  type UnixMillis,
  unixMillis,
} from '@warren/base';
import { SIGNATURE_LENGTH, sha256, signEd25519, verifyEd25519 } from '@warren/crypto';
import { ascii, FieldReader, fixedField, textField, uintField } from './fields.js';

/** A node may use signal servers until `expiresAt` (signalling.md, “Names”); a tombstone of the node outranks it. */
export interface SignalTicket {
  readonly networkId: NetworkId;
  readonly nodeId: NodeId;
  /** X25519: who holds its private part may use the ticket. */
  readonly pathKey: PublicKey;
  readonly expiresAt: UnixMillis;
}

/** Bytes of a relay id. */
export const RELAY_ID_LENGTH = 8;
/** The longest ticket there is, with ids of 64 characters: a receiver needs no more room. */
export const MAX_TICKET_LENGTH = 258;

/** Separates these bytes from everything else that an authority signs, and carries the version. */
const DOMAIN = ascii('warren signal ticket v1\n');
const RELAY_ID_DOMAIN = 'warren relay id v1\n';

/**
 * The one encoding of a ticket, without the signature: domain ‖ network id ‖ node id (length byte and ASCII each) ‖ path key (32) ‖
 * expiry (64 bits, big-endian, Unix milliseconds). A new array.
 *
 * @throws RangeError for an id, key or time that has no encoding.
 */
export function encodeTicket(ticket: SignalTicket): Uint8Array {
  return concatBytes(
    DOMAIN,
    textField(ticket.networkId),
    textField(ticket.nodeId),
    fixedField(publicKeyBytes(ticket.pathKey), KEY_LENGTH),
    uintField(ticket.expiresAt),
  );
}

/** @returns undefined for anything that `encodeTicket` did not make. Says nothing about who made it. */
export function decodeTicket(bytes: Uint8Array): SignalTicket | undefined {
  const reader = new FieldReader(bytes);
  reader.constant(DOMAIN);
  const network = reader.text();
  const node = reader.text();
  const pathKey = reader.fixed(KEY_LENGTH);
  const expiresAt = reader.uint();
  if (!reader.complete()) return undefined;
  return {
    networkId: networkId(network!),
    nodeId: nodeId(node!),
    pathKey: publicKeyFromBytes(pathKey!),
    expiresAt: unixMillis(expiresAt!),
  };
}

/** A ticket as it travels: its encoding and, behind it, the signature (64 bytes) by the Ed25519 seed of the network's authority. */
export function signTicket(authority: SecretKey, ticket: SignalTicket): Uint8Array {
  const bytes = encodeTicket(ticket);
  return concatBytes(bytes, signEd25519(authority.expose(), bytes));
}

/**
 * The ticket, if `authorityKey` (Ed25519 public key, 32 bytes) signed exactly these bytes and they are canonical. Whether it is
 * expired or outranked by a tombstone is the caller's to find out.
 */
export function verifyTicket(authorityKey: Uint8Array, signed: Uint8Array): SignalTicket | undefined {
  if (signed.length > MAX_TICKET_LENGTH) return undefined;
  const end = Math.max(0, signed.length - SIGNATURE_LENGTH);
  const bytes = signed.subarray(0, end);
  const ticket = decodeTicket(bytes);
  return ticket && verifyEd25519(authorityKey, bytes, signed.subarray(end)) ? ticket : undefined;
}

/**
 * By what signal servers and peers know an agent (signalling.md, “Relay id”): 8 bytes, new.
 *
 * @throws RangeError for ids that have no encoding.
 */
export function relayIdOf(network: NetworkId, node: NodeId): Uint8Array {
  // The fields check that neither id holds a line break, which would let two pairs have one name.
  textField(network);
  textField(node);
  return sha256(ascii(`${RELAY_ID_DOMAIN}${network}\n${node}`)).slice(0, RELAY_ID_LENGTH);
}
