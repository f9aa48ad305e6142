import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';

/** SHA-256 of `bytes`: 32 bytes, new. FIPS 180-4 §6.2. */
export const sha256 = (bytes: Uint8Array): Uint8Array => nobleSha256(bytes);
