import { describe, expect, it } from 'vitest';
import { applyOuterEcn, ECN, outerEcn } from './explicit-congestion.js';

const { notEct, ect0, ect1, ce } = ECN;
const DSCP = 0xb8;

function packet(family: 4 | 6, ecn: number): Uint8Array {
  const bytes = new Uint8Array(60).map((_, i) => (i * 37) & 0xff);
  if (family === 6) {
    bytes[0] = 0x60 | (DSCP >> 4);
    bytes[1] = ((DSCP & 0x0f) << 4) | (ecn << 4) | 0x05;
    return bytes;
  }
  bytes.set([0x45, DSCP | ecn]);
  bytes.set([0, 0], 10);
  const sum = ~headerSum(bytes) & 0xffff;
  bytes.set([sum >> 8, sum & 0xff], 10);
  return bytes;
}

/** Internet checksum's sum over an IPv4 header: 0xffff when the checksum is right. RFC 1071. */
function headerSum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < 20; i += 2) sum += (bytes[i]! << 8) | bytes[i + 1]!;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}

describe.each([4, 6] as const)('ECN of an IPv%d packet', (family) => {
  it('is what the outer header gets, whatever the DSCP', () => {
    for (const ecn of [notEct, ect0, ect1, ce]) expect(outerEcn(packet(family, ecn), 0)).toBe(ecn);
  });

  it.each([
    // RFC 6040 §4.2, figure 4: inner, then what comes of outer Not-ECT, ECT(0), ECT(1), CE.
    { inner: notEct, becomes: [notEct, notEct, notEct, notEct] },
    { inner: ect0, becomes: [ect0, ect0, ect1, ce] },
    { inner: ect1, becomes: [ect1, ect1, ect1, ce] },
    { inner: ce, becomes: [ce, ce, ce, ce] },
  ])('that was $inner becomes $becomes under outer Not-ECT, ECT(0), ECT(1), CE, and nothing else changes', (row) => {
    for (const [i, outer] of [notEct, ect0, ect1, ce].entries()) {
      const bytes = packet(family, row.inner);
      applyOuterEcn(bytes, 0, outer);
      expect(bytes).toEqual(packet(family, row.becomes[i]!));
      if (family === 4) expect(headerSum(bytes)).toBe(0xffff);
    }
  });
});
