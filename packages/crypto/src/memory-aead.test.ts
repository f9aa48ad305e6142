import { memoryAeadOf } from './memory-aead.js';
import { memoryAeadSuite } from './memory-aead.suite.js';
import { nobleProvider } from './noble-provider.js';

memoryAeadSuite('noble on a memory', () => ({
  aead: memoryAeadOf(nobleProvider, new Uint8Array(65_536)),
  offset: 256,
}));
