import { invariant } from '@warren/base';

/**
 * Reproducible random numbers: the same seed gives the same sequence everywhere, for ever. Not for keys.
 * The generator is sfc32 (Doty-Humphrey, PractRand): 128 bits of state, of which 32 count.
 */
export class Random {
  private a = 0;
  private b: number;
  private c: number;
  private counter = 1;

  /** `seed` is any integer; `stream` gives independent sequences of one seed. */
  constructor(seed: number, stream = 0) {
    this.b = seed >>> 0;
    this.c = Math.floor(seed / 2 ** 32) ^ Math.imul(stream + 1, 0x9e3779b9);
    for (let i = 0; i < 16; i++) this.uint32();
  }

  /** 0 to 2^32 - 1. */
  uint32(): number {
    const sum = (this.a + this.b + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (((this.c << 21) | (this.c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** At least 0, less than 1. */
  fraction(): number {
    return this.uint32() / 2 ** 32;
  }

  /** 0 to `limit` - 1. */
  integer(limit: number): number {
    invariant(limit >= 1, 'a random integer needs a limit of at least 1');
    return Math.floor(this.fraction() * limit);
  }

  /** Both ends are included. */
  between(low: number, high: number): number {
    return low + this.integer(high - low + 1);
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  pick<T>(from: readonly T[]): T {
    invariant(from.length > 0, 'nothing to pick from');
    return from[this.integer(from.length)]!;
  }

  /** A new array each time. */
  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.uint32() & 0xff);
  }
}
