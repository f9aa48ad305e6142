import { PacketMemory } from '@warren/udp';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Coalescer, MAX_PARTS } from './coalescing.js';
import { createChecksum } from './internet-checksum.js';
import { anyPacket, encodePacket, ipHeaderLength, naiveSegments, type PacketFields } from './packets.fixture.js';
import { MAX_HEADERS, Segmenter } from './segmentation.js';
import { VIRTIO_HEADER_LENGTH } from './virtio-header.js';

const memory = new PacketMemory(12);
const checksum = createChecksum(memory);
const scratch = memory.allocate(MAX_HEADERS);
const header = memory.allocate(VIRTIO_HEADER_LENGTH);
const read = memory.allocate(70_000);
const received = memory.allocate(400_000);
const segmenter = new Segmenter(memory.bytes, memory.view, checksum, scratch);

interface Result {
  /** What the kernel makes of the groups. */
  readonly packets: Uint8Array[];
  readonly counts: number[];
}

/** Coalesces, and has each group split again: the kernel would do both halves for us. */
function throughTun(packets: readonly Uint8Array[], udp = true): Result {
  const result: Result = { packets: [], counts: [] };
  const coalescer = new Coalescer({
    bytes: memory.bytes,
    view: memory.view,
    checksum,
    header,
    udp,
    write: ({ count, offsets, lengths }) => {
      memory.bytes.copyWithin(read, header, header + VIRTIO_HEADER_LENGTH);
      let end = read + VIRTIO_HEADER_LENGTH;
      for (let i = 0; i < count; i++) {
        memory.bytes.copyWithin(end, offsets[i]!, offsets[i]! + lengths[i]!);
        end += lengths[i]!;
      }
      result.counts.push(count);
      expect(segmenter.begin(read, end - read)).toBe(true);
      while (segmenter.next()) {
        result.packets.push(memory.bytes.slice(segmenter.offset, segmenter.offset + segmenter.length));
      }
    },
  });
  let at = received;
  for (const packet of packets) {
    memory.bytes.set(packet, at);
    coalescer.add(at, packet.length);
    at += packet.length + 48;
  }
  coalescer.flush();
  return result;
}

/** With DF the id means nothing (RFC 6864 §4.1), and changes. */
function withoutId(packet: Uint8Array): string {
  const copy = Buffer.from(packet);
  if (copy[0] === 0x45 && (copy[6]! & 0x40) !== 0) copy.fill(0, 4, 6).fill(0, 10, 12);
  return copy.toString('hex');
}

/** Runs of segments as a sender makes them, one flow after the other or mixed with others. */
const traffic = fc
  .array(fc.tuple(anyPacket, fc.integer({ min: 100, max: 1400 })), { minLength: 1, maxLength: 6 })
  .map((runs) => runs.flatMap(([fields, size]) => naiveSegments(fields, size)));

describe('coalescing', () => {
  it('loses, adds and reorders nothing: split again, the packets are the same', () => {
    fc.assert(
      fc.property(traffic, fc.boolean(), (fields, udp) => {
        const packets = fields.map(encodePacket);
        const result = throughTun(packets, udp);
        expect(result.packets.map(withoutId)).toEqual(packets.map(withoutId));
      }),
      { numRuns: 500 },
    );
  });

  it('passes on what is damaged as it is, and never joins it', () => {
    fc.assert(
      fc.property(traffic, fc.nat(), fc.nat(), (fields, which, where) => {
        const packets = fields.map(encodePacket);
        const index = which % packets.length;
        const damaged = packets[index]!;
        const ip = ipHeaderLength(fields[index]!);
        // Transport header or payload; an IPv4 header too. A changed version or length would not get here: the machine checks them.
        const from = fields[index]!.version === 4 && where % 3 === 0 ? 8 : ip;
        damaged[from + (where % (damaged.length - from))]! ^= 0x20;
        const result = throughTun(packets);
        expect(result.packets.map(withoutId)).toEqual(packets.map(withoutId));
      }),
      { numRuns: 500 },
    );
  });

  const run = (changes: Partial<PacketFields>, bytes: number, size: number): Uint8Array[] => {
    const fields: PacketFields = {
      version: 4,
      protocol: 'tcp',
      flow: 0,
      trafficClass: 0,
      hopLimit: 64,
      id: 1,
      dontFragment: true,
      sequence: 0xffff_ff00,
      acknowledgement: 1,
      flags: 0x10,
      window: 500,
      options: new Uint8Array(12),
      payload: new Uint8Array(bytes).fill(7),
      ...changes,
    };
    return naiveSegments(fields, size).map(encodePacket);
  };

  it.each([
    { protocol: 'tcp', version: 4 },
    { protocol: 'tcp', version: 6 },
    { protocol: 'udp', version: 4 },
    { protocol: 'udp', version: 6 },
  ] as const)('joins a run of $protocol over IPv$version in one group', (changes) => {
    expect(throughTun(run(changes, 30_000, 1368)).counts).toEqual([22]);
    expect(throughTun(run(changes, MAX_PARTS * 100, 100)).counts).toEqual([MAX_PARTS]);
    expect(throughTun(run(changes, (MAX_PARTS + 1) * 100, 100)).counts).toEqual([MAX_PARTS, 1]);
    // No more than an IP packet can hold.
    expect(throughTun(run(changes, 70_000, 1400)).counts).toEqual([46, 4]);
  });

  it('begins a new group where the flow, its header or the segment size changes', () => {
    const base = run({}, 3000, 1000);
    const counts = (changes: Partial<PacketFields>, size = 1000): number[] =>
      throughTun([...base, ...run({ sequence: 0xffff_ff00 + 3000 - 2 ** 32, id: 4, ...changes }, 3000, size)]).counts;
    expect(counts({})).toEqual([6]);
    for (const changes of [
      { flow: 1 },
      { flow: 2 },
      { trafficClass: 1 },
      { hopLimit: 63 },
      { acknowledgement: 2 },
      { window: 501 },
      { options: new Uint8Array(8) },
      { options: new Uint8Array(12).fill(1) },
      { sequence: 1 },
      { dontFragment: false },
      { version: 6 as const },
    ]) {
      expect(counts(changes), JSON.stringify(changes)).toEqual([3, 3]);
    }
    expect(counts({}, 1200)).toEqual([3, 3]);
    // A shorter one ends the group that it joins.
    expect(counts({}, 900)).toEqual([4, 3]);
  });

  it('joins packets that may be fragmented only when their ids count up', () => {
    const packets = run({ dontFragment: false }, 3000, 1000);
    expect(throughTun(packets).counts).toEqual([3]);
    expect(throughTun([packets[0]!, ...run({ dontFragment: false, id: 9, sequence: 744 }, 1000, 1000)]).counts).toEqual(
      [1, 1],
    );
  });

  it('leaves alone what it does not know: other protocols, fragments, options, extension headers, UDP without checksum', () => {
    for (const change of [
      (packet: Uint8Array) => packet.fill(47, 9, 10),
      (packet: Uint8Array) => packet.fill(0x20, 6, 7),
      (packet: Uint8Array) => packet.fill(0x46, 0, 1),
      (packet: Uint8Array) => packet.fill(0, 26, 28),
    ]) {
      const packets = run({ protocol: 'udp' }, 3000, 1000);
      for (const packet of packets) change(packet);
      expect(throughTun(packets).counts).toEqual([1, 1, 1]);
    }
  });
});
