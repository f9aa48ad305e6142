import type { Endpoint, HostPort, Instant, IpAddress, PublicKey, SecretKey, UnixMillis } from '@warren/base';
import type { NatBehaviour } from '@warren/stun';

/** Name of a signal server, as the server list has it; at most 64 bytes of ASCII. */
export type ServerId = string;

/** One signal server as the control plane lists it, its names resolved. */
export interface SignalServer {
  readonly id: ServerId;
  /** For people: `region`, or the name of the bounce. */
  readonly name: string;
  /** UDP endpoints in order of preference, at most one a family; empty: no UDP. */
  readonly udp: readonly Endpoint[];
  /** TLS addresses, tried in order; empty: no TLS. */
  readonly tls: readonly HostPort[];
  /** X25519, 32 bytes. */
  readonly key: Uint8Array;
}

/** RFC 8445 kinds, and what is ours: an address that the operator configured, one that was predicted. */
export type CandidateKind = 'host' | 'server-reflexive' | 'port-mapped' | 'configured' | 'predicted' | 'peer-reflexive';

export interface Candidate {
  readonly kind: CandidateKind;
  readonly endpoint: Endpoint;
}

/**
 * Where datagrams of one peer go. Equal paths are the same object as long as the manager lives, so that the shell can keep its
 * `PathId` beside it. `socket` 0 is the data plane's own; others were asked for by `open-socket`.
 */
export type Path = UdpPath | RelayPath;
export interface UdpPath {
  readonly kind: 'udp';
  readonly peer: PublicKey;
  readonly socket: number;
  readonly endpoint: Endpoint;
}
export interface RelayPath {
  readonly kind: 'relay';
  readonly peer: PublicKey;
  readonly server: ServerId;
  readonly transport: 'udp' | 'tls';
  /** The 20 bytes before each datagram: type, session, destination. Rewritten in place when the session changes. */
  readonly header: Uint8Array;
  /** Where the server is reached in this session: its endpoint on socket 0, or its stream. Changed in place together with `header`. */
  way: Way;
}

/** Where a datagram came from, or goes: an address on one of our sockets, or the stream to a server. */
export type Way = UdpWay | { readonly kind: 'tls'; readonly server: ServerId };
export interface UdpWay {
  readonly kind: 'udp';
  readonly socket: number;
  readonly endpoint: Endpoint;
}

export interface PathPeer {
  /** WireGuard key: names the peer everywhere in the data plane. */
  readonly publicKey: PublicKey;
  readonly name: string;
  /** 8 bytes. */
  readonly relayId: Uint8Array;
  /** X25519, 32 bytes. */
  readonly pathKey: Uint8Array;
  /** Where a bounce or direct node is reached by what the operator configured, resolved; tried first, beside the relay. */
  readonly endpoints: readonly Endpoint[];
}

/** How this host's NAT behaves, by RFC 4787; `none`: no translation, or nothing is filtered. */
export interface NatKind {
  readonly mapping: NatBehaviour;
  readonly filtering: NatBehaviour;
}

/** What this host knows of its own NAT. */
export interface LocalNat extends NatKind {
  /** How long a binding that nothing is sent over was measured to live at least; absent: not known. */
  readonly bindingLifetimeMs?: number;
}

export interface PathManagerOptions {
  readonly relayId: Uint8Array;
  /** X25519. The manager keeps a reference and erases nothing. */
  readonly pathKey: SecretKey;
  /** Fresh random bytes, a new array of that length each time. */
  readonly random: (length: number) => Uint8Array;
  readonly wallClock: () => UnixMillis;
  /** Whether ports of address-and-port-dependent NATs are guessed. */
  readonly predictPorts: boolean;
  /** Whether datagrams to the address would go through the very tunnel that they carry; absent: none would. */
  readonly isInside?: (address: IpAddress) => boolean;
}

export type PathManagerEvent =
  /** Send this peer's datagrams on `path`, and a copy of each on `also` until the next event. */
  | {
      readonly type: 'path';
      readonly peer: PublicKey;
      readonly path: Path;
      readonly also: Path | undefined;
      readonly reason: string;
    }
  /** There was no way to the peer and now there is: a handshake is worth trying. */
  | { readonly type: 'reachable'; readonly peer: PublicKey }
  /** A stream to this server is wanted (connect and keep trying), or no longer. Answered by `streamOpened` and `streamClosed`. */
  | { readonly type: 'open-stream' | 'close-stream'; readonly server: ServerId }
  /** A further UDP socket on any port, for port prediction; the shell calls `socketOpened` or `socketFailed` with this number. */
  | { readonly type: 'open-socket' | 'close-socket'; readonly socket: number }
  /** A signed tombstone that a signal server passed on: tombstone and signature. */
  | { readonly type: 'tombstone'; readonly tombstone: Uint8Array; readonly signature: Uint8Array }
  | { readonly type: 'log'; readonly level: 'debug' | 'info' | 'warn'; readonly message: string };

export interface PathTransmit {
  readonly way: Way;
  readonly datagram: Uint8Array;
}

/** What became of one candidate of a peer, for `agent explain`. */
export interface CandidateReport {
  readonly kind: CandidateKind;
  readonly endpoint: Endpoint;
  readonly result: 'answers' | 'no-answer' | 'untried' | 'unreachable';
  /** Milliseconds, smoothed; undefined unless it ever answered. */
  readonly rttMs: number | undefined;
  readonly probes: number;
}

/** Everything that is known about the way to one peer. Times are `Instant`s of the caller's clock. */
export interface PathReport {
  readonly path: Path | undefined;
  /** How the path in use came to be known; undefined for relays. */
  readonly candidateKind: CandidateKind | undefined;
  readonly also: Path | undefined;
  readonly rttMs: number | undefined;
  readonly since: Instant | undefined;
  /** Whether something authenticated came from the peer in the last three minutes, and the path has not failed since. */
  readonly proven: boolean;
  /** WireGuard has ever had something for it. */
  readonly wanted: boolean;
  /** Why it is not direct; undefined when it is. A sentence without a full stop. */
  readonly reason: string | undefined;
  /** What would make it direct; undefined when it is, or nothing would. */
  readonly advice: string | undefined;
  readonly candidates: readonly CandidateReport[];
  readonly remoteNat: NatKind | undefined;
  readonly remoteHomes: readonly ServerId[];
}

export interface ServerReport {
  readonly id: ServerId;
  readonly name: string;
  readonly registered: boolean;
  readonly transport: 'udp' | 'tls' | undefined;
  /** The nearest of those that we are registered at. */
  readonly home: boolean;
  readonly rttMs: number | undefined;
  /** Where it sees our data plane's socket. */
  readonly reflexive: Endpoint | undefined;
  /** Why it is not registered. */
  readonly failure: string | undefined;
}

/**
 * Chooses where the datagrams of every peer go, registers at signal servers, exchanges candidates, probes and punches. A
 * machine: no clock, randomness or I/O inside. After each call drain `pollTransmit` and `pollEvent`, then re-arm the
 * timer from `pollTimeout`. Nothing that arrives from outside makes it throw. Every table is bounded.
 */
export interface PathManager {
  setServers(servers: readonly SignalServer[], now: Instant): void;
  /** Signed ticket, verbatim (docs/protocol/signalling.md). */
  setTicket(ticket: Uint8Array, now: Instant): void;
  /** The peers that are agents, whole. Those that stay keep their paths. */
  setPeers(peers: readonly PathPeer[], now: Instant): void;
  /** Our own addresses with the port of the data plane's socket, and those that a router maps to it. */
  setLocalCandidates(candidates: readonly Candidate[], now: Instant): void;
  /** With a lifetime of bindings, keepalives are as rare as it allows (`keepAliveMs`). */
  setNat(nat: LocalNat, now: Instant): void;
  /** Tombstones for the servers at which we are registered, each signed by the authority; handed on once a server. */
  setTombstones(
    tombstones: readonly { readonly tombstone: Uint8Array; readonly signature: Uint8Array }[],
    now: Instant,
  ): void;
  /** Addresses, routes or links of this host changed, or it slept: everything is asked again at once. */
  networkChanged(now: Instant): void;
  /** Something else that may run on the same machines has ended: all servers are asked at once whether they live. */
  askServers(now: Instant): void;

  /** One datagram whose first byte is 0xA0 to 0xBF, but no `deliver`. Unusable bytes change nothing. */
  handleDatagram(datagram: Uint8Array, from: Way, now: Instant): void;
  /** A sealed message (0xB0) that came as the content of a `deliver`. */
  handleDelivered(message: Uint8Array, source: Uint8Array, from: Way, now: Instant): void;
  /**
   * The relay path of a `deliver` (header and content): undefined unless it is a known session's, and its source a peer.
   * Allocates nothing once a path is known.
   */
  relayPathOf(frame: Uint8Array, from: Way): RelayPath | undefined;
  /** The path object for an address of a peer, e.g. when authenticated WireGuard came from there. */
  udpPath(peer: PublicKey, socket: number, endpoint: Endpoint): UdpPath;
  /** WireGuard sent something to this peer. Cheap: called for each batch. */
  noteSent(peer: PublicKey, now: Instant): void;
  /** WireGuard authenticated something that came on `path`. Cheap: called for each batch. */
  noteReceived(path: Path, now: Instant): void;

  /**
   * Asks peers that were not heard lately, over the path that they have, whether they are there: `PathReport.proven` tells
   * soon afterwards. At most 64 at a call, each at most once in ten seconds.
   * @param silentMs keeps what is known from growing old: only those are asked that were heard before, but not for so long.
   * @returns how many were asked.
   */
  inquire(now: Instant, silentMs?: number): number;

  streamOpened(server: ServerId, now: Instant): void;
  streamClosed(server: ServerId, reason: string, now: Instant): void;
  socketOpened(socket: number, port: number, now: Instant): void;
  socketFailed(socket: number, now: Instant): void;

  handleTimeout(now: Instant): void;
  pollTransmit(): PathTransmit | undefined;
  pollEvent(): PathManagerEvent | undefined;
  pollTimeout(): { readonly at: Instant; readonly why: string } | undefined;

  report(peer: PublicKey, now: Instant): PathReport | undefined;
  servers(): readonly ServerReport[];
  /** Forgets all keys that it computed. */
  close(): void;
}
