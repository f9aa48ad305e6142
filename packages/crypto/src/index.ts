export { ed25519PublicKey, SIGNATURE_LENGTH, signEd25519, verifyEd25519 } from './ed25519.js';
export type { CryptoProvider } from './provider.js';
