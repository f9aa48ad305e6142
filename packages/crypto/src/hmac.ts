import { hmac } from '@noble/hashes/hmac.js';
import { sha1 } from '@noble/hashes/legacy.js';
import { sha256 } from '@noble/hashes/sha2.js';

/** HMAC-SHA1 (RFC 2104), 20 bytes: for protocols that prescribe it, never for new ones. */
export const hmacSha1 = (key: Uint8Array, input: Uint8Array): Uint8Array => hmac(sha1, key, input);

/** HMAC-SHA256 (RFC 2104), 32 bytes. */
export const hmacSha256 = (key: Uint8Array, input: Uint8Array): Uint8Array => hmac(sha256, key, input);
