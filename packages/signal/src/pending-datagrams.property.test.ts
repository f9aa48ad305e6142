import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DropCounts } from './drop-counts.js';
import { PendingDatagrams } from './pending-datagrams.js';
import type { Session } from './sessions.js';

const LIMITS = { each: 1_000, total: 2_500 };
const AGENTS = Array.from({ length: 5 }, (_, slot) => ({ slot }) as Session);

/** Adds for an agent, or lets the socket take some. */
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ agent: fc.nat(4), length: fc.integer({ min: 1, max: 600 }) }) },
  { weight: 1, arbitrary: fc.record({ takes: fc.nat(10) }) },
);

describe('what waits for a full socket', () => {
  it('is bounded, keeps each agent’s order, goes round, and is either sent or counted as dropped', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const drops = new DropCounts();
        const pending = new PendingDatagrams(drops, LIMITS);
        const waiting: number[] = [];
        let [added, sent, number] = [0, 0, 0];
        const last = new Map<Session, number>();
        const drain = (takes: number): boolean => {
          const turns: Session[] = [];
          const more = pending.drain((to, { bytes }) => {
            if (turns.length === takes) return false;
            const id = new DataView(bytes.buffer).getUint32(0);
            expect(id).toBeGreaterThan(last.get(to) ?? 0);
            last.set(to, id);
            turns.push(to);
            sent++;
            return true;
          });
          // Nobody has a second turn before everybody who waits had one.
          const first = new Set(turns.slice(0, new Set(turns).size));
          expect(first.size).toBe(new Set(turns).size);
          return more;
        };
        for (const one of steps) {
          if ('takes' in one) drain(one.takes);
          else {
            const bytes = new Uint8Array(4 + one.length);
            new DataView(bytes.buffer).setUint32(0, ++number);
            pending.add(AGENTS[one.agent]!, { bytes, segmentLength: bytes.length, ecn: 0 });
            added++;
            waiting.push(bytes.length);
          }
          expect(pending.size).toBeLessThanOrEqual(AGENTS.length);
        }
        const before = sent;
        expect(drain(Number.POSITIVE_INFINITY)).toBe(false);
        expect(pending.size).toBe(0);
        expect(sent + drops.get('congested')).toBe(added);
        // Whatever was left at the end fitted, be each of the least length that was added.
        const least = Math.min(...waiting, 604);
        expect((sent - before) * least).toBeLessThanOrEqual(LIMITS.total);
      }),
    );
  });
});
