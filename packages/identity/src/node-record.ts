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
} from '@warren/base';
import { ed25519PublicKey, signEd25519, verifyEd25519 } from '@warren/crypto';
import { ascii, FieldReader, fixedField, textField, uintField } from './fields.js';

/** The keys of a node as its identity vouches for them (ADR 0007). */
export interface NodeRecord {
  readonly networkId: NetworkId;
  readonly nodeId: NodeId;
  readonly wireguardKey: PublicKey;
  /** X25519, for probes and candidate messages. */
  readonly pathKey: PublicKey;
  /** Increases with each change of a key; an integer of 0 to 2^53 − 1. */
  readonly generation: number;
}

/** A record's bytes verbatim, the Ed25519 identity key (32 bytes) and its signature over those bytes (64). */
export interface SignedRecord {
  readonly record: Uint8Array;
  readonly identityKey: Uint8Array;
  readonly signature: Uint8Array;
}

/** Separates these bytes from everything else that an identity signs, and carries the version. */
const DOMAIN = ascii('warren node record v1\n');

/**
 * The one encoding of a record: domain ‖ network id ‖ node id (length byte and ASCII each) ‖ WireGuard key (32) ‖
 * path key (32) ‖ generation (64 bits, big-endian). A new array.
 *
 * @throws RangeError for an id or a generation that has no encoding.
 */
export function encodeNodeRecord(record: NodeRecord): Uint8Array {
  return concatBytes(
    DOMAIN,
    textField(record.networkId),
    textField(record.nodeId),
    fixedField(publicKeyBytes(record.wireguardKey), KEY_LENGTH),
    fixedField(publicKeyBytes(record.pathKey), KEY_LENGTH),
    uintField(record.generation),
  );
}

/** @returns undefined for anything that `encodeNodeRecord` did not make. Says nothing about who made it. */
export function decodeNodeRecord(bytes: Uint8Array): NodeRecord | undefined {
  const reader = new FieldReader(bytes);
  reader.constant(DOMAIN);
  const network = reader.text();
  const node = reader.text();
  const wireguardKey = reader.fixed(KEY_LENGTH);
  const pathKey = reader.fixed(KEY_LENGTH);
  const generation = reader.uint();
  if (!reader.complete()) return undefined;
  return {
    networkId: networkId(network!),
    nodeId: nodeId(node!),
    wireguardKey: publicKeyFromBytes(wireguardKey!),
    pathKey: publicKeyFromBytes(pathKey!),
    generation: generation!,
  };
}

/** Encodes and signs with the identity's Ed25519 seed; the identity key is derived from it. */
export function signRecord(identity: SecretKey, record: NodeRecord): SignedRecord {
  const bytes = encodeNodeRecord(record);
  return {
    record: bytes,
    identityKey: ed25519PublicKey(identity.expose()),
    signature: signEd25519(identity.expose(), bytes),
  };
}

/**
 * The record, if `signed.identityKey` signed exactly these bytes and they are canonical. Whether that identity is the
 * one that the caller knows the node by, and the ids and keys the expected ones, is the caller's to compare.
 */
export function verifyRecord(signed: SignedRecord): NodeRecord | undefined {
  const record = decodeNodeRecord(signed.record);
  return record && verifyEd25519(signed.identityKey, signed.record, signed.signature) ? record : undefined;
}
