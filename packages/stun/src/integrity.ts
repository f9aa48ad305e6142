import { equalBytes } from '@warren/base';
import { hmacSha1, hmacSha256 } from '@warren/crypto';
import { ATTRIBUTE, HEADER_LENGTH } from './constants.js';
import { isStunMessage, paddedLength } from './message.js';

/** Whether a message is authentic under a key; `absent`: it has no such attribute. */
export type Integrity = 'right' | 'wrong' | 'absent';

/** RFC 8489 §14.6: SHA-256 may be cut to a multiple of four, never below sixteen. */
const MIN_SHA256_LENGTH = 16;

/**
 * Checks MESSAGE-INTEGRITY (`sha1`, RFC 8489 §14.5) or MESSAGE-INTEGRITY-SHA256 (`sha256`, §14.6) of a datagram. The key
 * is the password of short-term credentials, or what RFC 8489 §9.2.2 derives for long-term ones. Never throws.
 */
export function checkIntegrity(
  datagram: Uint8Array,
  key: Uint8Array,
  algorithm: 'sha1' | 'sha256' = 'sha1',
): Integrity {
  const type = ATTRIBUTE[algorithm === 'sha1' ? 'MESSAGE-INTEGRITY' : 'MESSAGE-INTEGRITY-SHA256'];
  const at = isStunMessage(datagram) ? findAttribute(datagram, type) : undefined;
  if (!at) return 'absent';
  const mac = datagram.subarray(at.start, at.end);
  if (algorithm === 'sha1' && mac.length !== 20) return 'wrong';
  if (algorithm === 'sha256' && (mac.length < MIN_SHA256_LENGTH || mac.length > 32 || mac.length % 4 !== 0))
    return 'wrong';
  const covered = datagram.slice(0, at.start - 4);
  new DataView(covered.buffer).setUint16(2, at.end - HEADER_LENGTH);
  const computed = algorithm === 'sha1' ? hmacSha1(key, covered) : hmacSha256(key, covered);
  return equalBytes(computed.subarray(0, mac.length), mac) ? 'right' : 'wrong';
}

function findAttribute(datagram: Uint8Array, type: number): { start: number; end: number } | undefined {
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.length);
  for (let offset = HEADER_LENGTH; offset < datagram.length; ) {
    const start = offset + 4;
    const end = start + view.getUint16(offset + 2);
    if (end > datagram.length) return undefined;
    if (view.getUint16(offset) === type) return { start, end };
    offset = paddedLength(end);
  }
  return undefined;
}
