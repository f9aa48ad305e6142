import type { Instant, PublicKey, UnixMillis } from '@warren/base';
import type { CryptoProvider } from '@warren/crypto';
import { BoundedQueue } from './bounded-queue.js';
import { MAX_STAGED_PACKETS } from './constants.js';
import type { Scheduled } from './deadline-queue.js';
import type { PathId } from './device-api.js';
import type { PendingInitiation } from './handshake/noise.js';
import { TIMESTAMP_LENGTH, TimestampSource } from './handshake/tai64n.js';
import { type LocalStatic, type LocalStatics, type RemoteStatic, StaticPair } from './static-keys.js';
import { earliestDeadline, makeTimers } from './timers.js';
import { type Keypair, KeypairSlots } from './transport/keypair.js';

/** Our initiation, and the static keys that it was made with. */
export interface PairedInitiation extends PendingInitiation {
  readonly pair: StaticPair<Peer>;
  readonly sentAt: Instant;
}

/** All that the device knows of one peer. Only the device's own functions change it. */
export class Peer implements Scheduled {
  presharedKey: Uint8Array = new Uint8Array(32);
  path: PathId | undefined;
  /** Whether the path follows authenticated packets. */
  roams = true;
  /** The path that `heard-elsewhere` told last. */
  heardElsewhere: PathId | undefined;
  /** Milliseconds; 0: off. */
  persistentKeepalive = 0;

  readonly keypairs: KeypairSlots;
  /** Our initiation that waits for its response. Independent of initiations that we answer meanwhile. */
  pending: PairedInitiation | undefined;
  /** Labels of our initiations: for each peer, so that initiating to many does not run ahead of the clock. */
  readonly timestamps = new TimestampSource();
  /** Greatest TAI64N label consumed, under whichever static keys. */
  lastTimestamp: Uint8Array = new Uint8Array(TIMESTAMP_LENGTH);
  lastInitiationConsumed = Number.NEGATIVE_INFINITY;
  /** When we last sent an initiation or response. */
  lastSentHandshake = Number.NEGATIVE_INFINITY;
  lastHandshake: UnixMillis | undefined;
  /** What the last handshake took there and back, milliseconds. */
  handshakeRtt: number | undefined;

  readonly timers = makeTimers();
  /** When the handshake that is under way was first asked for. */
  attemptingSince = Number.NEGATIVE_INFINITY;
  /** Initiations of that handshake that were sent. */
  attempts = 0;
  needAnotherKeepalive = false;
  sentLastMinuteHandshake = false;
  /** Packets that wait for a session, oldest first. */
  readonly staged = new BoundedQueue<Uint8Array>(MAX_STAGED_PACKETS);

  rxBytes = 0;
  txBytes = 0;
  heapPosition = -1;
  heapDeadline = Number.POSITIVE_INFINITY;
  /** Its static keys: the one that it is known by, and the one before it while that is accepted. */
  remotes: readonly RemoteStatic<Peer>[] = [];
  /** Which of ours the peer's last initiation was for; undefined: none that is left. */
  #addressed: LocalStatic | undefined;
  /** Every way to pair our static keys with its. */
  #pairs: readonly StaticPair<Peer>[] = [];
  /** Those by which we begin, in order of preference. */
  #ways: readonly StaticPair<Peer>[] = [];

  constructor(
    /** Changes when the peer changes its static key. */
    public publicKey: PublicKey,
    private readonly crypto: CryptoProvider,
    release: (keypair: Keypair) => void,
  ) {
    this.keypairs = new KeypairSlots(release);
  }

  /**
   * What an initiation is made with. While there are several ways, an attempt that was not answered is followed by one in
   * another way: of an end that follows a file nobody knows which key it holds.
   */
  pairFor(attempt: number): StaticPair<Peer> {
    return this.#ways[attempt % this.#ways.length]!;
  }

  /** The pair of what an initiation was sent to and came from. */
  pairOf(local: LocalStatic, remote: RemoteStatic<Peer>): StaticPair<Peer> {
    return this.#pairs.find((pair) => pair.local === local && pair.remote === remote)!;
  }

  /** The peer made an initiation for this key of ours: it knows it. */
  noteAddressed(local: LocalStatic, ours: LocalStatics): void {
    if (ours.locals.length === 1 || this.#addressed === local) return;
    this.#addressed = local;
    this.pair(ours);
  }

  /** To be called when ours or the peer's static keys are others. */
  pair({ locals, initiators }: LocalStatics): void {
    if (this.#addressed && !locals.includes(this.#addressed)) this.#addressed = undefined;
    const former = this.#pairs;
    const pairOf = (local: LocalStatic, remote: RemoteStatic<Peer>): StaticPair<Peer> =>
      former.find((pair) => pair.local === local && pair.remote === remote) ??
      new StaticPair<Peer>(local, remote, this.crypto);
    this.#pairs = this.remotes.flatMap((remote) => locals.map((local) => pairOf(local, remote)));
    for (const pair of former) if (!this.#pairs.includes(pair)) pair.erase();
    const first = initiators.find((local) => local === this.#addressed);
    const ordered = first ? [first, ...initiators.filter((local) => local !== first)] : initiators;
    this.#ways = this.remotes.flatMap((remote) => ordered.map((local) => this.pairOf(local, remote)));
  }

  /** Whether the pending initiation was made with keys that are not used any more. */
  hasStalePending(): boolean {
    return this.pending !== undefined && !this.#pairs.includes(this.pending.pair);
  }

  nextDeadline(): number {
    return earliestDeadline(this.timers);
  }

  /** Overwrites what is secret and not in the keypairs. */
  erase(): void {
    this.presharedKey.fill(0);
    for (const pair of this.#pairs) pair.erase();
    for (const remote of this.remotes) remote.cookies.erase();
  }
}
