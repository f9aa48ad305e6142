import {
  type Drop,
  type Instant,
  type IpAddress,
  instant,
  invariant,
  ipToBytes,
  isDrop,
  type PublicKey,
  publicKeyFromBytes,
  type SecretKey,
} from '@warren/base';
import type { MemoryAead } from '@warren/crypto';
import { configurePeer, dropRemote, isOwnKey, peerFor, startPersistentKeepalive } from './configure.js';
import type {
  Deadline,
  Device,
  DeviceEvent,
  DeviceOptions,
  LocalKeys,
  Opened,
  PathId,
  PeerConfig,
  PeerStats,
  Sealed,
  SealingRun,
  Transmit,
} from './device-api.js';
import { DeviceState } from './device-state.js';
import { DROPS } from './drops.js';
import { handleTimeout } from './expire.js';
import { PacketRun } from './packet-run.js';
import type { Peer } from './peer.js';
import { openDatagram, openInMemory } from './receive.js';
import { initiate, initiateAnew, sealPacket, tryAgain } from './send.js';
import { TIMER_NAMES, TIMERS } from './timers.js';

/**
 * A WireGuard interface without peers. Copies the private key, and erases its copy when closed.
 * Source: WireGuard paper (2020-06-01); where that is silent, Linux and wireguard-go.
 */
export function createDevice(options: DeviceOptions): Device {
  return deviceOf(new DeviceState(options));
}

/** The machine around given state: tests look into the state that they gave. */
export function deviceOf(state: DeviceState): Device {
  return new WireGuardDevice(state);
}

class WireGuardDevice implements Device {
  readonly #state: DeviceState;
  #publicKey: PublicKey;
  readonly #sealed: Sealed = { length: 0, path: 0 as PathId };
  readonly #opened: Opened = { length: 0, peer: '' as PublicKey };
  #deadline: Deadline | undefined;
  readonly #aead: MemoryAead | undefined;
  readonly #run: PacketRun | undefined;

  constructor(state: DeviceState) {
    this.#state = state;
    this.#aead = state.options.memoryAead;
    this.#run = this.#aead && new PacketRun(state, this.#aead);
    this.#publicKey = publicKeyFromBytes(this.#state.local.publicKey);
  }

  get publicKey(): PublicKey {
    return this.#publicKey;
  }

  sealPacket(packet: Uint8Array, out: Uint8Array, now: Instant): Sealed | Drop {
    const result = this.#state.closed ? DROPS.closed : sealPacket(this.#state, packet, out, this.#sealed, now);
    return isDrop(result) ? this.#state.count(result) : result;
  }

  openDatagram(datagram: Uint8Array, from: PathId, out: Uint8Array, now: Instant): Opened | Drop {
    const state = this.#state;
    const result = state.closed ? DROPS.closed : openDatagram(state, datagram, from, out, this.#opened, now);
    return isDrop(result) ? state.count(result) : result;
  }

  beginRun(offset: number, length: number, now: Instant): SealingRun | Drop {
    invariant(this.#run, 'beginRun needs DeviceOptions.memoryAead');
    const fault = this.#state.closed ? DROPS.closed : this.#run.begin(offset, length, now);
    return fault ? this.#state.count(fault) : this.#run;
  }

  openInMemory(offset: number, length: number, from: PathId, now: Instant): Opened | Drop {
    const state = this.#state;
    invariant(this.#aead, 'openInMemory needs DeviceOptions.memoryAead');
    const result = state.closed
      ? DROPS.closed
      : openInMemory(state, this.#aead, offset, length, from, this.#opened, now);
    return isDrop(result) ? state.count(result) : result;
  }

  handleTimeout(now: Instant): void {
    handleTimeout(this.#state, now);
  }

  pollTransmit(): Transmit | undefined {
    return this.#state.transmits.shift();
  }

  pollEvent(): DeviceEvent | undefined {
    return this.#state.events.shift();
  }

  pollTimeout(): Deadline | undefined {
    const peer = this.#state.deadlines.earliest();
    if (!peer) return undefined;
    const name = TIMER_NAMES.find((timer) => peer.timers[timer] === peer.heapDeadline)!;
    const why = TIMERS[name];
    if (this.#deadline?.at !== peer.heapDeadline || this.#deadline.why !== why) {
      this.#deadline = Object.freeze({ at: instant(peer.heapDeadline), why });
    }
    return this.#deadline;
  }

  setPeer(config: PeerConfig, now: Instant): void {
    const state = this.#state;
    // A peer that is ourselves would handshake with itself; WireGuard ignores it, and so does `wg`.
    if (state.closed || isOwnKey(state, config.publicKey)) return;
    configurePeer(state, peerFor(state, config), config, now);
  }

  setPath(publicKey: PublicKey, path: PathId, now: Instant): void {
    const peer = this.#state.peers.get(publicKey);
    if (!peer || peer.path === path) return;
    peer.path = path;
    peer.heardElsewhere = undefined;
    tryAgain(this.#state, peer, now);
  }

  tryAgain(publicKey: PublicKey, now: Instant): void {
    const peer = this.#state.peers.get(publicKey);
    if (peer) tryAgain(this.#state, peer, now);
  }

  removePeer(publicKey: PublicKey): void {
    const peer = this.#state.peers.get(publicKey);
    if (peer) this.#remove(peer);
  }

  setPrivateKey(privateKey: SecretKey, now: Instant): void {
    const state = this.#state;
    if (state.closed) return;
    this.#setLocals({ privateKey });
    for (const peer of state.peers.values()) {
      state.endSessions(peer);
      startPersistentKeepalive(state, peer, now);
    }
  }

  setLocalKeys(keys: LocalKeys, now: Instant): void {
    const state = this.#state;
    if (state.closed) return;
    this.#setLocals(keys);
    for (const peer of state.peers.values()) if (peer.hasStalePending()) initiateAnew(state, peer, now);
  }

  #setLocals(keys: LocalKeys): void {
    const state = this.#state;
    const retired = state.setLocals(keys);
    this.#publicKey = publicKeyFromBytes(state.local.publicKey);
    for (const local of state.locals) this.removePeer(publicKeyFromBytes(local.publicKey));
    for (const peer of state.peers.values()) peer.pair(state);
    for (const local of retired) local.erase();
  }

  initiateHandshake(publicKey: PublicKey, now: Instant): void {
    const peer = this.#state.peers.get(publicKey);
    if (peer) initiate(this.#state, peer, now);
  }

  setUnderLoad(underLoad: boolean): void {
    this.#state.load.forced = underLoad;
  }

  *peers(): Iterable<PeerStats> {
    for (const { publicKey, path, lastHandshake, handshakeRtt, rxBytes, txBytes } of this.#state.peers.values()) {
      yield { publicKey, path, lastHandshake, handshakeRtt, rxBytes, txBytes };
    }
  }

  pathOf(publicKey: PublicKey): PathId | undefined {
    return this.#state.peers.get(publicKey)?.path;
  }

  peerOf(address: IpAddress): PublicKey | undefined {
    const bytes = ipToBytes(address);
    return this.#state.allowedIps.lookup(bytes, 0, bytes.length === 4 ? 4 : 16)?.publicKey;
  }

  drops(): ReadonlyMap<string, number> {
    return this.#state.drops;
  }

  close(): void {
    const state = this.#state;
    for (const peer of [...state.peers.values()]) this.#remove(peer);
    state.transmits.clear();
    for (const local of state.locals) local.erase();
    state.closed = true;
  }

  #remove(peer: Peer): void {
    const state = this.#state;
    state.endSessions(peer);
    state.deadlines.remove(peer);
    state.allowedIps.removeOwner(peer);
    state.peers.delete(peer.publicKey);
    for (const remote of peer.remotes) dropRemote(state, remote);
    peer.erase();
  }
}
