import { type Instant, invariant } from '@warren/base';
import { REJECT_AFTER_MESSAGES, REJECT_AFTER_TIME } from '../constants.js';
import { ReplayWindow } from './replay-window.js';

/** The keys of one session, and the counters on both sides of it. WireGuard paper §5.4.5, §5.4.6. */
export class Keypair {
  readonly window = new ReplayWindow();
  #sendCounter = 0;

  constructor(
    readonly role: 'initiator' | 'responder',
    readonly localIndex: number,
    readonly remoteIndex: number,
    readonly sendKey: Uint8Array,
    readonly receiveKey: Uint8Array,
    readonly createdAt: Instant,
  ) {}

  /** Packets sealed so far, which is the next counter. */
  get sendCounter(): number {
    return this.#sendCounter;
  }

  /** The next counter, never again given out: a pair of key and counter seals at most once. */
  takeCounter(): number {
    invariant(this.#sendCounter < REJECT_AFTER_MESSAGES, 'a keypair past REJECT_AFTER_MESSAGES was about to seal');
    return this.#sendCounter++;
  }

  /** For tests of the message limits: as if that many packets had been sealed. Never backwards. */
  skipCounters(to: number): void {
    invariant(to >= this.#sendCounter, 'counters never go back');
    this.#sendCounter = to;
  }

  isExpired(now: Instant): boolean {
    return now - this.createdAt >= REJECT_AFTER_TIME;
  }

  /** Whether it may seal one more packet. */
  canSeal(now: Instant): boolean {
    return !this.isExpired(now) && this.#sendCounter < REJECT_AFTER_MESSAGES;
  }

  erase(): void {
    this.sendKey.fill(0);
    this.receiveKey.fill(0);
  }
}

/**
 * The up to three sessions of a peer: `previous` opens what is still under way, `current` seals, `next` was answered
 * by us and waits until the initiator shows that it has it. `release` is called for each keypair that falls out, and
 * has to erase it. WireGuard paper §6.3 and §5.4.5; rotation as in Linux and wireguard-go.
 */
export class KeypairSlots {
  previous: Keypair | undefined;
  current: Keypair | undefined;
  next: Keypair | undefined;

  constructor(private readonly release: (keypair: Keypair) => void) {}

  /** The initiator may use its new session at once: the response has shown that the responder has it. */
  addInitiated(keypair: Keypair): void {
    const kept = this.next ?? this.current;
    // With a `next` that was never confirmed, both sides initiated at once: the other may be sealing with that one.
    if (this.next) this.#drop(this.current);
    this.#drop(this.previous);
    this.previous = kept;
    this.next = undefined;
    this.current = keypair;
  }

  /** The responder must wait for a packet under the new session. */
  addResponded(keypair: Keypair): void {
    this.#drop(this.next);
    this.#drop(this.previous);
    this.previous = undefined;
    this.next = keypair;
  }

  /** A packet was authenticated under `keypair`. @returns true if that confirmed `next`, which is now `current`. */
  confirm(keypair: Keypair): boolean {
    if (keypair !== this.next) return false;
    this.#drop(this.previous);
    this.previous = this.current;
    this.current = keypair;
    this.next = undefined;
    return true;
  }

  clear(): void {
    this.#drop(this.previous);
    this.#drop(this.current);
    this.#drop(this.next);
    this.previous = undefined;
    this.current = undefined;
    this.next = undefined;
  }

  #drop(keypair: Keypair | undefined): void {
    if (keypair) this.release(keypair);
  }
}
