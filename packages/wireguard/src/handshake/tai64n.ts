import type { UnixMillis } from '@warren/base';

/** Bytes of a TAI64N label. */
export const TIMESTAMP_LENGTH = 12;

/** TAI64 is 2^62 plus seconds of TAI since 1970, which was 10 seconds ahead of UTC then; leap seconds are left out. */
const TAI_BASE_HIGH = 0x4000_0000;
const TAI_OFFSET = 10;
/** Nanoseconds are rounded down to about 17 ms, so that timestamps tell little about the host's clock. */
const STEP = 2 ** 24;
const NANOS_PER_SECOND = 1_000_000_000;

/**
 * Timestamps for initiations to one peer, each greater than the one before, even when the wall clock is set back: the
 * responder refuses everything else. WireGuard paper §5.1, §5.4.2.
 */
export class TimestampSource {
  #seconds = 0;
  #nanos = -1;

  /** 12 bytes, new: seconds and nanoseconds, big-endian. */
  next(wallClock: UnixMillis): Uint8Array {
    const seconds = Math.floor(wallClock / 1000);
    const nanos = Math.floor(((wallClock - seconds * 1000) * 1_000_000) / STEP) * STEP;
    if (seconds > this.#seconds || (seconds === this.#seconds && nanos > this.#nanos)) {
      this.#seconds = seconds;
      this.#nanos = nanos;
    } else {
      this.#advance();
    }
    return encodeTimestamp(this.#seconds, this.#nanos);
  }

  #advance(): void {
    this.#nanos += STEP;
    if (this.#nanos < NANOS_PER_SECOND) return;
    this.#nanos = 0;
    this.#seconds += 1;
  }
}

/** Whether TAI64N label `a` is later than `b`. */
export function isLater(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < TIMESTAMP_LENGTH; i++) {
    if (a[i] !== b[i]) return a[i]! > b[i]!;
  }
  return false;
}

function encodeTimestamp(seconds: number, nanos: number): Uint8Array {
  const tai = seconds + TAI_OFFSET;
  const bytes = new Uint8Array(TIMESTAMP_LENGTH);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, TAI_BASE_HIGH + Math.floor(tai / 0x1_0000_0000));
  view.setUint32(4, tai % 0x1_0000_0000);
  view.setUint32(8, nanos);
  return bytes;
}
