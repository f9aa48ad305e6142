import { invariant } from '@warren/base';
import { MAX_INDICES } from '../constants.js';

const INDEX_LENGTH = 4;
/** With a million of four thousand million taken, this many misses in a row do not happen with random numbers. */
const MAX_TRIES = 64;

/**
 * Receiver indices: random 32-bit numbers that stand for a handshake or keypair of ours in what the other side sends.
 * Only authenticated handshakes add to it, at most four a peer, and never more than `MAX_INDICES`.
 */
export class IndexTable<Entry> {
  readonly #entries = new Map<number, Entry>();

  constructor(private readonly random: (length: number) => Uint8Array) {}

  get size(): number {
    return this.#entries.size;
  }

  get(index: number): Entry | undefined {
    return this.#entries.get(index);
  }

  /** @returns undefined when the table is full. */
  allocate(entry: Entry): number | undefined {
    if (this.#entries.size >= MAX_INDICES) return undefined;
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const bytes = this.random(INDEX_LENGTH);
      const index = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
      if (this.#entries.has(index)) continue;
      this.#entries.set(index, entry);
      return index;
    }
    return undefined;
  }

  /** Lets an allocated index stand for something else: a handshake's becomes its keypair's. */
  replace(index: number, entry: Entry): void {
    invariant(this.#entries.has(index), 'replaced an index that is not allocated');
    this.#entries.set(index, entry);
  }

  release(index: number): void {
    this.#entries.delete(index);
  }
}
