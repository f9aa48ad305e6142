import type { Store } from '@warren/db';
import type { Log } from '../log.js';
import { type Rate, RateLimiter } from '../rate-limiter.js';

/** Entries of the audit log; failures in between are counted and told with the next. */
const ENTRIES: Rate = { atOnce: 10, perSecond: 1 / 60 };
const UNKNOWN = 'unknown user';

/** Writes failed sign-ins into the audit log: each of a few, and of many a number every minute. */
export class FailedSignIns {
  readonly #entries = new RateLimiter(ENTRIES);
  /** By user; there are only two keys, as unknown names are all one. */
  readonly #untold = new Map<string, { count: number; address: string | null }>();

  constructor(private readonly parts: { readonly store: Store; readonly log: Log; readonly now: () => number }) {}

  /** @param user null: no user of ours */
  async note(user: string | null, address: string | null): Promise<void> {
    const key = user ?? UNKNOWN;
    const count = (this.#untold.get(key)?.count ?? 0) + 1;
    this.#untold.set(key, { count, address });
    if (this.#entries.take(key, this.parts.now()) === 0) await this.#tell(key);
  }

  /** Tells what is untold of a user, who has signed in now. */
  async flush(user: string): Promise<void> {
    if (this.#untold.has(user)) await this.#tell(user);
  }

  async #tell(key: string): Promise<void> {
    const { count, address } = this.#untold.get(key)!;
    this.#untold.delete(key);
    this.parts.log.warn({ user: key, address, count }, 'sign-in failed');
    await this.parts.store.noteFailedSignIns({ user: key === UNKNOWN ? null : key, address, count });
  }
}
