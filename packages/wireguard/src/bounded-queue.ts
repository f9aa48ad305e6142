/** First in, first out, never more than `limit`. */
export class BoundedQueue<Item> {
  #items: Item[] = [];
  #head = 0;

  constructor(readonly limit: number) {}

  get size(): number {
    return this.#items.length - this.#head;
  }

  /** @returns the oldest item if it had to make room. */
  pushDisplacing(item: Item): Item | undefined {
    const displaced = this.size >= this.limit ? this.shift() : undefined;
    this.#items.push(item);
    return displaced;
  }

  /** @returns false, the item not taken, when the queue is full. */
  pushIfRoom(item: Item): boolean {
    if (this.size >= this.limit) return false;
    this.#items.push(item);
    return true;
  }

  shift(): Item | undefined {
    if (this.#head >= this.#items.length) return undefined;
    const item = this.#items[this.#head]!;
    this.#head += 1;
    if (this.#head === this.#items.length) this.clear();
    else if (this.#head > this.limit) this.#compact();
    return item;
  }

  clear(): void {
    this.#items = [];
    this.#head = 0;
  }

  /** Keeps taken items from piling up in a queue that is never quite empty. */
  #compact(): void {
    this.#items = this.#items.slice(this.#head);
    this.#head = 0;
  }
}
