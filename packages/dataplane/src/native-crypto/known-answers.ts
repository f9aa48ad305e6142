import { equalBytes, fromHex } from '@warren/base';
import { type CryptoProvider, type MemoryAead, TAG_LENGTH } from '@warren/crypto';
import type { PacketMemory } from '@warren/udp';

const sequence = (length: number, step: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * step) & 0xff);
const KEY = sequence(32, 1);
const COUNTER = 0x1_0000_0007;
/**
 * BLAKE2s-256 of `length` bytes of the sequence 0, 3, 6 … sealed under key 00…1f and counter 2^32 + 7 without associated data;
 * computed by OpenSSL and by noble alike. A length for each way through the ciphers' assembly.
 */
const ANSWERS: readonly (readonly [length: number, hash: string])[] = [
  [0, '084590b8cf3754bbd79cc62576b976c854c033ba409ac5e9f8e0348d82698826'],
  [50, 'e145c5e29324a2e807c90c9c65acc3dd488644e3615fcb0ad2183f942b1617bf'],
  [1420, '948de3398701873701a2b9095741babc71efa09b67a7cdf0a6e4c002fe520c7b'],
];
const ROOM = 2048;

/** What the packet cipher gets wrong, or undefined. `hash` is of a provider whose own known answers are right. */
export function packetCipherProblem(
  aead: MemoryAead,
  memory: PacketMemory,
  { hash }: CryptoProvider,
): string | undefined {
  const room = memory.allocate(2 * ROOM);
  const { bytes } = memory;
  try {
    for (const [length, answer] of ANSWERS) {
      // In place and elsewhere, aligned and not.
      for (const [from, to] of [
        [room, room],
        [room + 3, room + ROOM],
      ] as const) {
        bytes.set(sequence(length, 3), from);
        aead.seal(KEY, COUNTER, from, length, to);
        const sealed = bytes.slice(to, to + length + TAG_LENGTH);
        if (!equalBytes(hash(sealed), fromHex(answer)!)) return `seals ${length} bytes wrongly`;
        if (!aead.open(KEY, COUNTER, to, length + TAG_LENGTH, from)) return `does not open ${length} bytes`;
        if (!equalBytes(bytes.subarray(from, from + length), sequence(length, 3)))
          return `opens ${length} bytes wrongly`;
        bytes.set(sealed, to);
        bytes[to + length]! ^= 1;
        if (aead.open(KEY, COUNTER, to, length + TAG_LENGTH, from)) return 'takes forgeries';
      }
    }
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    aead.forget();
  }
}
