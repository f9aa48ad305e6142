/** How often something from outside was not used, by reason. Reasons are ours: their number is bounded. */
export class DropCounts {
  readonly #counts = new Map<string, number>();

  add(reason: string, count = 1): void {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + count);
  }

  get(reason: string): number {
    return this.#counts.get(reason) ?? 0;
  }

  toRecord(): Record<string, number> {
    return Object.fromEntries(this.#counts);
  }
}
