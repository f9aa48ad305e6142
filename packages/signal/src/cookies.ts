import { createHmac, timingSafeEqual } from 'node:crypto';
import { COOKIE_LENGTH } from '@warren/paths';
import type { Origin } from './origin.js';

const MINUTE = 60_000;
/** A secret makes cookies for so long, and is kept as long again. */
const SECRET_LIFE = 60 * MINUTE;
const SECRET_LENGTH = 32;

/**
 * Proofs that somebody receives where he says he is, of which the server keeps nothing: a MAC over origin, agent's nonce and
 * minute. They hold for one to two minutes. In the manner of WireGuard's cookies (WireGuard paper §5.4.7).
 */
export class Cookies {
  #secret: Uint8Array;
  #former: Uint8Array;
  #since: number;

  /** @param random fresh bytes each time. */
  constructor(
    private readonly random: (length: number) => Uint8Array,
    now: number,
  ) {
    this.#secret = random(SECRET_LENGTH);
    this.#former = random(SECRET_LENGTH);
    this.#since = now;
  }

  /** 16 bytes, new. `now`: milliseconds of any clock, always the same one. */
  make(origin: Origin, nonce: Uint8Array, now: number): Uint8Array {
    if (now - this.#since >= SECRET_LIFE) {
      this.#former = this.#secret;
      this.#secret = this.random(SECRET_LENGTH);
      this.#since = now;
    }
    return mac(this.#secret, origin, nonce, Math.floor(now / MINUTE));
  }

  isValid(cookie: Uint8Array, origin: Origin, nonce: Uint8Array, now: number): boolean {
    const minute = Math.floor(now / MINUTE);
    return [minute, minute - 1].some((at) =>
      [this.#secret, this.#former].some((secret) => timingSafeEqual(mac(secret, origin, nonce, at), cookie)),
    );
  }
}

function mac(secret: Uint8Array, origin: Origin, nonce: Uint8Array, minute: number): Uint8Array {
  const from = origin.kind === 'udp' ? 'udp' : `stream ${origin.stream}`;
  return createHmac('sha256', secret)
    .update(`${from}\n${minute}\n`)
    .update(origin.address)
    .update(nonce)
    .digest()
    .subarray(0, COOKIE_LENGTH);
}
