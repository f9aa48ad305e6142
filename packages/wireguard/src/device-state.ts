import { type Drop, type Instant, type PublicKey, SecretKey, type UnixMillis, unixMillis } from '@warren/base';
import { BoundedQueue } from './bounded-queue.js';
import { MAX_PENDING_EVENTS, MAX_PENDING_TRANSMITS } from './constants.js';
import { DeadlineQueue } from './deadline-queue.js';
import type { DeviceEvent, DeviceOptions, PathId, Transmit } from './device-api.js';
import { DROPS } from './drops.js';
import { CookieChecker } from './handshake/cookie.js';
import { erasePending, type StaticKeys } from './handshake/noise.js';
import { LoadMeter, RateLimiter } from './handshake/rate-limiter.js';
import type { Peer } from './peer.js';
import { stopAll } from './timers.js';
import { AllowedIps } from './transport/allowed-ips.js';
import { IndexTable } from './transport/index-table.js';
import type { Keypair } from './transport/keypair.js';

/** What a receiver index stands for: a peer's pending initiation, or one of its keypairs. */
export interface IndexEntry {
  readonly peer: Peer;
  readonly keypair: Keypair | undefined;
}

/** The tables of one device, which sending, receiving and timers share. */
export class DeviceState {
  readonly peers = new Map<PublicKey, Peer>();
  readonly indices: IndexTable<IndexEntry>;
  readonly allowedIps = new AllowedIps<Peer>();
  readonly deadlines = new DeadlineQueue<Peer>();
  readonly transmits = new BoundedQueue<Transmit>(MAX_PENDING_TRANSMITS);
  readonly events = new BoundedQueue<DeviceEvent>(MAX_PENDING_EVENTS);
  readonly drops = new Map<string, number>();
  readonly load: LoadMeter;
  readonly limiter = new RateLimiter();
  local: StaticKeys;
  cookies: CookieChecker;
  closed = false;
  #latestWallClock = 0;

  constructor(readonly options: DeviceOptions) {
    this.load = new LoadMeter(options.handshakesPerSecond);
    this.indices = new IndexTable(options.random);
    this.local = this.#staticKeys(options.privateKey);
    this.cookies = new CookieChecker(options.crypto, options.random, this.local.publicKey);
  }

  setPrivateKey(privateKey: SecretKey): void {
    this.local.privateKey.fill(0);
    this.cookies.erase();
    this.local = this.#staticKeys(privateKey);
    this.cookies = new CookieChecker(this.options.crypto, this.options.random, this.local.publicKey);
  }

  /** Never set back: responders refuse initiations that are older than what they have seen from us. */
  latestWallClock(): UnixMillis {
    this.#latestWallClock = Math.max(this.#latestWallClock, this.options.wallClock());
    return unixMillis(this.#latestWallClock);
  }

  /** Counts a drop and gives it back. */
  count<D extends Drop>(reason: D): D {
    this.drops.set(reason.reason, (this.drops.get(reason.reason) ?? 0) + 1);
    return reason;
  }

  emit(event: DeviceEvent): void {
    this.events.pushDisplacing(event);
  }

  transmit(peer: Peer | undefined, path: PathId, datagram: Uint8Array): void {
    if (!this.transmits.pushIfRoom({ peer: peer?.publicKey, path, datagram })) this.count(DROPS.transmitOverflow);
  }

  /** The peer's path follows an authenticated datagram, unless somebody else decides. */
  moveTo(peer: Peer, path: PathId): void {
    if (peer.path === path) return;
    if (!peer.roams) {
      if (peer.heardElsewhere === path) return;
      peer.heardElsewhere = path;
      this.emit({ type: 'heard-elsewhere', peer: peer.publicKey, path });
      return;
    }
    peer.path = path;
    this.emit({ type: 'path-changed', peer: peer.publicKey, path });
  }

  /** Erases and forgets a keypair; given to each peer's slots. */
  readonly releaseKeypair = (keypair: Keypair): void => {
    this.indices.release(keypair.localIndex);
    keypair.erase();
    this.options.memoryAead?.forget();
  };

  forgetPending(peer: Peer): void {
    if (!peer.pending) return;
    this.indices.release(peer.pending.localIndex);
    erasePending(peer.pending);
    peer.pending = undefined;
  }

  flushStaged(peer: Peer): void {
    while (peer.staged.shift()) this.count(DROPS.handshakeGaveUp);
  }

  /** Erases all keys of the peer's sessions and handshakes; what is staged goes on waiting. */
  eraseKeys(peer: Peer): void {
    peer.keypairs.clear();
    this.forgetPending(peer);
  }

  /** The peer is as if nothing had ever been exchanged. */
  endSessions(peer: Peer): void {
    this.eraseKeys(peer);
    this.flushStaged(peer);
    stopAll(peer);
    peer.lastSentHandshake = Number.NEGATIVE_INFINITY;
    peer.needAnotherKeepalive = false;
    peer.sentLastMinuteHandshake = false;
  }

  #staticKeys(privateKey: SecretKey): StaticKeys {
    // A copy: closing the device erases ours, the caller's stays.
    const own = new SecretKey(privateKey.expose()).expose();
    return { privateKey: own, publicKey: this.options.crypto.publicKey(own) };
  }
}

/** Whether at least `interval` has passed since `last`, which may be minus infinity. */
export const hasPassed = (last: number, interval: number, now: Instant): boolean => now - last >= interval;
