import { PacketMemory } from '@warren/udp';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createChecksum } from './internet-checksum.js';
import {
  anyPacket,
  checksumField,
  encodePacket,
  headerLength,
  ipHeaderLength,
  naiveChecksum,
  naiveSegments,
  type PacketFields,
  pseudoHeader,
} from './packets.fixture.js';
import { MAX_HEADERS, Segmenter } from './segmentation.js';
import { GSO, NEEDS_CHECKSUM, VIRTIO_HEADER_LENGTH, writeGsoHeader, writePlainHeader } from './virtio-header.js';

const memory = new PacketMemory(3);
const scratch = memory.allocate(MAX_HEADERS);
const at = memory.allocate(70_000) + 6;
const segmenter = new Segmenter(memory.bytes, memory.view, createChecksum(memory), scratch);

/** What the TUN would give: the transport checksum holds the pseudo-header's sum. */
function place(fields: PacketFields, gsoSize: number): number {
  const packet = encodePacket(fields);
  const ip = ipHeaderLength(fields);
  const tcp = fields.protocol === 'tcp';
  const sum = naiveChecksum(pseudoHeader(packet, ip, packet.length - ip, tcp ? 6 : 17));
  Buffer.from(packet.buffer).writeUInt16BE(sum, ip + checksumField(fields));
  memory.bytes.set(packet, at + VIRTIO_HEADER_LENGTH);
  const type = gsoSize === 0 ? GSO.none : tcp ? (fields.version === 6 ? GSO.tcp6 : GSO.tcp4) : GSO.udp;
  writeGsoHeader(memory.view, at, type, headerLength(fields), gsoSize, ip, checksumField(fields));
  return VIRTIO_HEADER_LENGTH + packet.length;
}

function segmentsOf(length: number): Uint8Array[] {
  const segments: Uint8Array[] = [];
  expect(segmenter.begin(at, length)).toBe(true);
  while (segmenter.next()) {
    segments.push(memory.bytes.slice(segmenter.offset, segmenter.offset + segmenter.length));
  }
  return segments;
}

describe('segmentation', () => {
  it('gives the packets that a super-packet stands for, checksums and all', () => {
    fc.assert(
      fc.property(anyPacket, fc.integer({ min: 1, max: 1500 }), (fields, size) => {
        const expected = naiveSegments(fields, size).map(encodePacket);
        expect(segmentsOf(place(fields, size)).map(hex)).toEqual(expected.map(hex));
      }),
      { numRuns: 500 },
    );
  });

  it('completes the checksum of a packet that needs it, and leaves others alone', () => {
    fc.assert(
      fc.property(anyPacket, (fields) => {
        const expected = encodePacket(fields);
        const [completed, ...rest] = segmentsOf(place(fields, 0));
        expect(rest).toEqual([]);
        expect(hex(completed!)).toBe(hex(expected));
        writePlainHeader(memory.view, at);
        memory.bytes.set(expected.fill(9, 30), at + VIRTIO_HEADER_LENGTH);
        expect(segmentsOf(VIRTIO_HEADER_LENGTH + expected.length).map(hex)).toEqual([hex(expected)]);
      }),
    );
  });

  it('stays within its memory and ends, whatever the header says', () => {
    const before = memory.bytes.slice(0, scratch);
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 10, maxLength: 200 }),
        fc.constantFrom(0, 1, 3, 4, 5, 0x81),
        (read, type) => {
          memory.bytes.fill(0xee, at + read.length, at + read.length + 600);
          memory.bytes.set(read, at);
          memory.bytes[at] = read[0]! & NEEDS_CHECKSUM;
          memory.bytes[at + 1] = type;
          let count = 0;
          if (segmenter.begin(at, read.length)) {
            while (segmenter.next()) {
              count++;
              expect(segmenter.offset).toBeGreaterThanOrEqual(at);
              expect(segmenter.offset + segmenter.length).toBeLessThanOrEqual(at + read.length);
            }
          }
          expect(count).toBeLessThanOrEqual(read.length);
          expect(memory.bytes.subarray(at + read.length, at + read.length + 600).every((byte) => byte === 0xee)).toBe(
            true,
          );
        },
      ),
      { numRuns: 5000 },
    );
    expect(memory.bytes.subarray(0, scratch)).toEqual(before);
  });
});

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
