import os from 'node:os';
import { type Endpoint, type Instant, type PublicKey, SecretKey, unixMillis } from '@warren/base';
import {
  isDeliver,
  type Path,
  type PathManager,
  type PathManagerEvent,
  type PathManagerOptions,
  type PathPeer,
  type PathTransmit,
  RELAY_HEADER_LENGTH,
  RELAY_ID_OFFSET,
  type Way,
} from '@warren/paths';
import type { PacketMemory, UdpSocket, UdpSockets } from '@warren/udp';
import type { Device, PathId } from '@warren/wireguard';
import type { PathsReport, SignallingChange } from '../data-plane-api.js';
import type { PacketEngine } from '../engine-base.js';
import { now } from '../machine-driver.js';
import type { PathFrames } from '../path-frames.js';
import { PathSender } from '../path-sender.js';
import type { PathTable } from '../path-table.js';
import type { Route } from '../route.js';
import type { LogLevel, WorkerSignalling } from '../worker-messages.js';
import { isWireGuard, localCandidates } from './local-candidates.js';
import { PathIds } from './path-ids.js';
import { PathNames } from './path-names.js';
import { PathSockets } from './path-sockets.js';
import { pathsReport } from './paths-report.js';
import { RelayStreams } from './relay-streams.js';
import { ServerResolver } from './server-resolver.js';

/** Node's timers stand still while the host is suspended: after it they are late by no more than this. */
const MAX_DELAY = 10_000;
/** How exactly the manager knows when something was last sent and received, milliseconds: it is told no more often. */
const NOTE_EVERY = 10;

/** Between agents (docs/protocol/signalling.md). */
const SEALED_MESSAGE = 0xb0;
const NOTHING = new Uint8Array(0);

export interface PathDriverParts {
  readonly interfaceName: string;
  readonly device: Device;
  readonly paths: PathTable;
  readonly sockets: UdpSockets;
  readonly memory: PacketMemory;
  readonly signalling: WorkerSignalling;
  readonly random: (length: number) => Uint8Array;
  readonly createManager: (options: PathManagerOptions) => PathManager;
  readonly log: (level: LogLevel, message: string) => void;
  readonly onTombstone: (tombstone: Uint8Array, signature: Uint8Array) => void;
  /** Some agents are reached another way than before. */
  readonly onPaths: () => void;
  /** Which descriptors there are besides the first ones has changed. */
  readonly onDescriptors: () => void;
}

/**
 * Runs the path manager for one interface: its timer, what it sends and wants, streams to servers and further sockets; gives its
 * paths a `PathId`, and tells the WireGuard machine which one each agent is reached by.
 */
export class PathDriver implements PathFrames {
  readonly drops = new Map<string, number>();
  readonly #manager: PathManager;
  readonly #pathKey: SecretKey;
  readonly #udp: PathSender;
  readonly #streams: RelayStreams;
  readonly #further: PathSockets;
  readonly #resolver: ServerResolver;
  #engine: PacketEngine | undefined;
  #mapped: readonly Endpoint[] = [];

  readonly #ids: PathIds;
  /** The manager, its paths and what follows from them speak of agents by these. */
  readonly #names = new PathNames();
  /** The route that each agent's datagrams take, by its name. */
  readonly #current = new Map<PublicKey, Route>();
  /** Header of the `deliver` at hand, and the source's relay id in it. */
  readonly #header = new Uint8Array(RELAY_HEADER_LENGTH);
  readonly #source = this.#header.subarray(RELAY_ID_OFFSET);

  #timer: NodeJS.Timeout | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  /** Whether the manager was called since it was last asked what it wants; notes alone may wait a little. */
  #called = false;
  #noted = false;
  #settledAt = Number.NEGATIVE_INFINITY;
  #settling = false;
  #moved = false;
  #closed = false;

  constructor(private readonly parts: PathDriverParts) {
    const { signalling, sockets, paths, memory, random, device } = parts;
    const { relayId, pathKey, predictPorts } = signalling;
    this.#ids = new PathIds(paths);
    this.#pathKey = new SecretKey(pathKey);
    this.#manager = parts.createManager({
      relayId,
      pathKey: this.#pathKey,
      random,
      wallClock: () => unixMillis(Date.now()),
      predictPorts,
      // What the machine would take from the tunnel's own interface.
      isInside: (address) => device.peerOf(address) !== undefined,
    });
    this.#udp = new PathSender({ sockets, paths }, (reason, packets) => this.#count(reason, packets));
    this.#further = new PathSockets(memory);
    this.#streams = new RelayStreams(signalling.tls, {
      opened: (server) => this.#call((at) => this.#manager.streamOpened(server, at)),
      closed: (server, reason) => this.#call((at) => this.#manager.streamClosed(server, reason, at)),
      frame: (frame, from) => this.#engine?.receiveFrame(frame, from),
      idle: () => this.#engine?.settle(),
    });
    this.#resolver = new ServerResolver({
      families: this.#families(),
      onServers: (servers) => {
        this.#streams.setServers(servers);
        this.#call((at) => this.#manager.setServers(servers, at));
      },
      log: parts.log,
    });
  }

  /** To be called once, before anything arrives. */
  start(engine: PacketEngine): void {
    this.#engine = engine;
    this.#call((at) => this.#manager.setLocalCandidates(this.#candidates(), at));
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#resolver.close();
    this.#streams.close();
    this.#further.close();
    this.#manager.close();
    this.#pathKey.erase();
  }

  set(change: SignallingChange): void {
    const { ticket, nat, mapped, tombstones, servers, askServers } = change;
    this.#call((at) => {
      if (ticket) this.#manager.setTicket(ticket, at);
      if (nat) this.#manager.setNat(nat, at);
      if (tombstones) this.#manager.setTombstones(tombstones, at);
      if (askServers) this.#manager.askServers(at);
      if (!mapped) return;
      this.#mapped = mapped;
      this.#manager.setLocalCandidates(this.#candidates(), at);
    });
    if (servers) this.#resolver.set(servers);
  }

  setPeers(peers: readonly PathPeer[]): void {
    const named = this.#names.rename(peers);
    const stay = new Set(named.map(({ publicKey }) => publicKey));
    for (const peer of [...this.#current.keys()]) if (!stay.has(peer)) this.#current.delete(peer);
    this.#call((at) => this.#manager.setPeers(named, at));
  }

  /** This host's addresses or routes changed, it slept, or the port is another one. */
  networkChanged(why: string): void {
    if (this.#closed) return;
    this.parts.log('debug', `looking for paths anew: ${why}`);
    this.parts.paths.clearSources();
    this.#call((at) => {
      this.#manager.setLocalCandidates(this.#candidates(), at);
      this.#manager.networkChanged(at);
    });
    this.#streams.retry();
    this.#resolver.again();
  }

  /** See `PathManager.inquire`. */
  inquire(silentMs?: number): number {
    let asked = 0;
    this.#call((at) => {
      asked = this.#manager.inquire(at, silentMs);
    });
    return asked;
  }

  report(): PathsReport {
    return pathsReport(this.#manager, this.parts.device, (peer) => this.#names.nameOf(peer), now());
  }

  /** Ids that are in use besides those of the machine's peers. */
  *idsInUse(): Iterable<PathId> {
    for (const route of this.#current.values()) if (route.also !== undefined) yield route.also;
  }

  /** Descriptors of the further sockets. */
  descriptors(): number[] {
    return this.#further.descriptors();
  }

  // What engines call.

  take(offset: number, length: number, from: PathId): PathId | undefined {
    const way = this.#ids.wayOf(from);
    return way && this.takeFrom(offset, length, way);
  }

  takeFrom(offset: number, length: number, from: Way): PathId | undefined {
    const { bytes } = this.parts.memory;
    for (let i = 0; i < RELAY_HEADER_LENGTH; i++) this.#header[i] = bytes[offset + i]!;
    if (length <= RELAY_HEADER_LENGTH || !isDeliver(this.#header)) {
      this.#called = true;
      this.#manager.handleDatagram(bytes.slice(offset, offset + length), from, now());
      return undefined;
    }
    const relay = this.#manager.relayPathOf(this.#header, from);
    if (!relay) {
      this.#count('relay-unknown', 1);
      return undefined;
    }
    const content = offset + RELAY_HEADER_LENGTH;
    if (bytes[content] !== SEALED_MESSAGE) return this.#ids.idOf(relay);
    this.#called = true;
    this.#manager.handleDelivered(bytes.slice(content, offset + length), this.#source.slice(), from, now());
    return undefined;
  }

  received(path: PathId, peer: PublicKey, at: Instant): void {
    const route = this.parts.paths.route(path);
    if (route === undefined || at - route.receivedAt < NOTE_EVERY) return;
    if (route.path.peer !== this.#names.nameOf(peer)) return;
    route.receivedAt = at;
    this.#manager.noteReceived(route.path, at);
    this.#noted = true;
  }

  noteSent(route: Route): void {
    const at = now();
    if (at - route.sentAt < NOTE_EVERY) return;
    route.sentAt = at;
    this.#manager.noteSent(route.path.peer, at);
    this.#noted = true;
  }

  heardElsewhere(peer: PublicKey, id: PathId): void {
    const name = this.#names.nameOf(peer);
    const path = this.#ids.pathAt(id, name, (socket, endpoint) => this.#manager.udpPath(name, socket, endpoint));
    if (!path) return;
    this.#call((at) => this.#manager.noteReceived(path, at));
  }

  pathWanted(peer: PublicKey): void {
    this.#call((at) => this.#manager.noteSent(this.#names.nameOf(peer), at));
  }

  socket(number: number): UdpSocket | undefined {
    return this.#further.get(number);
  }

  serverPath(way: Way): PathId | undefined {
    return this.#ids.idOfWay(way);
  }

  sendOnStream(way: Way, header: Uint8Array, datagram: Uint8Array): boolean {
    return way.kind === 'tls' && this.#streams.send(way.server, header, datagram);
  }

  settle(): void {
    if (this.#closed || this.#settling) return;
    if (this.#called || (this.#noted && now() - this.#settledAt >= NOTE_EVERY)) this.#drain();
    else if (this.#noted) this.#arm(this.#settledAt + NOTE_EVERY);
  }

  #call(action: (at: Instant) => void): void {
    if (this.#closed) return;
    action(now());
    this.#called = true;
    this.settle();
  }

  /** Everything that the manager wants, and what it wants because of that. */
  #drain(): void {
    this.#settling = true;
    while (this.#called || this.#noted) {
      this.#called = false;
      this.#noted = false;
      for (let out = this.#manager.pollTransmit(); out; out = this.#manager.pollTransmit()) this.#transmit(out);
      for (let event = this.#manager.pollEvent(); event; event = this.#manager.pollEvent()) this.#handle(event);
      // What the machine has to send now counts as sent, too.
      this.#engine?.settle();
    }
    this.#further.closeUnused(() => this.parts.onDescriptors());
    this.#settling = false;
    if (this.#moved) this.parts.onPaths();
    this.#moved = false;
    this.#settledAt = now();
    const deadline = this.#manager.pollTimeout();
    if (deadline) this.#arm(deadline.at);
  }

  /** A timer that fires too early only asks again, so it is moved forwards but never backwards: that is the rare case. */
  #arm(at: number): void {
    if (this.#closed || at >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    const delay = Math.min(Math.max(Math.ceil(at - now()), 0), MAX_DELAY);
    this.#timer = setTimeout(() => {
      this.#timerAt = Number.POSITIVE_INFINITY;
      this.#call((time) => this.#manager.handleTimeout(time));
    }, delay);
  }

  #transmit({ way, datagram }: PathTransmit): void {
    if (way.kind === 'tls') {
      if (!this.#streams.send(way.server, NOTHING, datagram)) this.#count('relay-stream-closed', 1);
      return;
    }
    const id = this.serverPath(way);
    const own = way.socket === 0 ? undefined : this.#further.get(way.socket);
    if (id === undefined || (way.socket !== 0 && !own)) this.#count('socket-closed', 1);
    else this.#udp.send(id, datagram, 0, own);
  }

  #handle(event: PathManagerEvent): void {
    const { device, log, onTombstone } = this.parts;
    switch (event.type) {
      case 'path':
        this.#move(event.peer, event.path, event.also, event.reason);
        break;
      case 'reachable':
        // Agents that have nothing to say to each other need no session.
        device.tryAgain(this.#names.keyOf(event.peer), now());
        break;
      case 'open-stream':
        this.#streams.open(event.server);
        break;
      case 'close-stream':
        this.#streams.end(event.server);
        break;
      case 'open-socket':
        this.#openSocket(event.socket);
        break;
      case 'close-socket':
        this.#engine?.removeSocket(event.socket);
        this.#further.end(event.socket);
        break;
      case 'tombstone':
        onTombstone(event.tombstone, event.signature);
        break;
      case 'log':
        log(event.level, event.message);
    }
  }

  #move(name: PublicKey, path: Path, also: Path | undefined, reason: string): void {
    const { paths, device, log } = this.parts;
    const peer = this.#names.keyOf(name);
    this.#moved = true;
    const former = this.#current.get(name);
    if (former) former.also = undefined;
    const id = this.#ids.idOf(path);
    const route = id === undefined ? undefined : this.#ids.routeOf(id, path);
    if (id === undefined || !route) return;
    route.also = also && this.#ids.idOf(also);
    this.#current.set(name, route);
    // Both are as old as the address: what is known of where it was reached from may be of another network.
    if (former?.path !== path) log('debug', `${peer} goes ${describe(path)}: ${reason}`);
    if (paths.address(id)) device.setPath(peer, id, now());
  }

  #openSocket(number: number): void {
    try {
      const { socket, port } = this.#further.open(number, this.parts.sockets.mark);
      this.#engine?.addSocket(number, socket);
      this.#manager.socketOpened(number, port, now());
    } catch (error) {
      this.parts.log('debug', `no further socket: ${error instanceof Error ? error.message : String(error)}`);
      this.#manager.socketFailed(number, now());
    }
    this.#called = true;
  }

  #candidates() {
    const { interfaceName, sockets } = this.parts;
    return localCandidates(os.networkInterfaces(), {
      port: sockets.port,
      families: this.#families(),
      mapped: this.#mapped,
      isTunnel: (name) => isWireGuard(name, interfaceName),
    });
  }

  #families(): (4 | 6)[] {
    const { v4, v6 } = this.parts.sockets;
    return [...(v4 ? [4 as const] : []), ...(v6 ? [6 as const] : [])];
  }

  #count(reason: string, packets: number): void {
    this.drops.set(reason, (this.drops.get(reason) ?? 0) + packets);
  }
}

const describe = (path: Path): string =>
  path.kind === 'udp' ? `straight to ${path.endpoint}` : `by the relay ${path.server} (${path.transport})`;
