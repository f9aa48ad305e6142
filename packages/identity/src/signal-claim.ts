import { concatBytes, KEY_LENGTH, type SecretKey, type UnixMillis } from '@warren/base';
import { signEd25519, verifyEd25519 } from '@warren/crypto';
import { ascii, fixedField, isFieldText, longField, textField, uintField } from './fields.js';

/** What a signal server that runs alone says of itself to the control plane (join-and-sync.md, “Signal servers”). */
export interface SignalClaim {
  /** The token that it enrols with, or the id that it was given. */
  readonly subject: string;
  readonly signedAt: UnixMillis;
  /** X25519 public key, 32 bytes. */
  readonly key: Uint8Array;
  /** `host:port` of its UDP port; empty: none. */
  readonly udp: string;
  /** `host:port` of its TLS listeners. */
  readonly tls: readonly string[];
}

/** Separates these bytes from everything else that an identity signs, and carries the version. */
const DOMAIN = ascii('warren signal server v1\n');
const ADDRESS = /^[\x21-\x7e]{0,255}$/;
const MAX_TLS = 8;

/**
 * What the server's identity signs: domain ‖ subject (length byte and ASCII) ‖ time (64 bits, Unix milliseconds) ‖ key (32) ‖
 * UDP address ‖ TLS addresses (four length bytes and ASCII each). A new array.
 *
 * @throws RangeError for what has no encoding.
 */
export function encodeSignalClaim({ subject, signedAt, key, udp, tls }: SignalClaim): Uint8Array {
  if (![udp, ...tls].every((address) => ADDRESS.test(address))) throw new RangeError('an address is printable ASCII');
  const addresses = [udp, ...tls].map((address) => longField(ascii(address)));
  return concatBytes(DOMAIN, textField(subject), uintField(signedAt), fixedField(key, KEY_LENGTH), ...addresses);
}

/** Ed25519 over `encodeSignalClaim`, 64 bytes, by the server's seed. */
export const signSignalClaim = (identity: SecretKey, claim: SignalClaim): Uint8Array =>
  signEd25519(identity.expose(), encodeSignalClaim(claim));

/** Takes its arguments from outside: what has no encoding is refused, never thrown at. */
export function verifySignalClaim(identityKey: Uint8Array, claim: SignalClaim, signature: Uint8Array): boolean {
  const { subject, signedAt, key, udp, tls } = claim;
  if (!isFieldText(subject) || !Number.isSafeInteger(signedAt) || signedAt < 0 || key.length !== KEY_LENGTH)
    return false;
  if (tls.length > MAX_TLS || ![udp, ...tls].every((address) => ADDRESS.test(address))) return false;
  return verifyEd25519(identityKey, encodeSignalClaim(claim), signature);
}
