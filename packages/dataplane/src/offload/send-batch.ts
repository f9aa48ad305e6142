import { MAX_BATCH, MAX_DATAGRAM, type PacketMemory } from '@warren/udp';
import type { PathId } from '@warren/wireguard';

/** Twice what one batch may hold, so that a datagram that does not fit the batch at hand can begin the next where it lies. */
const ROOM = 2 * 65_536;

/** Called with what goes out at once; the memory is used again afterwards. */
export type SendBatch = (path: PathId, offset: number, length: number, segmentLength: number, ecn: number) => void;

/**
 * Collects datagrams for one `sendBatch`: of one path and ECN, all as long as the first but the last, which may be shorter. Whatever
 * cannot be added to the batch at hand sends it and begins the next, so order is kept.
 */
export class BatchBuilder {
  readonly #memory: number;
  #start: number;
  #end: number;
  #segment = 0;
  #count = 0;
  #path = 0 as PathId;
  #ecn = 0;

  constructor(
    memory: PacketMemory,
    private readonly send: SendBatch,
  ) {
    this.#memory = memory.allocate(ROOM);
    this.#start = this.#memory;
    this.#end = this.#memory;
  }

  /** Where to put the next datagram of at most `length` bytes, before `add` is called for it. */
  place(length: number): number {
    if (this.#end + length > this.#memory + ROOM) this.flush();
    return this.#end;
  }

  /** Takes the datagram that was put at the last `place`. */
  add(path: PathId, length: number, ecn = 0): void {
    const isFirst = this.#count === 0;
    const fits =
      path === this.#path &&
      ecn === this.#ecn &&
      length <= this.#segment &&
      this.#count < MAX_BATCH &&
      this.#end + length - this.#start <= MAX_DATAGRAM;
    if (!isFirst && !fits) this.#sendCollected();
    if (this.#count === 0) {
      this.#path = path;
      this.#ecn = ecn;
      this.#segment = length;
    }
    this.#count++;
    this.#end += length;
    if (length < this.#segment) this.flush();
  }

  /** Sends what is collected. */
  flush(): void {
    if (this.#count > 0) this.#sendCollected();
    this.#start = this.#memory;
    this.#end = this.#memory;
  }

  #sendCollected(): void {
    this.send(this.#path, this.#start, this.#end - this.#start, this.#segment, this.#ecn);
    this.#start = this.#end;
    this.#count = 0;
  }
}
