import { fromBase64Url, type HostPort, parseHostPort, toBase64Url } from '@warren/base';

/** What `agent join --token` carries: where the control plane is, which root it must show, and a secret. */
export interface JoinToken {
  /** Public part; the control plane looks the token up by it. 1 to 64 characters. */
  readonly id: string;
  /** 32 bytes. */
  readonly secret: Uint8Array;
  /** TLS addresses for agents, tried in order; at least one, at most 8. */
  readonly addresses: readonly HostPort[];
  /** SHA-256 of the root certificate's SubjectPublicKeyInfo, 32 bytes (DECISIONS: tokens pin the root). */
  readonly pin: Uint8Array;
}

/** Marks the text and its version, so that a paste of something else is told apart from a damaged token. */
const PREFIX = 'warren1_';
const CHECK_LENGTH = 4;

/** `warren1_` and base64url of: checksum (4) ‖ pin (32) ‖ secret (32) ‖ length-prefixed id ‖ length-prefixed addresses. */
export function formatJoinToken(token: JoinToken): string {
  const strings = [token.id, ...token.addresses];
  const parts = strings.map((text) => Uint8Array.from(text, (c) => c.charCodeAt(0)));
  const body = new Uint8Array(64 + parts.reduce((sum, part) => sum + 1 + part.length, 0));
  body.set(token.pin, 0);
  body.set(token.secret, 32);
  let offset = 64;
  for (const part of parts) {
    body[offset] = part.length;
    body.set(part, offset + 1);
    offset += 1 + part.length;
  }
  const whole = new Uint8Array(CHECK_LENGTH + body.length);
  whole.set(checksum(body), 0);
  whole.set(body, CHECK_LENGTH);
  return PREFIX + toBase64Url(whole);
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
  if (!id || id.length > 64 || addresses.length < 1 || addresses.length > 8) return undefined;
  if (!addresses.every((address) => parseHostPort(address))) return undefined;
  return { id, addresses: addresses as HostPort[], pin: body.slice(0, 32), secret: body.slice(32, 64) };
}

/** FNV-1a, 32 bits: finds typing errors; says nothing about authenticity. */
function checksum(bytes: Uint8Array): Uint8Array {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return Uint8Array.of(hash >>> 24, hash >>> 16, hash >>> 8, hash);
}
