import { InvariantError, type NodeId } from '@warren/base';
import type { Sighting, Store } from '@warren/db';
import type { Log } from '../log.js';

/** What is noted waits so long for more, milliseconds: thousands of agents come back at once after a restart. */
const GATHER = 1_000;
/** How often those that stay are noted, milliseconds. */
const INTERVAL = 5 * 60_000;
/** In one statement. */
const MOST_AT_ONCE = 1_000;

/** Keeps in the database when nodes were seen, many at a time. What cannot be written waits; the newest of each node counts. */
export class Sightings {
  #waiting = new Map<NodeId, Sighting>();
  #gathering: NodeJS.Timeout | undefined;
  readonly #timer: NodeJS.Timeout;
  #writing: Promise<void> = Promise.resolve();
  #failed = false;
  #closed = false;

  /** @param seen who is here now */
  constructor(
    private readonly store: Pick<Store, 'noteSightings'>,
    private readonly seen: () => Iterable<Sighting>,
    private readonly log: Log,
  ) {
    this.#timer = setInterval(() => {
      for (const sighting of this.seen()) this.note(sighting);
    }, INTERVAL).unref();
  }

  note(sighting: Sighting): void {
    // The version that was said a moment ago is not unsaid.
    this.#waiting.set(sighting.id, { ...this.#waiting.get(sighting.id), ...sighting });
    if (!this.#closed) this.#gathering ??= setTimeout(() => this.#write(), GATHER).unref();
  }

  /** Writes who is here, and what waits. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    for (const sighting of this.seen()) this.note(sighting);
    this.#closed = true;
    this.#write();
    await this.#writing;
  }

  #write(): void {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    this.#writing = this.#writing.then(() => this.#writeAll());
  }

  async #writeAll(): Promise<void> {
    const all = [...this.#waiting.values()];
    this.#waiting = new Map();
    for (let from = 0; from < all.length; from += MOST_AT_ONCE) {
      try {
        await this.store.noteSightings(all.slice(from, from + MOST_AT_ONCE));
        this.#failed = false;
      } catch (error) {
        if (error instanceof InvariantError) throw error;
        // Said once for each outage; with the next round it is tried again.
        if (!this.#failed) this.log.warn({ err: error }, 'cannot note when nodes were seen');
        this.#failed = true;
        for (const sighting of all.slice(from))
          this.#waiting.set(sighting.id, { ...sighting, ...this.#waiting.get(sighting.id) });
        return;
      }
    }
  }
}
