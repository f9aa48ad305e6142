import type { Instant } from '@warren/base';
import { decodeFrame, encodeFrame, hasBytesAt } from './relay/frames.js';

/** How far a server is at which we are not registered: half a registration that nobody finishes. */
export class HelloProbe {
  #asked: { readonly nonce: Uint8Array; readonly at: Instant } | undefined;
  #rttMs: number | undefined;

  /** The shortest round trip so far, milliseconds. */
  get rttMs(): number | undefined {
    return this.#rttMs;
  }

  /** @returns the frame to send. */
  begin(nonce: Uint8Array, now: Instant): Uint8Array {
    this.#asked = { nonce, at: now };
    return encodeFrame({ type: 'hello', nonce });
  }

  /** @returns whether these bytes are the answer. */
  take(bytes: Uint8Array, now: Instant): boolean {
    const asked = this.#asked;
    const frame = asked && decodeFrame(bytes);
    if (!asked || frame?.type !== 'challenge' || !hasBytesAt(frame.nonce, 0, asked.nonce)) return false;
    const rtt = now - asked.at;
    this.#asked = undefined;
    this.#rttMs = Math.min(rtt, this.#rttMs ?? rtt);
    return true;
  }
}
