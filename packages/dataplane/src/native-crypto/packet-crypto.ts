import { type CryptoProvider, type MemoryAead, memoryAeadOf, nobleProvider } from '@warren/crypto';
import type { PacketMemory } from '@warren/udp';
import { createNodeProvider } from '../node-provider.js';
import { packetCipherProblem } from './known-answers.js';
import { bindLibrary } from './library.js';
import { createNativeProvider } from './native-provider.js';
import { openEvp } from './openssl-evp.js';
import { openLowLevel } from './openssl-low.js';
import { knownAnswerProblem } from './provider-answers.js';
import { openSodium } from './sodium.js';
import { openX25519 } from './x25519.js';

/** A provider, and the packet cipher on the packet memory that goes with it. */
export interface PacketCrypto {
  readonly provider: CryptoProvider;
  readonly aead: MemoryAead;
  /** Handshakes a second that this cryptography does in about a tenth of a processor: beyond them senders need cookies. */
  readonly handshakesPerSecond: number;
}

/** An initiation from a stranger costs 0.2 ms with X25519 by FFI, 1 ms through objects of `node:crypto` or in JavaScript. */
const FAST_HANDSHAKES = 500;
const SLOW_HANDSHAKES = 100;

type Open = (memory: PacketMemory) => MemoryAead;

/** Native packet ciphers, fastest first. */
const NATIVE: readonly (readonly [name: string, open: Open])[] = [
  ['openssl-low', (memory) => openLowLevel(bindLibrary(), memory)],
  ['openssl-evp', (memory) => openEvp('openssl-evp', bindLibrary(), memory)],
  ['libcrypto-evp', (memory) => openEvp('libcrypto-evp', bindLibrary('libcrypto.so.3'), memory)],
  ['libsodium', (memory) => openSodium(bindLibrary('libsodium.so.23'), memory)],
];

/** Every name that `choosePacketCrypto` can give, in its order. */
export const PACKET_CRYPTO_NAMES: readonly string[] = [...NATIVE.map(([name]) => name), 'node', 'noble'];

/**
 * The first packet cipher that exists on this host and computes the known answers; a line through `warn` on each that computes
 * wrong ones, through `debug` on each that is missing.
 * @param only consider those names only: for tests and comparisons.
 * @returns undefined if none does: this host cannot be trusted to encrypt.
 */
export function choosePacketCrypto(
  memory: PacketMemory,
  log: (level: 'debug' | 'warn', message: string) => void,
  only: readonly string[] = PACKET_CRYPTO_NAMES,
): PacketCrypto | undefined {
  const node = createNodeProvider(nobleProvider);
  const rest = knownAnswerProblem(node) === undefined ? node : nobleProvider;
  for (const [name, open] of NATIVE) {
    if (!only.includes(name)) continue;
    const aead = openIfThere(name, () => open(memory), log);
    if (!aead) continue;
    const problem = packetCipherProblem(aead, memory, nobleProvider);
    if (problem === undefined) {
      const x25519 = openX25519(bindLibrary(), memory);
      const provider = createNativeProvider(aead, rest, memory, x25519);
      return { provider, aead, handshakesPerSecond: x25519 ? FAST_HANDSHAKES : SLOW_HANDSHAKES };
    }
    log('warn', `packet cipher ${name} is not used: ${problem}`);
  }
  for (const provider of [node, nobleProvider]) {
    if (!only.includes(provider.name) || !answersRight(provider, log)) continue;
    const aead = memoryAeadOf(provider, memory.bytes);
    return { provider, aead, handshakesPerSecond: SLOW_HANDSHAKES };
  }
  return undefined;
}

function openIfThere(
  name: string,
  open: () => MemoryAead,
  log: (level: 'debug', message: string) => void,
): MemoryAead | undefined {
  try {
    return open();
  } catch (error) {
    log(
      'debug',
      `packet cipher ${name} is not on this host: ${error instanceof Error ? error.message : String(error)}`,
    );
    return undefined;
  }
}

function answersRight(provider: CryptoProvider, log: (level: 'warn', message: string) => void): boolean {
  const problem = knownAnswerProblem(provider);
  if (problem !== undefined) log('warn', `crypto provider ${provider.name} is not used: ${problem}`);
  return problem === undefined;
}
