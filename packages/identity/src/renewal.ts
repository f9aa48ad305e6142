import { concatBytes, type NodeId, type SecretKey, type UnixMillis } from '@warren/base';
import { signEd25519, verifyEd25519 } from '@warren/crypto';
import { ascii, isFieldText, textField, uintField } from './fields.js';

/** Separates these bytes from everything else that an identity signs, and carries the version. */
const DOMAIN = ascii('warren renewal v1\n');

/**
 * What an identity signs to get a fresh certificate (ADR 0011): domain ‖ node id (length byte and ASCII) ‖ time
 * (64 bits, big-endian, Unix milliseconds). A new array.
 *
 * @throws RangeError for an id or time that has no encoding.
 */
export function encodeRenewal(nodeId: NodeId, signedAt: UnixMillis): Uint8Array {
  return concatBytes(DOMAIN, textField(nodeId), uintField(signedAt));
}

/** Ed25519 over `encodeRenewal`, 64 bytes, by the identity's seed. */
export function signRenewal(identity: SecretKey, nodeId: NodeId, signedAt: UnixMillis): Uint8Array {
  return signEd25519(identity.expose(), encodeRenewal(nodeId, signedAt));
}

/** Takes its arguments from outside: ids, times and lengths that have no encoding are refused, never thrown at. */
export function verifyRenewal(
  identityKey: Uint8Array,
  nodeId: NodeId,
  signedAt: UnixMillis,
  signature: Uint8Array,
): boolean {
  if (!isFieldText(nodeId) || !Number.isSafeInteger(signedAt) || signedAt < 0) return false;
  return verifyEd25519(identityKey, encodeRenewal(nodeId, signedAt), signature);
}
