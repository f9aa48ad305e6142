import { type Endpoint, type Instant, type IpFamily, ipFamily, type PublicKey, parseEndpoint } from '@warren/base';
import type { LinkHooks } from './link-hooks.js';
import { Outbox } from './outbox.js';
import type {
  Candidate,
  LocalNat,
  Path,
  PathManager,
  PathManagerEvent,
  PathManagerOptions,
  PathPeer,
  PathReport,
  PathTransmit,
  RelayPath,
  ServerId,
  ServerReport,
  SignalServer,
  UdpPath,
  Way,
} from './path-manager-api.js';
import { Peer } from './peer.js';
import type { PeerContext } from './peer-context.js';
import { hasBytesAt, isDeliver, RELAY_ID_OFFSET } from './relay/frames.js';
import { isSealedMessage, MAX_CANDIDATES, SEALED_MESSAGE_TYPE, senderOf } from './sealed-message.js';
import type { ServerLink } from './server-link.js';
import { ServerSet } from './server-set.js';
import { delayed, soonest } from './times.js';

/** Servers are asked whether our sessions stand at most so often, however many peers want to know. */
const CHECK_SERVERS_EVERY_MS = 1_000;
/** Sockets beside the data plane's own: attempts of a few peers at once, and the paths that they found. */
const MAX_SOCKETS = 512;
/** Silent peers asked at one call. */
const MAX_INQUIRIES = 64;
const MAX_PASSES = 3;
const LEAST_PAUSE_MS = 2;
const UNKNOWN_NAT: LocalNat = { mapping: 'unknown', filtering: 'unknown' };

/** Finds paths to peers (docs/protocol/signalling.md). Await `boxesReady` of `@warren/crypto/boxes` before. */
export function createPathManager(options: PathManagerOptions): PathManager {
  return new Manager(options);
}

class Manager implements PathManager, PeerContext, LinkHooks {
  readonly outbox = new Outbox();
  readonly signalServers: ServerSet;
  readonly #peers = new Map<PublicKey, Peer>();
  /** By the first 32 bits of the relay id. */
  #byRelayId = new Map<number, Peer[]>();
  /** Peers that wait for the timer. */
  readonly #waiting = new Set<Peer>();
  #wakeAt: Instant | undefined;
  /** Sockets for port prediction, and whose they are. */
  readonly #sockets = new Map<number, Peer>();
  #lastSocket = 0;
  #handledAt: Instant | undefined;
  #local: readonly Candidate[] = [];
  #families: ReadonlySet<IpFamily> | undefined;
  #checkedServersAt: Instant | undefined;
  #serversDirty = false;
  candidates: readonly Candidate[] = [];
  generation: number;
  nat: LocalNat = UNKNOWN_NAT;

  constructor(readonly options: PathManagerOptions) {
    this.signalServers = new ServerSet(options, this.outbox, this);
    // Above what any former run of this agent used, as long as the clock goes forward.
    this.generation = Math.floor(options.wallClock() / 1_000) % 2 ** 32;
  }

  setServers(servers: readonly SignalServer[], now: Instant): void {
    this.signalServers.setServers(servers, now);
    for (const peer of this.#peers.values()) peer.publish(now);
    this.#settle(now);
  }

  setTicket(ticket: Uint8Array, now: Instant): void {
    this.signalServers.setTicket(ticket, now);
    this.#settle(now);
  }

  setPeers(peers: readonly PathPeer[], now: Instant): void {
    const wanted = new Map(peers.map((peer) => [peer.publicKey, peer]));
    for (const [key, peer] of this.#peers) {
      const config = wanted.get(key);
      if (
        config &&
        hasBytesAt(config.relayId, 0, peer.config.relayId) &&
        hasBytesAt(config.pathKey, 0, peer.config.pathKey)
      ) {
        peer.setConfig(config, now);
        continue;
      }
      peer.close();
      this.#waiting.delete(peer);
      this.#peers.delete(key);
    }
    for (const [key, config] of wanted) {
      if (this.#peers.has(key) || config.relayId.length !== 8) continue;
      const peer = new Peer(config, this);
      this.#peers.set(key, peer);
      peer.publish(now);
    }
    this.#byRelayId = new Map();
    for (const peer of this.#peers.values()) {
      const name = first32Bits(peer.config.relayId, 0);
      const same = this.#byRelayId.get(name);
      if (same) same.push(peer);
      else this.#byRelayId.set(name, [peer]);
    }
    this.#settle(now);
  }

  setLocalCandidates(candidates: readonly Candidate[], now: Instant): void {
    this.#local = candidates.slice(0, MAX_CANDIDATES);
    const families = new Set<IpFamily>();
    for (const { kind, endpoint } of candidates) {
      const parsed = parseEndpoint(endpoint);
      if (parsed && kind === 'host') families.add(ipFamily(parsed.address));
    }
    this.#families = families.size > 0 ? families : undefined;
    this.signalServers.preferIpv6(families.has(6) && !families.has(4));
    this.#localChanged(false, now);
    this.#settle(now);
  }

  setNat(nat: LocalNat, now: Instant): void {
    const same = nat.mapping === this.nat.mapping && nat.filtering === this.nat.filtering;
    if (same && nat.bindingLifetimeMs === this.nat.bindingLifetimeMs) return;
    this.nat = nat;
    if (this.#waiting.size > 0) this.#wakeAt = now; // keepalives may be due at other times
    if (same) return;
    for (const peer of this.#peers.values()) peer.localChanged(false, now);
    this.#settle(now);
  }

  setTombstones(
    tombstones: readonly { readonly tombstone: Uint8Array; readonly signature: Uint8Array }[],
    now: Instant,
  ): void {
    this.signalServers.setTombstones(tombstones, now);
    this.#settle(now);
  }

  networkChanged(now: Instant): void {
    this.signalServers.checkAll(now);
    this.signalServers.measureSoon(now);
    this.#localChanged(true, now);
    this.#settle(now);
  }

  askServers(now: Instant): void {
    this.signalServers.checkAll(now);
    this.#settle(now);
  }

  handleDatagram(datagram: Uint8Array, from: Way, now: Instant): void {
    if (datagram[0] === SEALED_MESSAGE_TYPE) {
      if (from.kind !== 'udp' || !isSealedMessage(datagram)) return;
      this.#peerOf(datagram, 4)?.handleDirect(datagram, from, now);
    } else this.signalServers.linkOf(from)?.handleFrame(datagram, from, now);
    this.#settle(now);
  }

  handleDelivered(message: Uint8Array, source: Uint8Array, from: Way, now: Instant): void {
    const link = this.signalServers.linkOf(from);
    if (!link || !isSealedMessage(message) || !hasBytesAt(source, 0, senderOf(message))) return;
    link.heard(now);
    this.#peerOf(message, 4)?.handleRelayed(message, link, now);
    this.#settle(now);
  }

  relayPathOf(frame: Uint8Array, from: Way): RelayPath | undefined {
    if (!isDeliver(frame)) return undefined;
    const link = this.signalServers.linkOf(from);
    if (!link?.isOurs(frame, from.kind)) return undefined;
    return this.#peerOf(frame, RELAY_ID_OFFSET)?.paths.relay(link);
  }

  udpPath(peer: PublicKey, socket: number, endpoint: Endpoint): UdpPath {
    return this.#peers.get(peer)?.paths.udp(socket, endpoint) ?? { kind: 'udp', peer, socket, endpoint };
  }

  noteSent(peer: PublicKey, now: Instant): void {
    this.#peers.get(peer)?.noteSent(now);
    if (this.#serversDirty) this.#settle(now);
  }

  noteReceived(path: Path, now: Instant): void {
    if (path.kind === 'relay') this.signalServers.link(path.server)?.heard(now);
    this.#peers.get(path.peer)?.noteReceived(path, now);
    if (this.#serversDirty) this.#settle(now);
  }

  inquire(now: Instant, silentMs?: number): number {
    let asked = 0;
    for (const peer of this.#peers.values()) {
      if (asked >= MAX_INQUIRIES) break;
      if (peer.inquire(now, silentMs)) asked++;
    }
    this.#settle(now);
    return asked;
  }

  streamOpened(server: ServerId, now: Instant): void {
    this.signalServers.link(server)?.streamOpened(now);
    this.#settle(now);
  }

  streamClosed(server: ServerId, reason: string, now: Instant): void {
    this.signalServers.link(server)?.streamClosed(reason, now);
    this.#settle(now);
  }

  socketOpened(socket: number, _port: number, now: Instant): void {
    this.#sockets.get(socket)?.socketOpened(socket, now);
    this.#settle(now);
  }

  socketFailed(socket: number, now: Instant): void {
    this.#sockets.get(socket)?.socketFailed(socket, now);
    this.#sockets.delete(socket);
    this.#settle(now);
  }

  handleTimeout(now: Instant): void {
    this.#handledAt = now;
    this.signalServers.handleTimeout(now);
    this.#settle(now);
    // What a step leads to is often due at once; what still is after a few passes waits a little, so that no shell spins.
    for (let pass = 0; pass < MAX_PASSES && this.#wakeAt !== undefined && now >= this.#wakeAt; pass++) {
      this.#stepPeers(now);
    }
    this.#settle(now);
  }

  pollTransmit(): PathTransmit | undefined {
    return this.outbox.pollTransmit();
  }

  pollEvent(): PathManagerEvent | undefined {
    return this.outbox.pollEvent();
  }

  pollTimeout(): { readonly at: Instant; readonly why: string } | undefined {
    const servers = this.signalServers.deadline();
    let at = soonest(servers, this.#wakeAt);
    // Never in the instant that was just handled: whatever is overdue then must not make a shell spin.
    if (at !== undefined && this.#handledAt !== undefined && at <= this.#handledAt) {
      at = delayed(this.#handledAt, LEAST_PAUSE_MS);
    }
    return at === undefined ? undefined : { at, why: at === servers ? 'a signal server' : 'a peer' };
  }

  report(peer: PublicKey, now: Instant): PathReport | undefined {
    return this.#peers.get(peer)?.report(now);
  }

  servers(): readonly ServerReport[] {
    return this.signalServers.reports();
  }

  close(): void {
    this.signalServers.stop();
    for (const peer of this.#peers.values()) peer.close();
    this.#peers.clear();
    this.#byRelayId.clear();
    this.#waiting.clear();
  }

  // What peers ask for.

  get reflexives(): readonly Endpoint[] {
    const seen = [...this.signalServers.links()].flatMap((link) =>
      link.transport === 'udp' && link.reflexive ? [link.reflexive] : [],
    );
    return [...new Set(seen)];
  }

  get udpBlocked(): boolean {
    const links = [...this.signalServers.links()];
    return links.some((link) => link.transport === 'tls') && links.every((link) => link.transport !== 'udp');
  }

  hasFamily(family: IpFamily): boolean {
    return this.#families?.has(family) ?? true;
  }

  checkServers(now: Instant): void {
    if (this.#checkedServersAt !== undefined && now - this.#checkedServersAt < CHECK_SERVERS_EVERY_MS) return;
    this.#checkedServersAt = now;
    this.signalServers.checkAll(now);
  }

  openSocket(peer: Peer): number | undefined {
    if (this.#sockets.size >= MAX_SOCKETS) return undefined;
    const socket = ++this.#lastSocket;
    this.#sockets.set(socket, peer);
    this.outbox.event({ type: 'open-socket', socket });
    return socket;
  }

  closeSocket(socket: number): void {
    if (this.#sockets.delete(socket)) this.outbox.event({ type: 'close-socket', socket });
  }

  wakeAt(peer: Peer, at: Instant): void {
    this.#waiting.add(peer);
    this.#wakeAt = soonest(this.#wakeAt, at);
  }

  // What servers tell.

  linkUp(link: ServerLink, now: Instant): void {
    this.signalServers.forgetHandedOn(link.id);
    this.#serversChanged(link, now);
  }

  linkDown(link: ServerLink, now: Instant): void {
    this.#serversChanged(link, now);
  }

  linkDoubted(link: ServerLink, now: Instant): void {
    for (const peer of this.#peers.values()) peer.serversChanged(link, now);
  }

  reflexiveChanged(_link: ServerLink, before: Endpoint | undefined, now: Instant): void {
    // The first answer of a server is news, another one than before means that our NAT forgot us, or that we moved.
    this.#localChanged(before !== undefined, now);
  }

  linkMeasured(): void {
    this.#serversDirty = true;
  }

  notHere(link: ServerLink, destination: Uint8Array, now: Instant): void {
    this.#peerOf(destination, 0)?.notHere(link, now);
  }

  #stepPeers(now: Instant): void {
    let next: Instant | undefined;
    for (const peer of this.#waiting) {
      peer.handleTimeout(now);
      const at = peer.deadline(now);
      if (at === undefined) this.#waiting.delete(peer);
      else next = soonest(next, at);
    }
    this.#wakeAt = next;
  }

  #serversChanged(link: ServerLink, now: Instant): void {
    this.#serversDirty = true;
    for (const peer of this.#peers.values()) peer.serversChanged(link, now);
  }

  /** Homes are chosen after a call, not within it: what was told may be half done. */
  #settle(now: Instant): void {
    while (this.#serversDirty) {
      this.#serversDirty = false;
      this.signalServers.refresh(now);
      for (const link of this.signalServers.links()) this.signalServers.handOnTombstones(link, now);
    }
  }

  #localChanged(moved: boolean, now: Instant): void {
    const candidates = this.#gather();
    const same = candidates.map(nameOf).join() === this.candidates.map(nameOf).join();
    if (same && !moved) return;
    this.candidates = candidates;
    this.generation = (this.generation + 1) % 2 ** 32;
    for (const peer of this.#peers.values()) peer.localChanged(moved, now);
  }

  #gather(): Candidate[] {
    const known = new Map<Endpoint, Candidate>();
    for (const candidate of this.#local) known.set(candidate.endpoint, candidate);
    for (const endpoint of this.reflexives) {
      if (!known.has(endpoint)) known.set(endpoint, { kind: 'server-reflexive', endpoint });
    }
    return [...known.values()].slice(0, MAX_CANDIDATES);
  }

  /** Allocates nothing. */
  #peerOf(bytes: Uint8Array, offset: number): Peer | undefined {
    const same = this.#byRelayId.get(first32Bits(bytes, offset));
    if (same) for (const peer of same) if (hasBytesAt(bytes, offset, peer.config.relayId)) return peer;
    return undefined;
  }
}

const first32Bits = (bytes: Uint8Array, at: number): number =>
  ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
const nameOf = ({ kind, endpoint }: Candidate): string => `${kind} ${endpoint}`;
