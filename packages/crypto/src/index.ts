export type { CryptoProvider } from './provider.js';
