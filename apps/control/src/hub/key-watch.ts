import { InvariantError } from '@warren/base';
import type { DueKey, Store } from '@warren/db';
import type { Log } from '../log.js';
import { ACTOR, unlessGone } from './presence-watch.js';

/** Milliseconds between two looks. */
export const KEY_INTERVAL = 5_000;

export interface KeyWatchOptions {
  readonly store: Pick<Store, 'dueKeys' | 'expireNode' | 'warnOfExpiry'>;
  readonly log: Log;
  readonly interval?: number;
}

/**
 * Warns of keys that are about to expire, and turns nodes whose key has run out `expired`. Every replica runs one; the
 * store decides by the database's clock, and lets one of them.
 */
export class KeyWatch {
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(private readonly options: KeyWatchOptions) {}

  /** Looks at intervals until `close`. */
  start(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#running = this.look().then(() => this.start());
    }, this.options.interval ?? KEY_INTERVAL).unref();
  }

  /** Stops; a look that is under way ends first. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  /** One look. Rejects only for a bug of ours. */
  async look(): Promise<void> {
    const { store, log } = this.options;
    try {
      for (const key of await store.dueKeys()) await this.#act(key);
    } catch (error) {
      if (error instanceof InvariantError) throw error;
      log.warn({ err: error }, 'cannot look which keys expire');
    }
  }

  async #act({ id, networkId, name, due, keyExpiresAt }: DueKey): Promise<void> {
    const { store, log } = this.options;
    const about = { node: id, network: networkId, name, keyExpiresAt };
    if (due === 'expiry') {
      if (await unlessGone(store.expireNode(id, ACTOR))) log.warn(about, 'the key of a node has expired: it is out');
    } else if (await store.warnOfExpiry(id, ACTOR)) {
      log.warn(about, 'the key of a node expires soon');
    }
  }
}
