import { createHash } from 'node:crypto';
import { fromHex } from '@warren/base';

const MODULUS = 1n << 256n;

/**
 * Sum modulo 2^256 of SHA-256 over each entry's bytes as they came: independent of order, and kept by
 * adding what comes and subtracting what goes (join-and-sync.md, “Sync”).
 */
export class EntryDigest {
  #sum = 0n;

  add(bytes: Uint8Array): void {
    this.#sum = (this.#sum + hashOf(bytes)) % MODULUS;
  }

  subtract(bytes: Uint8Array): void {
    this.#sum = (this.#sum - hashOf(bytes) + MODULUS) % MODULUS;
  }

  /** 32 bytes, big-endian. */
  bytes(): Uint8Array {
    return fromHex(this.#sum.toString(16).padStart(64, '0'))!;
  }
}

const hashOf = (bytes: Uint8Array): bigint => BigInt(`0x${createHash('sha256').update(bytes).digest('hex')}`);
