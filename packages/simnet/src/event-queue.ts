/** Something that will happen; `cancelled` ones are skipped. */
export interface ScheduledEvent {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
  cancelled: boolean;
}

/** A binary heap by time; events of the same time happen in the order in which they were added. */
export class EventQueue {
  private readonly heap: ScheduledEvent[] = [];
  private order = 0;

  add(at: number, run: () => void): ScheduledEvent {
    const event = { at, order: this.order++, run, cancelled: false };
    let index = this.heap.length;
    this.heap.push(event);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!before(event, this.heap[parent]!)) break;
      this.heap[index] = this.heap[parent]!;
      index = parent;
    }
    this.heap[index] = event;
    return event;
  }

  /** When the next event that was not cancelled is due; undefined: nothing will happen any more. */
  nextAt(): number | undefined {
    while (this.heap[0]?.cancelled) this.removeFirst();
    return this.heap[0]?.at;
  }

  take(): ScheduledEvent | undefined {
    return this.nextAt() === undefined ? undefined : this.removeFirst();
  }

  private removeFirst(): ScheduledEvent {
    const first = this.heap[0]!;
    const last = this.heap.pop()!;
    if (this.heap.length === 0) return first;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= this.heap.length) break;
      if (child + 1 < this.heap.length && before(this.heap[child + 1]!, this.heap[child]!)) child++;
      if (!before(this.heap[child]!, last)) break;
      this.heap[index] = this.heap[child]!;
      index = child;
    }
    this.heap[index] = last;
    return first;
  }
}

const before = (a: ScheduledEvent, b: ScheduledEvent): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);
