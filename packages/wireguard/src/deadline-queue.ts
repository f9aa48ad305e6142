/** What a deadline queue needs to know of its items; it writes to the two fields and nobody else does. */
export interface Scheduled {
  /** The item's earliest deadline now; infinity: none. */
  nextDeadline(): number;
  /** Position in the heap, -1 outside. */
  heapPosition: number;
  /** Deadline by which the heap is ordered: never later than the true one. */
  heapDeadline: number;
}

/**
 * Items by earliest deadline: a binary heap that is told at once when a deadline moves to earlier, and finds out by
 * itself, when the item comes to the top, that it moved to later. So timers that every packet pushes back cost
 * nothing.
 */
export class DeadlineQueue<Item extends Scheduled> {
  readonly #heap: Item[] = [];

  /** To be called after a deadline of `item` was set; cheap when it did not become earlier. */
  update(item: Item): void {
    const deadline = item.nextDeadline();
    if (item.heapPosition < 0) {
      if (deadline === Number.POSITIVE_INFINITY) return;
      item.heapDeadline = deadline;
      item.heapPosition = this.#heap.length;
      this.#heap.push(item);
      this.#rise(item);
    } else if (deadline < item.heapDeadline) {
      item.heapDeadline = deadline;
      this.#rise(item);
    }
  }

  /** The item with the earliest deadline, which `heapDeadline` then is. */
  earliest(): Item | undefined {
    for (let top = this.#heap[0]; top; top = this.#heap[0]) {
      const deadline = top.nextDeadline();
      if (deadline === top.heapDeadline) return top;
      if (deadline === Number.POSITIVE_INFINITY) this.remove(top);
      else {
        top.heapDeadline = deadline;
        this.#sink(top);
      }
    }
    return undefined;
  }

  remove(item: Item): void {
    if (item.heapPosition < 0) return;
    const position = item.heapPosition;
    item.heapPosition = -1;
    const last = this.#heap.pop()!;
    if (last === item) return;
    this.#put(last, position);
    this.#rise(last);
    this.#sink(last);
  }

  #rise(item: Item): void {
    while (item.heapPosition > 0) {
      const parent = this.#heap[(item.heapPosition - 1) >> 1]!;
      if (parent.heapDeadline <= item.heapDeadline) return;
      this.#swap(item, parent);
    }
  }

  #sink(item: Item): void {
    for (;;) {
      const left = this.#heap[item.heapPosition * 2 + 1];
      const right = this.#heap[item.heapPosition * 2 + 2];
      const child = right && left && right.heapDeadline < left.heapDeadline ? right : left;
      if (!child || child.heapDeadline >= item.heapDeadline) return;
      this.#swap(item, child);
    }
  }

  #swap(a: Item, b: Item): void {
    const position = a.heapPosition;
    this.#put(a, b.heapPosition);
    this.#put(b, position);
  }

  #put(item: Item, position: number): void {
    this.#heap[position] = item;
    item.heapPosition = position;
  }
}
