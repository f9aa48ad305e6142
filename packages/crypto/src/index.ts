export { ed25519PublicKey, SIGNATURE_LENGTH, signEd25519, verifyEd25519 } from './ed25519.js';
export { hmacSha1, hmacSha256 } from './hmac.js';
export { isCounter, type MemoryAead, memoryAeadOf } from './memory-aead.js';
export { nobleProvider } from './noble-provider.js';
export { type CryptoProvider, HASH_LENGTH, MAC_LENGTH, TAG_LENGTH, XNONCE_LENGTH } from './provider.js';
export { sha256 } from './sha256.js';
