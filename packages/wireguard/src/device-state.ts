import {
  type Drop,
  equalBytes,
  type Instant,
  type PublicKey,
  type SecretKey,
  type UnixMillis,
  unixMillis,
} from '@warren/base';
import { BoundedQueue } from './bounded-queue.js';
import { MAX_PENDING_EVENTS, MAX_PENDING_TRANSMITS } from './constants.js';
import { DeadlineQueue } from './deadline-queue.js';
import type { DeviceEvent, DeviceOptions, LocalKeys, PathId, Transmit } from './device-api.js';
import { DROPS } from './drops.js';
import { erasePending } from './handshake/noise.js';
import { LoadMeter, RateLimiter } from './handshake/rate-limiter.js';
import type { Peer } from './peer.js';
import { LocalStatic, type LocalStatics, type RemoteStatic } from './static-keys.js';
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
export class DeviceState implements LocalStatics {
  /** By the key that each is known by. */
  readonly peers = new Map<PublicKey, Peer>();
  /** Every key that initiations are accepted from. */
  readonly remotes = new Map<PublicKey, RemoteStatic<Peer>>();
  readonly indices: IndexTable<IndexEntry>;
  readonly allowedIps = new AllowedIps<Peer>();
  readonly deadlines = new DeadlineQueue<Peer>();
  readonly transmits = new BoundedQueue<Transmit>(MAX_PENDING_TRANSMITS);
  readonly events = new BoundedQueue<DeviceEvent>(MAX_PENDING_EVENTS);
  readonly drops = new Map<string, number>();
  readonly load: LoadMeter;
  readonly limiter = new RateLimiter();
  /** Our own key. */
  local: LocalStatic;
  locals: readonly LocalStatic[];
  initiators: readonly LocalStatic[];
  closed = false;
  #latestWallClock = 0;

  constructor(readonly options: DeviceOptions) {
    this.load = new LoadMeter(options.handshakesPerSecond);
    this.indices = new IndexTable(options.random);
    this.local = this.#localStatic(options.privateKey);
    this.locals = [this.local];
    this.initiators = this.locals;
  }

  /** Those that stay are the same as before. @returns those that are not ours any more, for the caller to erase. */
  setLocals({ privateKey, other, initiateWithOther }: LocalKeys): LocalStatic[] {
    const former = this.locals;
    const find = (key: SecretKey): LocalStatic =>
      former.find((local) => equalBytes(local.privateKey, key.expose())) ?? this.#localStatic(key);
    this.local = find(privateKey);
    const also = other && !equalBytes(other.expose(), privateKey.expose()) ? find(other) : undefined;
    this.locals = also ? [this.local, also] : [this.local];
    this.initiators = also && initiateWithOther ? [also, this.local] : [this.local];
    return former.filter((local) => !this.locals.includes(local));
  }

  /** The key of ours that a handshake message is for, if its mac1 is right. WireGuard paper §5.3. */
  addressee(datagram: Uint8Array): LocalStatic | undefined {
    return this.locals.find((local) => local.cookies.checkMac1(datagram));
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

  #localStatic(privateKey: SecretKey): LocalStatic {
    const { crypto, random } = this.options;
    return new LocalStatic(crypto, random, privateKey);
  }
}

/** Whether at least `interval` has passed since `last`, which may be minus infinity. */
export const hasPassed = (last: number, interval: number, now: Instant): boolean => now - last >= interval;
