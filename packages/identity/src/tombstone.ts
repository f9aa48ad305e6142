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
import { signEd25519, verifyEd25519 } from '@warren/crypto';
import { ascii, FieldReader, fixedField, textField, uintField } from './fields.js';

/** A node and its keys were revoked, for ever; outranks any older snapshot (join-and-sync.md, “Tombstone”). */
export interface Tombstone {
  readonly networkId: NetworkId;
  readonly nodeId: NodeId;
  readonly wireguardKey: PublicKey;
  /** 32 bytes; null for a vanilla member, which has none. */
  readonly identityKey: Uint8Array | null;
  readonly revokedAt: UnixMillis;
}

/** A tombstone's bytes verbatim and the Ed25519 signature (64 bytes) of the network's authority over them. */
export interface SignedTombstone {
  readonly tombstone: Uint8Array;
  readonly signature: Uint8Array;
}

/** Separates these bytes from everything else that an authority signs, and carries the version. */
const DOMAIN = ascii('warren tombstone v1\n');
const WITHOUT_IDENTITY = 0;
const WITH_IDENTITY = 1;

/**
 * The one encoding of a tombstone: domain ‖ network id ‖ node id (length byte and ASCII each) ‖ WireGuard key (32) ‖
 * 0, or 1 and the identity key (32) ‖ time (64 bits, big-endian, Unix milliseconds). A new array.
 *
 * @throws RangeError for an id, key or time that has no encoding.
 */
export function encodeTombstone(tombstone: Tombstone): Uint8Array {
  const { identityKey } = tombstone;
  return concatBytes(
    DOMAIN,
    textField(tombstone.networkId),
    textField(tombstone.nodeId),
    fixedField(publicKeyBytes(tombstone.wireguardKey), KEY_LENGTH),
    Uint8Array.of(identityKey ? WITH_IDENTITY : WITHOUT_IDENTITY),
    identityKey ? fixedField(identityKey, KEY_LENGTH) : new Uint8Array(0),
    uintField(tombstone.revokedAt),
  );
}

/** @returns undefined for anything that `encodeTombstone` did not make. Says nothing about who made it. */
export function decodeTombstone(bytes: Uint8Array): Tombstone | undefined {
  const reader = new FieldReader(bytes);
  reader.constant(DOMAIN);
  const network = reader.text();
  const node = reader.text();
  const wireguardKey = reader.fixed(KEY_LENGTH);
  const flag = reader.fixed(1)?.[0];
  if (flag !== WITH_IDENTITY && flag !== WITHOUT_IDENTITY) return undefined;
  const identityKey = flag === WITH_IDENTITY ? reader.fixed(KEY_LENGTH) : null;
  const revokedAt = reader.uint();
  if (!reader.complete()) return undefined;
  return {
    networkId: networkId(network!),
    nodeId: nodeId(node!),
    wireguardKey: publicKeyFromBytes(wireguardKey!),
    identityKey: identityKey!,
    revokedAt: unixMillis(revokedAt!),
  };
}

/** Encodes and signs with the Ed25519 seed of the network's authority. */
export function signTombstone(authority: SecretKey, tombstone: Tombstone): SignedTombstone {
  const bytes = encodeTombstone(tombstone);
  return { tombstone: bytes, signature: signEd25519(authority.expose(), bytes) };
}

/**
 * The tombstone, if `authorityKey` (Ed25519 public key, 32 bytes) signed exactly these bytes and they are canonical.
 * Whether it is of the caller's network is the caller's to compare.
 */
export function verifyTombstone(authorityKey: Uint8Array, signed: SignedTombstone): Tombstone | undefined {
  const tombstone = decodeTombstone(signed.tombstone);
  return tombstone && verifyEd25519(authorityKey, signed.tombstone, signed.signature) ? tombstone : undefined;
}
