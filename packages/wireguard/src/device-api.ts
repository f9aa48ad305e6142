import type { Brand, Drop, Instant, IpAddress, Prefix, PublicKey, SecretKey, UnixMillis } from '@warren/base';
import type { CryptoProvider, MemoryAead } from '@warren/crypto';

/**
 * Where sealed datagrams of a peer go: a UDP address and socket, or later a relay. The shell makes these ids and
 * knows what they mean; the machine only compares them.
 */
export type PathId = Brand<number, 'PathId'>;

export interface DeviceOptions {
  readonly crypto: CryptoProvider;
  readonly privateKey: SecretKey;
  /** Fresh random bytes, a new array of that length each time. */
  readonly random: (length: number) => Uint8Array;
  /** Wall time, for TAI64N only. */
  readonly wallClock: () => UnixMillis;
  /** Bytes that stand for a path's source address in cookies: address, then port, so that the MAC covers both. */
  readonly pathBytes: (path: PathId) => Uint8Array;
  /** Inner MTU: padding stops there. */
  readonly mtu: number;
  /** Handshake messages with a valid mac1 a second beyond which the device is under load. Absent: `MAX_HANDSHAKES_PER_SECOND`. */
  readonly handshakesPerSecond?: number;
  /** Seals and opens what lies in one fixed memory: `beginRun` and `openInMemory` need it, nothing else does. */
  readonly memoryAead?: MemoryAead;
}

/** The static keys of a device. */
export interface LocalKeys {
  /** The one that it is known by. */
  readonly privateKey: SecretKey;
  /** Initiations to this one are answered, too: the next key, or the one before. */
  readonly other?: SecretKey;
  /**
   * Begin handshakes with `other`, which all peers know, unless one has shown that it knows the first; if there is no answer, with
   * the one and the other in turn. Otherwise the first alone is begun with.
   */
  readonly initiateWithOther?: boolean;
}

export interface PeerConfig {
  readonly publicKey: PublicKey;
  /** The key that the peer had before, and that is accepted from it, too. */
  readonly previousKey?: PublicKey;
  /**
   * The key by which the device knows the peer, if that is another one: it is the same peer, with its path and what waits for
   * it. Its sessions live on if that key is `previousKey`; else they end at once, and another one begins.
   */
  readonly formerKey?: PublicKey;
  /** Absent: all zeros, as the paper has it. */
  readonly presharedKey?: SecretKey;
  readonly allowedIps: readonly Prefix[];
  /** Where to send until an authenticated packet says otherwise. Absent: keep what is known. */
  readonly path?: PathId;
  /**
   * Absent or true: the path follows authenticated packets, as in the paper (§2.1). False: it is moved by `setPath` alone, packets
   * wait while there is none, and events tell what the one who decides has to know.
   */
  readonly roams?: boolean;
  /** Seconds, 1 to 65535; absent or 0: off. */
  readonly persistentKeepalive?: number;
}

export interface Transmit {
  readonly peer: PublicKey | undefined;
  readonly path: PathId;
  readonly datagram: Uint8Array;
}

export type DeviceEvent =
  | {
      readonly type: 'handshake-completed';
      readonly peer: PublicKey;
      readonly role: 'initiator' | 'responder';
      readonly at: UnixMillis;
    }
  | { readonly type: 'handshake-gave-up'; readonly peer: PublicKey }
  /** An authenticated packet came over another path than the peer's current one, which has now moved. */
  | { readonly type: 'path-changed'; readonly peer: PublicKey; readonly path: PathId }
  /**
   * An authenticated packet of a peer that does not roam came over another path than its own; told again only when it is yet
   * another one, or its own path was changed meanwhile.
   */
  | { readonly type: 'heard-elsewhere'; readonly peer: PublicKey; readonly path: PathId }
  /** Something waits for a peer that has no path and does not roam; told again each REKEY_TIMEOUT. */
  | { readonly type: 'path-wanted'; readonly peer: PublicKey };

export interface PeerStats {
  readonly publicKey: PublicKey;
  readonly path: PathId | undefined;
  /** Wall time of the last completed handshake. */
  readonly lastHandshake: UnixMillis | undefined;
  /** What a handshake took there and back, milliseconds: of the last one whose answer came at once. */
  readonly handshakeRtt: number | undefined;
  readonly rxBytes: number;
  readonly txBytes: number;
}

export interface Deadline {
  readonly at: Instant;
  /** The timer's name in the paper, e.g. `REKEY_TIMEOUT`. */
  readonly why: string;
}

/** What `sealPacket` found: a datagram is in `out`, or the packet waits for a handshake. */
export interface Sealed {
  /** Bytes written to `out`; 0: the packet was queued until the handshake is done. */
  length: number;
  path: PathId;
}

/** What `openDatagram` found. One object per device, overwritten by the next call. */
export interface Opened {
  /** Bytes of inner IP packet in `out`; 0: the datagram was consumed (handshake, cookie, keepalive). */
  length: number;
  peer: PublicKey;
}

/**
 * Packets to one peer, sealed one after the other in the memory of `DeviceOptions.memoryAead`: what is the same for all of them is
 * looked up and noted once. One object per device: from `beginRun` to `end` call nothing else of the device.
 */
export interface SealingRun {
  readonly path: PathId;
  /**
   * Seals the IP packet of `length` bytes at `offset` as a transport datagram to `out`, which has room for `length + 15 + 32`
   * bytes and overlaps neither the packet nor the 15 bytes behind it (those are changed and put back).
   * @returns the datagram's length; 0: the packet was copied and waits for a session.
   */
  seal(offset: number, length: number, out: number): number;
  /** After the last packet: counters, timers, renewal of the session. */
  end(): void;
}

/**
 * One WireGuard interface as a machine: no clock, randomness or I/O inside. After each call to a `handle…`, `seal…`,
 * `open…` or configuring method, drain `pollTransmit` and `pollEvent`, then re-arm the timer from `pollTimeout`.
 * Nothing that arrives from outside makes it throw.
 */
export interface Device {
  readonly publicKey: PublicKey;

  /**
   * Finds the peer by the inner destination and seals `packet` (one IP packet) as a transport datagram into `out`,
   * which has room for `packet.length + 15 + 32` bytes and does not overlap `packet`. The result is overwritten by
   * the next call.
   */
  sealPacket(packet: Uint8Array, out: Uint8Array, now: Instant): Sealed | Drop;
  /**
   * Takes one UDP datagram. Transport data is opened into `out` (room for `datagram.length`; may be the same memory
   * as `datagram`), its source checked against the peer's AllowedIPs; everything else is answered through
   * `pollTransmit`. If they overlap, the content of `datagram` is lost.
   */
  openDatagram(datagram: Uint8Array, from: PathId, out: Uint8Array, now: Instant): Opened | Drop;

  /**
   * As `sealPacket`, for packets in memory that all go to the peer of the first one's inner destination, which lies at `offset`
   * with `length` bytes: segments of one super-packet.
   */
  beginRun(offset: number, length: number, now: Instant): SealingRun | Drop;
  /**
   * As `openDatagram`, for a datagram of `length` bytes at `offset` in memory. The inner packet, of the length found, is left at
   * `offset + TRANSPORT_HEADER_LENGTH`.
   */
  openInMemory(offset: number, length: number, from: PathId, now: Instant): Opened | Drop;

  handleTimeout(now: Instant): void;

  pollTransmit(): Transmit | undefined;
  pollEvent(): DeviceEvent | undefined;
  /** The earliest deadline, or undefined while nothing is pending. */
  pollTimeout(): Deadline | undefined;

  /**
   * Adds the peer or changes what differs; a changed preshared key does not end the session. A prefix that another peer
   * has moves to this one, as in WireGuard. The device's own key: nothing happens.
   */
  setPeer(config: PeerConfig, now: Instant): void;
  /**
   * Datagrams to the peer go there from now on; session and counters stay. What waits is sent, and an initiation that is not
   * answered yet goes out there too, the same again. Unknown: nothing happens.
   */
  setPath(peer: PublicKey, path: PathId, now: Instant): void;
  /** There is a way to the peer again: what waits for it is tried at once, as by `setPath`, and nothing happens if nothing does. */
  tryAgain(peer: PublicKey, now: Instant): void;
  /** Removes the peer, erases its keys. Unknown: nothing happens. */
  removePeer(peer: PublicKey): void;
  /** New static key: all sessions end, peers with that very key are removed. */
  setPrivateKey(privateKey: SecretKey, now: Instant): void;
  /**
   * Our static keys are these from now on. Sessions live on, and handshakes under way; but one that we began with a key that is
   * gone is begun again at once. Keys that are gone are erased.
   */
  setLocalKeys(keys: LocalKeys, now: Instant): void;
  /** Starts a handshake now, unless one began within REKEY_TIMEOUT. */
  initiateHandshake(peer: PublicKey, now: Instant): void;
  /**
   * Tells the machine that it is under load, so that handshakes need a cookie; it also finds that out by itself from
   * their rate.
   */
  setUnderLoad(underLoad: boolean): void;

  peers(): Iterable<PeerStats>;
  /** Where datagrams to the peer go; undefined for an unknown peer, or one that was never heard of. */
  pathOf(publicKey: PublicKey): PathId | undefined;
  peerOf(address: IpAddress): PublicKey | undefined;
  /** Drops by reason since the start. */
  drops(): ReadonlyMap<string, number>;
  /** Ends all sessions and overwrites every key. */
  close(): void;
}
