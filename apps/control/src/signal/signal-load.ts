import type { SignalLoad } from '@warren/db';
import type { SignalStats } from '@warren/signal';

/** Shorter than this the bytes of a moment are no rate, milliseconds. */
const SHORTEST_SPAN = 1_000;

/** What a signal server has to do; its rate is that between two readings. */
export class SignalLoadMeter {
  #bytes = 0;
  #at: number | undefined;
  #rate = 0;

  /** @param now monotonic milliseconds */
  constructor(
    private readonly server: { stats(): Promise<SignalStats> },
    private readonly now: () => number,
  ) {}

  async read(): Promise<SignalLoad> {
    const { sessions, relayedBytes } = await this.server.stats();
    const now = this.now();
    const span = this.#at === undefined ? 0 : now - this.#at;
    if (this.#at === undefined || span >= SHORTEST_SPAN) {
      // A server that was started again counts from zero.
      const bytes = relayedBytes >= this.#bytes ? relayedBytes - this.#bytes : relayedBytes;
      this.#rate = span > 0 ? Math.round((bytes * 1_000) / span) : 0;
      this.#bytes = relayedBytes;
      this.#at = now;
    }
    return { clients: sessions, relayedBytes, relayedRate: this.#rate };
  }
}
