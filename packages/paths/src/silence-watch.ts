import type { Instant } from '@warren/base';
import { delayed } from './times.js';

/** Nothing came for so long, amid a stream: ask whether the path still works. */
const SILENCE_MS = 500;
/** Messages at this distance or less are a stream. */
const STREAM_GAP_MS = 1_000;

/** Notices that a stream from the peer stopped: it ended, or the way is cut, which only a question tells. */
export class SilenceWatch {
  #receivedAt: Instant | undefined;
  #at: Instant | undefined;

  /** @returns whether the watch begins with it. */
  noteReceived(now: Instant): boolean {
    const isStream = this.#receivedAt !== undefined && now - this.#receivedAt <= STREAM_GAP_MS;
    this.#receivedAt = now;
    if (!isStream || this.#at !== undefined) return false;
    this.#at = delayed(now, SILENCE_MS);
    return true;
  }

  /** Whether a stream has just fallen silent; says so once. */
  take(now: Instant): boolean {
    if (this.#at === undefined || now < this.#at) return false;
    const quietAt = delayed(this.#receivedAt!, SILENCE_MS);
    this.#at = now < quietAt ? quietAt : undefined;
    return this.#at === undefined;
  }

  deadline = (): Instant | undefined => this.#at;
}
