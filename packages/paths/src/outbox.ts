import type { PathManagerEvent, PathTransmit, Way } from './path-manager-api.js';

/** What waits to be sent; what would be one too many is left out, as a network does. */
const MAX_TRANSMITS = 16_384;

/** What the manager wants done, in order, until the shell polls it. */
export class Outbox {
  readonly #transmits: PathTransmit[] = [];
  readonly #events: PathManagerEvent[] = [];

  transmit(way: Way, datagram: Uint8Array): void {
    if (this.#transmits.length < MAX_TRANSMITS) this.#transmits.push({ way, datagram });
  }

  event(event: PathManagerEvent): void {
    this.#events.push(event);
  }

  pollTransmit(): PathTransmit | undefined {
    return this.#transmits.shift();
  }

  pollEvent(): PathManagerEvent | undefined {
    return this.#events.shift();
  }
}
