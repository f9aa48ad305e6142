import { createHash } from 'node:crypto';
import { WarrenError } from '@warren/base';

const LIFE = 24 * 3_600_000;
const MAX_KEYS = 10_000;
/** Answers are small; one that is not is not kept, and its request would run again. */
const MAX_BODY = 64 * 1024;

export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

interface Entry {
  readonly fingerprint: string;
  readonly expires: number;
  answer?: Answer;
}

/**
 * The answers to writes that carried an `Idempotency-Key`, for 24 hours or until 10,000 newer ones; in memory, so a
 * restart forgets them. The key belongs to its caller and route: `scope` names both.
 */
export class IdempotencyTable {
  readonly #entries = new Map<string, Entry>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * Begins a request, or gives the answer of the same request before.
   *
   * @throws WarrenError `idempotency-key-reused` for another body, `idempotency-in-progress` while the first one runs.
   */
  begin(scope: string, key: string, body: unknown): Answer | undefined {
    if (key.length > 255) throw new WarrenError('bad-request', 'an Idempotency-Key has at most 255 characters');
    const id = `${scope}\n${key}`;
    const fingerprint = createHash('sha256')
      .update(JSON.stringify(body ?? null))
      .digest('base64');
    const known = this.#entries.get(id);
    if (!known || known.expires <= this.#now()) {
      this.#evict();
      this.#entries.delete(id);
      this.#entries.set(id, { fingerprint, expires: this.#now() + LIFE });
      return undefined;
    }
    if (known.fingerprint !== fingerprint) {
      throw new WarrenError(
        'idempotency-key-reused',
        'this Idempotency-Key came with another body before: use a new one',
      );
    }
    if (!known.answer)
      throw new WarrenError(
        'idempotency-in-progress',
        'the request with this Idempotency-Key still runs: ask again soon',
      );
    return known.answer;
  }

  /** Keeps the answer; one of ours that failed (5xx) is forgotten, so that the caller may try again. */
  finish(scope: string, key: string, answer: Answer): void {
    const entry = this.#entries.get(`${scope}\n${key}`);
    if (!entry) return;
    if (answer.status >= 500 || answer.body.length > MAX_BODY) this.#entries.delete(`${scope}\n${key}`);
    else entry.answer = answer;
  }

  /** Oldest first: a Map keeps the order of insertion, and all live equally long. */
  #evict(): void {
    for (const [id, entry] of this.#entries) {
      if (this.#entries.size < MAX_KEYS && entry.expires > this.#now()) return;
      this.#entries.delete(id);
    }
  }
}
