import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BoundedQueue } from './bounded-queue.js';
import { DeadlineQueue, type Scheduled } from './deadline-queue.js';

class Item implements Scheduled {
  deadline = Number.POSITIVE_INFINITY;
  heapPosition = -1;
  heapDeadline = Number.POSITIVE_INFINITY;

  nextDeadline(): number {
    return this.deadline;
  }
}

describe('deadline queue', () => {
  it('always knows the earliest deadline, however they move', () => {
    const move = fc.record({
      item: fc.nat(7),
      deadline: fc.oneof(fc.nat(50), fc.constant(Number.POSITIVE_INFINITY)),
      how: fc.constantFrom('update', 'stop quietly', 'remove'),
    });
    fc.assert(
      fc.property(fc.array(move, { maxLength: 80 }), (moves) => {
        const items = Array.from({ length: 8 }, () => new Item());
        const queue = new DeadlineQueue<Item>();
        for (const { item: index, deadline, how } of moves) {
          const item = items[index]!;
          // Only what becomes earlier has to be told; what is stopped or put off is found out.
          if (how === 'stop quietly') item.deadline = Number.POSITIVE_INFINITY;
          else if (how === 'update') {
            item.deadline = deadline;
            queue.update(item);
          } else {
            item.deadline = Number.POSITIVE_INFINITY;
            queue.remove(item);
          }
          const expected = Math.min(...items.map((each) => each.deadline));
          expect(queue.earliest()?.heapDeadline ?? Number.POSITIVE_INFINITY).toBe(expected);
        }
      }),
      { numRuns: 1000, seed: 5 },
    );
  });
});

describe('bounded queue', () => {
  it('is first in, first out, and never longer than its limit', () => {
    const command = fc.constantFrom('displace', 'ifRoom', 'shift', 'clear');
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.array(command, { maxLength: 100 }), (limit, commands) => {
        const queue = new BoundedQueue<number>(limit);
        let model: number[] = [];
        commands.forEach((what, i) => {
          if (what === 'displace') {
            expect(queue.pushDisplacing(i)).toBe(model.length === limit ? model.shift() : undefined);
            model.push(i);
          } else if (what === 'ifRoom') {
            expect(queue.pushIfRoom(i)).toBe(model.length < limit);
            if (model.length < limit) model.push(i);
          } else if (what === 'shift') expect(queue.shift()).toBe(model.shift());
          else {
            queue.clear();
            model = [];
          }
          expect(queue.size).toBe(model.length);
        });
      }),
      { numRuns: 500, seed: 6 },
    );
  });
});
