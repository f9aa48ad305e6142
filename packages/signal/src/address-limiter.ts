/** A power of two. */
const SLOTS = 4_096;

/**
 * A bucket for every address in memory of fixed size: addresses share buckets by a keyed hash, so that nobody grows a table,
 * or finds out whose bucket he empties.
 */
export class AddressLimiter {
  readonly #tokens: Float64Array;
  readonly #at: Float64Array;
  readonly #perMs: number;

  /** @param key 32 random bits. */
  constructor(
    perSecond: number,
    private readonly burst: number,
    private readonly key: number,
  ) {
    this.#perMs = perSecond / 1_000;
    this.#tokens = new Float64Array(SLOTS).fill(burst);
    this.#at = new Float64Array(SLOTS);
  }

  /** Whether one more may pass for `address`, a socket address of 28 bytes whose port does not count. */
  take(address: Uint8Array, now: number): boolean {
    const slot = this.#slot(address);
    const tokens = Math.min(this.burst, this.#tokens[slot]! + (now - this.#at[slot]!) * this.#perMs);
    this.#at[slot] = now;
    this.#tokens[slot] = tokens < 1 ? tokens : tokens - 1;
    return tokens >= 1;
  }

  /** FNV-1a over family and address, of IPv6 its /48: sites get as much, and whoever has one address there may have all of them. */
  #slot(address: Uint8Array): number {
    const v6 = address[0] === 10;
    const [from, to] = v6 ? [8, 14] : [4, 8];
    let hash = this.key ^ (v6 ? 1 : 0);
    for (let i = from; i < to; i++) hash = Math.imul(hash ^ address[i]!, 0x01000193);
    hash ^= hash >>> 15;
    return (Math.imul(hash, 0x2c1b3c6d) >>> 13) & (SLOTS - 1);
  }
}
