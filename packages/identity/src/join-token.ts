import { concatBytes, fromBase64Url, type HostPort, invariant, parseHostPort, toBase64Url } from '@warren/base';
import { ascii, isFieldText } from './fields.js';

/** What `agent join --token` carries: where the control plane is, which root it must show, and a secret. */
export interface JoinToken {
  /** Public part; the control plane looks the token up by it. 1 to 64 characters. */
  readonly id: string;
  /** 32 bytes. */
  readonly secret: Uint8Array;
  /** TLS addresses for agents, tried in order; at least one, at most 8. */
  readonly addresses: readonly HostPort[];
  /** SHA-256 of the root certificate's SubjectPublicKeyInfo, 32 bytes (ADR 0011). */
  readonly pin: Uint8Array;
}

/** Marks the text and its version, so that a paste of something else is told apart from a damaged token. */
const PREFIX = 'warren1_';
const CHECK_LENGTH = 4;

const MAX_ADDRESSES = 8;

/**
 * `warren1_` and base64url of: checksum (4) ‖ pin (32) ‖ secret (32) ‖ id ‖ addresses, these with a length byte each.
 *
 * @throws InvariantError for a token that `parseJoinToken` would refuse: those are made by us only.
 */
export function formatJoinToken(token: JoinToken): string {
  invariant(token.pin.length === 32 && token.secret.length === 32, 'pin and secret of a token have 32 bytes');
  invariant(isWellFormed(token.id, token.addresses), 'a token has a printable id and 1 to 8 addresses host:port');
  const strings = [token.id, ...token.addresses].map((text) => [Uint8Array.of(text.length), ascii(text)]);
  const body = concatBytes(token.pin, token.secret, ...strings.flat());
  return PREFIX + toBase64Url(concatBytes(checksum(body), body));
}

/** @returns undefined for anything that `formatJoinToken` did not make: another text, a truncated or mistyped token. */
export function parseJoinToken(text: string): JoinToken | undefined {
  const trimmed = text.trim();
  if (!trimmed.startsWith(PREFIX)) return undefined;
  const whole = fromBase64Url(trimmed.slice(PREFIX.length));
  if (!whole || whole.length < CHECK_LENGTH + 64) return undefined;
  const body = whole.subarray(CHECK_LENGTH);
  if (!checksum(body).every((byte, i) => byte === whole[i])) return undefined;
  const strings: string[] = [];
  for (let offset = 64; offset < body.length; ) {
    const end = offset + 1 + body[offset]!;
    if (end > body.length) return undefined;
    strings.push(String.fromCharCode(...body.subarray(offset + 1, end)));
    offset = end;
  }
  const [id, ...addresses] = strings;
  if (id === undefined || !isWellFormed(id, addresses)) return undefined;
  return { id, addresses: addresses as HostPort[], pin: body.slice(0, 32), secret: body.slice(32, 64) };
}

function isWellFormed(id: string, addresses: readonly string[]): boolean {
  if (!isFieldText(id) || addresses.length < 1 || addresses.length > MAX_ADDRESSES) return false;
  return addresses.every((address) => address.length <= 255 && parseHostPort(address) !== undefined);
}

/** FNV-1a, 32 bits: finds typing errors; says nothing about authenticity. */
function checksum(bytes: Uint8Array): Uint8Array {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return Uint8Array.of(hash >>> 24, hash >>> 16, hash >>> 8, hash);
}
