import { nodeId } from '@warren/base';
import { describe, expect, it } from 'vitest';
import { Link, LinkEnd, type LinkKind, Meter, type PathClaim } from './link.js';

const claim = (kind: LinkKind): PathClaim => ({
  ...{ kind, lan: false, tls: false, endpoint: null, via: null, reason: null },
  ...{ rttUs: 0, sinceMs: 0, lastHandshakeMs: 0 },
});
const [A, B] = ['0', '1'].map((digit) => nodeId(`${digit.repeat(8)}-0000-4000-8000-000000000000`)) as [never, never];

describe('a meter', () => {
  it('says how fast counters went on between two reports', () => {
    const meter = new Meter();
    expect(meter.note(1_000, 500, 0, 2_000)).toBeUndefined();
    expect([meter.rxRate(0), meter.txRate(0)]).toEqual([0, 0]);
    expect(meter.note(5_000, 1_500, 2_000, 2_000)).toEqual({ rx: 4_000, tx: 1_000, from: 0 });
    expect([meter.rxRate(2_000), meter.txRate(2_000)]).toEqual([2_000, 500]);
  });

  it('takes a counter that went back for one that began anew', () => {
    const meter = new Meter();
    meter.note(1_000_000, 1_000_000, 0, 2_000);
    expect(meter.note(300, 1_000_100, 1_000, 2_000)).toEqual({ rx: 300, tx: 100, from: 0 });
    expect(meter.rxRate(1_000)).toBe(300);
  });

  it('gives rates that are whole numbers in JSON, whatever an agent says that it counted', () => {
    const link = new Link(A, B);
    const end = new LinkEnd(claim('direct'), 0);
    link.setEnd(A, end);
    end.meter.note(0, 0, 0, 2_000);
    end.meter.note(Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, 500, 2_000);
    for (const rate of [end.meter.rxRate(500), end.meter.txRate(500), link.rate(500)])
      expect(Number.isSafeInteger(rate)).toBe(true);
  });

  it('loses no bytes of reports that come in a jerk, and makes no rate of them', () => {
    const meter = new Meter();
    meter.note(0, 0, 0, 2_000);
    meter.note(2_000, 0, 2_000, 2_000);
    expect(meter.note(3_000, 0, 2_001, 2_000)).toBeUndefined();
    expect([meter.rxBytes, meter.rxRate(2_001)]).toEqual([3_000, 1_000]);
    expect(meter.note(4_000, 0, 4_000, 2_000)?.rx).toBe(2_000);
  });

  it('counts traffic after a pause over an interval, not over the pause', () => {
    const meter = new Meter();
    meter.note(0, 0, 0, 2_000);
    meter.note(3_000, 0, 600_000, 2_000);
    expect(meter.rxRate(600_000)).toBe(1_000);
  });

  it('stands still when it is not heard of for some intervals', () => {
    const meter = new Meter();
    meter.note(0, 0, 0, 2_000);
    meter.note(4_000, 0, 2_000, 2_000);
    expect([meter.rxRate(6_999), meter.rxRate(7_000)]).toEqual([2_000, 0]);
  });
});

describe('a link', () => {
  const link = (a?: [LinkKind, number], b?: [LinkKind, number]): Link => {
    const made = new Link(A, B);
    if (a) made.fromA = new LinkEnd(claim(a[0]), a[1]);
    if (b) made.fromB = new LinkEnd(claim(b[0]), b[1]);
    made.settle();
    return made;
  };

  it('is what one end says as long as the other says nothing', () => {
    expect(link(['relay', 1])).toMatchObject({ kind: 'relay', agreed: true });
    expect(link(undefined, ['direct', 1])).toMatchObject({ kind: 'direct', agreed: true });
  });

  it('is what both say, with the newer words', () => {
    const both = link(['direct', 1], ['direct', 2]);
    expect(both).toMatchObject({ kind: 'direct', agreed: true });
    expect(both.shown()).toBe(both.fromB);
  });

  it.each([
    ['direct', 'relay', 'relay'],
    ['relay', 'bounce', 'bounce'],
    ['none', 'direct', 'none'],
  ] as const)('is the worse of %s and %s until they agree, whoever spoke last', (one, two, worse) => {
    for (const at of [1, 3]) {
      expect(link([one, at], [two, 2])).toMatchObject({ kind: worse, agreed: false });
      expect(link([two, at], [one, 2])).toMatchObject({ kind: worse, agreed: false });
    }
  });
});
