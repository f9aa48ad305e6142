import { type NetworkId, networkId } from '@warren/base';
import type postgres from 'postgres';
import { CHANGE_CHANNEL } from './network-change.js';

type Listener = (id: NetworkId) => void;

/**
 * Tells listeners which network changed: at once by LISTEN, and by looking now and then, so that a lost notification
 * or a database that was away costs a poll interval and never a change. Listening starts with the first listener.
 */
export class ChangeFeed {
  readonly #listeners = new Set<Listener>();
  #started: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopListening: (() => Promise<void>) | undefined;
  /** (epoch, revision) of every network when it was last looked at. */
  #seen = new Map<NetworkId, string>();

  constructor(
    readonly sql: postgres.Sql,
    readonly pollInterval: number,
  ) {}

  async add(listener: Listener): Promise<{ close(): Promise<void> }> {
    const entry: Listener = (id) => listener(id); // the same function may listen twice
    this.#listeners.add(entry);
    this.#started ??= this.#start();
    try {
      await this.#started;
    } catch (error) {
      this.#started = undefined;
      this.#listeners.delete(entry);
      throw error;
    }
    return {
      close: async () => {
        this.#listeners.delete(entry);
      },
    };
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#listeners.clear();
    await this.#stopListening?.();
  }

  async #start(): Promise<void> {
    this.#seen = await this.#look();
    // `postgres` listens again by itself after a lost connection, and then calls the third argument.
    const onlisten = () => void this.#poll();
    const { unlisten } = await this.sql.listen(CHANGE_CHANNEL, (id) => this.#tell(networkId(id)), onlisten);
    this.#stopListening = unlisten;
    this.#timer = setInterval(() => void this.#poll(), this.pollInterval);
    this.#timer.unref();
  }

  async #poll(): Promise<void> {
    let now: Map<NetworkId, string>;
    try {
      now = await this.#look();
    } catch {
      return; // the database is away; whoever uses it hears so, and the next look is a poll interval away
    }
    const before = this.#seen;
    this.#seen = now;
    for (const [id, position] of now) if (before.get(id) !== position) this.#tell(id);
    for (const id of before.keys()) if (!now.has(id)) this.#tell(id);
  }

  async #look(): Promise<Map<NetworkId, string>> {
    const rows = await this.sql<{ id: string; position: string }[]>`
      SELECT id, epoch || ' ' || revision AS position FROM network`;
    return new Map(rows.map(({ id, position }) => [networkId(id), position]));
  }

  #tell(id: NetworkId): void {
    for (const listener of [...this.#listeners]) listener(id);
  }
}
