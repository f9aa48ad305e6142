import { type PublicKey, publicKeyBytes, type UnixMillis } from '@warren/base';
import type { CryptoProvider } from '@warren/crypto';
import { BoundedQueue } from './bounded-queue.js';
import { MAX_STAGED_PACKETS } from './constants.js';
import type { Scheduled } from './deadline-queue.js';
import type { PathId } from './device-api.js';
import { CookieGenerator } from './handshake/cookie.js';
import type { PendingInitiation, RemoteKeys, StaticKeys } from './handshake/noise.js';
import { TIMESTAMP_LENGTH, TimestampSource } from './handshake/tai64n.js';
import { earliestDeadline, makeTimers } from './timers.js';
import { type Keypair, KeypairSlots } from './transport/keypair.js';

/** All that the device knows of one peer. Only the device's own functions change it. */
export class Peer implements RemoteKeys, Scheduled {
  readonly staticKey: Uint8Array;
  presharedKey: Uint8Array = new Uint8Array(32);
  path: PathId | undefined;
  /** Whether the path follows authenticated packets. */
  roams = true;
  /** The path that `heard-elsewhere` told last. */
  heardElsewhere: PathId | undefined;
  /** Milliseconds; 0: off. */
  persistentKeepalive = 0;

  readonly cookies: CookieGenerator;
  readonly keypairs: KeypairSlots;
  /** Our initiation that waits for its response. Independent of initiations that we answer meanwhile. */
  pending: PendingInitiation | undefined;
  /** Labels of our initiations: for each peer, so that initiating to many does not run ahead of the clock. */
  readonly timestamps = new TimestampSource();
  /** Greatest TAI64N label consumed. */
  lastTimestamp: Uint8Array = new Uint8Array(TIMESTAMP_LENGTH);
  lastInitiationConsumed = Number.NEGATIVE_INFINITY;
  /** When we last sent an initiation or response. */
  lastSentHandshake = Number.NEGATIVE_INFINITY;
  lastHandshake: UnixMillis | undefined;

  readonly timers = makeTimers();
  /** When the handshake that is under way was first asked for. */
  attemptingSince = Number.NEGATIVE_INFINITY;
  needAnotherKeepalive = false;
  sentLastMinuteHandshake = false;
  /** Packets that wait for a session, oldest first. */
  readonly staged = new BoundedQueue<Uint8Array>(MAX_STAGED_PACKETS);

  rxBytes = 0;
  txBytes = 0;
  heapPosition = -1;
  heapDeadline = Number.POSITIVE_INFINITY;
  #staticStatic: Uint8Array | undefined;

  constructor(
    readonly publicKey: PublicKey,
    private readonly crypto: CryptoProvider,
    private local: StaticKeys,
    release: (keypair: Keypair) => void,
  ) {
    this.staticKey = publicKeyBytes(publicKey);
    this.cookies = new CookieGenerator(crypto, this.staticKey);
    this.keypairs = new KeypairSlots(release);
  }

  /** Computed at the first handshake: a device with ten thousand peers should not take ten seconds to configure. */
  staticStatic(): Uint8Array {
    this.#staticStatic ??= this.crypto.dh(this.local.privateKey, this.staticKey);
    return this.#staticStatic;
  }

  /** After the device's own key changed. */
  setLocal(local: StaticKeys): void {
    this.local = local;
    this.#staticStatic?.fill(0);
    this.#staticStatic = undefined;
  }

  nextDeadline(): number {
    return earliestDeadline(this.timers);
  }

  /** Overwrites what is secret and not in the keypairs. */
  erase(): void {
    this.presharedKey.fill(0);
    this.#staticStatic?.fill(0);
    this.#staticStatic = undefined;
    this.cookies.erase();
  }
}
