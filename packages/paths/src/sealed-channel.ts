import type { Instant } from '@warren/base';
import { BOX_NONCE_LENGTH, precomputeBoxKey } from '@warren/crypto/boxes';
import { CounterWindow } from './counter-window.js';
import type { PathManagerOptions, PathPeer } from './path-manager-api.js';
import { openMessage, type SealedMessage, sealMessage } from './sealed-message.js';
import { TokenBucket } from './token-bucket.js';

/** Boxes in the name of one peer that are opened in a second, and at once: port prediction sends 250 a second. */
const OPENED_PER_SECOND = 300;
/** The counter starts at wall time in milliseconds times this, so that a restart goes on above what was used. */
const COUNTERS_PER_MS = 1024;

/** Seals to one peer, and opens what comes from it: each message once, and only so many a second. */
export class SealedChannel {
  #key: Uint8Array | undefined;
  #keyKnown = false;
  #counter: number;
  #window = new CounterWindow();
  /** Anybody may write the peer's name on a datagram, but no server delivers it for another: the one must not use up the other's. */
  readonly #direct = new TokenBucket(OPENED_PER_SECOND, OPENED_PER_SECOND);
  readonly #relayed = new TokenBucket(OPENED_PER_SECOND, OPENED_PER_SECOND);

  constructor(
    private readonly peer: PathPeer,
    private readonly options: PathManagerOptions,
  ) {
    this.#counter = Math.max(0, Math.floor(options.wallClock())) * COUNTERS_PER_MS;
  }

  /** @returns undefined when the peer's key is none that a secret can be made with. */
  seal(message: SealedMessage): Uint8Array | undefined {
    const key = this.#sharedKey();
    const nonce = this.options.random(BOX_NONCE_LENGTH);
    return key && sealMessage(key, nonce, this.options.relayId, ++this.#counter, message);
  }

  open(datagram: Uint8Array, by: 'direct' | 'relayed', now: Instant): SealedMessage | undefined {
    if (!(by === 'direct' ? this.#direct : this.#relayed).take(now)) return undefined;
    const key = this.#sharedKey();
    const opened = key && openMessage(key, datagram);
    if (!opened || !this.#window.accepts(opened.counter)) return undefined;
    this.#window.take(opened.counter);
    return opened.message;
  }

  /** Overwrites the key. */
  erase(): void {
    this.#key?.fill(0);
    this.#key = undefined;
  }

  /** Computed when the first message is sealed or opened: most peers never talk. */
  #sharedKey(): Uint8Array | undefined {
    if (!this.#keyKnown) {
      this.#key = precomputeBoxKey(this.peer.pathKey, this.options.pathKey.expose());
      this.#keyKnown = true;
    }
    return this.#key;
  }
}
