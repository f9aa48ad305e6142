import { PacketMemory } from '@warren/udp';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createChecksum, plainChecksum } from './internet-checksum.js';
import { naiveChecksum } from './packets.fixture.js';

describe('internet checksum', () => {
  const memory = new PacketMemory(2);
  const fast = createChecksum(memory);
  const plain = plainChecksum(memory.bytes);

  it('is the same in WebAssembly, in JavaScript and word by word, at any place and length', () => {
    const places = fc.record({ offset: fc.nat({ max: 70 }), bytes: fc.uint8Array({ maxLength: 2000 }) });
    fc.assert(
      fc.property(places, fc.nat({ max: 0x3_ffff }), ({ offset, bytes }, initial) => {
        memory.bytes.set(bytes, offset);
        const sum = fast(offset, bytes.length, initial);
        expect(plain(offset, bytes.length, initial)).toBe(sum);
        // Little-endian words of the same bytes: the sum with its bytes swapped (RFC 1071 §2 (B)); 0 and 0xffff are the same.
        const swapped = ((sum & 0xff) << 8) | (sum >> 8);
        const start = Uint8Array.of(initial & 0xff, (initial >> 8) & 0xff, initial >> 16, 0);
        expect(swapped % 0xffff).toBe(naiveChecksum(start, bytes) % 0xffff);
      }),
      { numRuns: 2000 },
    );
  });

  it('does not overflow with the longest packet of greatest words', () => {
    memory.bytes.fill(0xff, 0, 65_536);
    expect(fast(0, 65_535, 0xffff)).toBe(plain(0, 65_535, 0xffff));
    expect(fast(0, 65_534, 0)).toBe(0xffff);
  });
});
