import { MAX_BATCH, MAX_DATAGRAM, PacketMemory } from '@warren/udp';
import type { PathId } from '@warren/wireguard';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BatchBuilder } from './send-batch.js';

interface Batch {
  /** Path and ECN in one number: a batch is of one of both. */
  readonly path: number;
  readonly datagrams: string[];
}

describe('batches to send', () => {
  const memory = new PacketMemory(4);
  const sent: Batch[] = [];
  const builder = new BatchBuilder(memory, (path, offset, length, segment, ecn) => {
    const datagrams: string[] = [];
    for (let at = 0; at < length; at += segment) {
      datagrams.push(
        Buffer.from(memory.bytes.subarray(offset + at, offset + Math.min(at + segment, length))).toString('hex'),
      );
    }
    sent.push({ path: 4 * path + ecn, datagrams });
    expect(length).toBeLessThanOrEqual(MAX_DATAGRAM);
    expect(datagrams.length).toBeLessThanOrEqual(MAX_BATCH);
  });
  const put = (path: number, length: number, fill: number): string => {
    const at = builder.place(length + 15);
    memory.bytes.fill(fill, at, at + length);
    builder.add((path >> 2) as PathId, length, path & 3);
    return `${path}:${Buffer.alloc(length, fill).toString('hex')}`;
  };

  it('send every datagram once, to its path, in order, in batches that the kernel takes', () => {
    const datagrams = fc.array(
      fc.tuple(
        fc.constantFrom(4, 4, 4, 6, 7, 8),
        fc.constantFrom(32, 96, 1452, 1452, 1452, 9000, MAX_DATAGRAM),
        fc.nat({ max: 3 }),
      ),
      { maxLength: 150 },
    );
    fc.assert(
      fc.property(datagrams, (list) => {
        sent.length = 0;
        const expected = list.map(([path, length, flush], i) => {
          const datagram = put(path, length, i & 0xff);
          if (flush === 3) builder.flush();
          return datagram;
        });
        builder.flush();
        expect(sent.flatMap(({ path, datagrams: each }) => each.map((datagram) => `${path}:${datagram}`))).toEqual(
          expected,
        );
        // All as long as the first, but the last.
        for (const {
          datagrams: [first, ...rest],
        } of sent) {
          for (const [i, { length }] of rest.entries()) {
            if (i < rest.length - 1) expect(length).toBe(first!.length);
            else expect(length).toBeLessThanOrEqual(first!.length);
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  it('fill a batch before they send it', () => {
    sent.length = 0;
    for (let i = 0; i < 100; i++) put(1, 96, i);
    for (let i = 0; i < 50; i++) put(1, 1452, i);
    builder.flush();
    expect(sent.map(({ datagrams }) => datagrams.length)).toEqual([64, 36, 45, 5]);
    builder.flush();
    expect(sent).toHaveLength(4);
  });
});
