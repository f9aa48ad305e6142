import { invariant } from '@warren/base';
import { type CryptoProvider, isCounter, type MemoryAead, TAG_LENGTH } from '@warren/crypto';
import type { PacketMemory } from '@warren/udp';

/** Longest text that goes through the copy; packets are not longer. */
const MAX_TEXT = 65_536;

/**
 * A provider whose packets are sealed and opened by `aead`, where they lie if that is in its memory, else through a copy there.
 * What has associated data (handshakes only) and all else comes from `rest`.
 */
export function createNativeProvider(
  aead: MemoryAead,
  rest: CryptoProvider,
  memory: PacketMemory,
  x25519?: Pick<CryptoProvider, 'dh' | 'publicKey'>,
): CryptoProvider {
  const { bytes } = memory;
  const copy = memory.allocate(MAX_TEXT + TAG_LENGTH);
  const reachable = (input: Uint8Array, out: Uint8Array): boolean =>
    memory.holds(input) && memory.holds(out) && (input.byteOffset === out.byteOffset || disjoint(input, out));
  return {
    ...rest,
    ...x25519,
    name: aead.name,
    seal(key, counter, plaintext, associatedData, out): void {
      const { length } = plaintext;
      if (associatedData.length > 0 || length > MAX_TEXT) {
        rest.seal(key, counter, plaintext, associatedData, out);
        return;
      }
      invariant(out.length >= length + TAG_LENGTH, 'seal: out has no room for text and tag');
      if (reachable(plaintext, out)) {
        aead.seal(key, counter, plaintext.byteOffset, length, out.byteOffset);
        return;
      }
      bytes.set(plaintext, copy);
      aead.seal(key, counter, copy, length, copy);
      out.set(bytes.subarray(copy, copy + length + TAG_LENGTH));
    },
    open(key, counter, sealed, associatedData, out): boolean {
      const { length } = sealed;
      if (length < TAG_LENGTH || !isCounter(counter)) return false;
      if (associatedData.length > 0 || length > MAX_TEXT) return rest.open(key, counter, sealed, associatedData, out);
      invariant(out.length >= length - TAG_LENGTH, 'open: out is shorter than the plaintext');
      if (reachable(sealed, out)) return aead.open(key, counter, sealed.byteOffset, length, out.byteOffset);
      bytes.set(sealed, copy);
      if (!aead.open(key, counter, copy, length, copy)) return false;
      out.set(bytes.subarray(copy, copy + length - TAG_LENGTH));
      return true;
    },
  };
}

const disjoint = (a: Uint8Array, b: Uint8Array): boolean =>
  a.byteOffset + a.length <= b.byteOffset || b.byteOffset + b.length <= a.byteOffset;
