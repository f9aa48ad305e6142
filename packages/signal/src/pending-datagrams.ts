import type { DropCounts } from './drop-counts.js';
import { MAX_PENDING_BYTES, MAX_PENDING_TOTAL } from './limits.js';
import type { Session } from './sessions.js';

export interface PendingBatch {
  readonly bytes: Uint8Array;
  readonly segmentLength: number;
  readonly ecn: number;
}

interface Queue {
  readonly batches: PendingBatch[];
  bytes: number;
}

/** What waits for agents while the sockets are full: bounded for each and for all, the oldest is dropped, and all have their turn. */
export class PendingDatagrams {
  /** In the order of turns. */
  readonly #queues = new Map<Session, Queue>();
  #bytes = 0;

  constructor(
    private readonly drops: DropCounts,
    private readonly limits = { each: MAX_PENDING_BYTES, total: MAX_PENDING_TOTAL },
  ) {}

  /** Agents for whom something waits. */
  get size(): number {
    return this.#queues.size;
  }

  has(to: Session): boolean {
    return this.#queues.has(to);
  }

  add(to: Session, batch: PendingBatch): void {
    const queue = this.#queues.get(to) ?? { batches: [], bytes: 0 };
    this.#queues.set(to, queue);
    queue.batches.push(batch);
    queue.bytes += batch.bytes.length;
    this.#bytes += batch.bytes.length;
    while (queue.bytes > this.limits.each && queue.batches.length > 1) this.#dropOldest(queue);
    // All are full: whoever has most loses first.
    while (this.#bytes > this.limits.total) this.#dropOldestOfLongest();
  }

  /** @param send whether the socket took it. @returns whether something still waits. */
  drain(send: (to: Session, batch: PendingBatch) => boolean): boolean {
    for (;;) {
      const next = this.#queues.entries().next();
      if (next.done) return false;
      const [to, queue] = next.value;
      const batch = queue.batches[0]!;
      if (!send(to, batch)) return true;
      queue.batches.shift();
      queue.bytes -= batch.bytes.length;
      this.#bytes -= batch.bytes.length;
      this.#queues.delete(to);
      if (queue.batches.length > 0) this.#queues.set(to, queue);
    }
  }

  #dropOldestOfLongest(): void {
    let longest: [Session, Queue] | undefined;
    for (const entry of this.#queues) if (!longest || entry[1].bytes > longest[1].bytes) longest = entry;
    if (!longest) return;
    this.#dropOldest(longest[1]);
    if (longest[1].batches.length === 0) this.#queues.delete(longest[0]);
  }

  #dropOldest(queue: Queue): void {
    const oldest = queue.batches.shift()!;
    queue.bytes -= oldest.bytes.length;
    this.#bytes -= oldest.bytes.length;
    this.drops.add('congested', Math.ceil(oldest.bytes.length / oldest.segmentLength));
  }
}
