import {
  type Endpoint,
  formatEndpoint,
  type PublicKey,
  parseEndpoint,
  parseHostPort,
  publicKeyFromBytes,
  SecretKey,
  toHex,
  type UnixMillis,
} from '@warren/base';
import { boxPublicKey } from '@warren/crypto/boxes';
import {
  createPathManager,
  encodeStreamFrame,
  isDeliver,
  type LocalNat,
  type Path,
  type PathManager,
  type PathManagerEvent,
  type PathPeer,
  type ServerId,
  type SignalServer,
  StreamFrames,
  type Way,
} from '@warren/paths';
import {
  Host,
  type Internet,
  MachineDriver,
  Random,
  type SimSocket,
  type SimStream,
  type SocketAddress,
} from '@warren/simnet';
import { Flow } from './flow.js';
import { simTicket } from './sim-server.js';

const PORT = 51_820;
const RECONNECT_MS = 500;
const WALL_CLOCK = 1_800_000_000_000;

export interface SimPeer {
  readonly agent: SimAgent;
  readonly out: Flow;
  path: Path | undefined;
  also: Path | undefined;
  pathChanges: number;
}

/** A host with a path manager, and the shell around it as the data plane is: sockets, streams, what the kernel would tell. */
export class SimAgent {
  readonly host: Host;
  readonly manager: PathManager;
  readonly relayId: Uint8Array;
  readonly publicKey: PublicKey;
  readonly pathKey: Uint8Array;
  readonly peers = new Map<string, SimPeer>();
  readonly log: string[] = [];
  private readonly driver: MachineDriver;
  private readonly sockets = new Map<number, SimSocket>();
  private readonly wantedStreams = new Set<ServerId>();
  private readonly streams = new Map<ServerId, SimStream>();
  private servers: readonly SignalServer[] = [];

  constructor(
    private readonly internet: Internet,
    readonly name: string,
    seed: number,
    options: { readonly delayMs: number; readonly predictPorts: boolean },
  ) {
    const random = new Random(seed, 7);
    this.host = new Host(internet, name, options);
    this.relayId = random.bytes(8);
    const key = new SecretKey(random.bytes(32));
    this.pathKey = boxPublicKey(key.expose());
    this.publicKey = publicKeyFromBytes(random.bytes(32));
    this.manager = createPathManager({
      relayId: this.relayId,
      pathKey: key,
      random: (length) => random.bytes(length),
      wallClock: () => (WALL_CLOCK + internet.now) as UnixMillis,
      predictPorts: options.predictPorts,
    });
    this.driver = new MachineDriver(internet, this.manager, () => this.drain());
    this.openSocket(0, PORT);
  }

  /** As the daemon starts: servers, ticket and peers are known from disk, its own addresses from the kernel. */
  start(servers: readonly SignalServer[], peers: readonly SimAgent[]): void {
    const { now } = this.internet;
    this.servers = servers;
    for (const agent of peers) this.peers.set(toHex(agent.relayId), newPeer(this, agent));
    this.manager.setTicket(simTicket(this.relayId, this.pathKey), now);
    this.tellAddresses();
    this.manager.setServers(servers, now);
    this.manager.setPeers(peers.map(pathPeer), now);
    this.driver.touch();
  }

  peer(agent: SimAgent): SimPeer {
    return this.peers.get(toHex(agent.relayId))!;
  }

  /** One datagram of the session, on the path in use and a copy on the other. */
  send(to: SimAgent): void {
    const peer = this.peer(to);
    const datagram = peer.out.seal(this.internet.now);
    this.manager.noteSent(to.publicKey, this.internet.now);
    this.driver.touch(); // may change the path, also for this very datagram
    for (const path of [peer.path, peer.also]) if (path) this.sendOn(path, datagram);
  }

  /** What a discovery by STUN found out. */
  setNat(nat: LocalNat): void {
    this.manager.setNat(nat, this.internet.now);
    this.driver.touch();
  }

  /** What rtnetlink tells. */
  networkChanged(): void {
    this.tellAddresses();
    this.manager.networkChanged(this.internet.now);
    this.driver.touch();
  }

  private tellAddresses(): void {
    const candidates = this.host.addresses.map(
      (address) => ({ kind: 'host', endpoint: formatEndpoint(address, PORT) }) as const,
    );
    this.manager.setLocalCandidates(candidates, this.internet.now);
  }

  private openSocket(number: number, port: number): SimSocket {
    const socket = this.host.openSocket(port, (payload, { address, port: from }) => {
      this.receive(payload, { kind: 'udp', socket: number, endpoint: formatEndpoint(address, from) });
      this.driver.touch();
    });
    this.sockets.set(number, socket);
    return socket;
  }

  private receive(datagram: Uint8Array, from: Way): void {
    const { now } = this.internet;
    if (isDeliver(datagram)) {
      const path = this.manager.relayPathOf(datagram, from);
      const content = datagram.subarray(20);
      if (content[0] === 0xb0) this.manager.handleDelivered(content, datagram.subarray(12, 20), from, now);
      else if (path) this.receiveSession(content, path);
    } else if (datagram[0]! >= 0xa0 && datagram[0]! <= 0xbf) this.manager.handleDatagram(datagram, from, now);
    else if (from.kind === 'udp') this.receiveSession(datagram, from);
  }

  private receiveSession(datagram: Uint8Array, from: Path | { socket: number; endpoint: Endpoint; kind: 'udp' }): void {
    const { now } = this.internet;
    const peer = this.peers.get(toHex(Flow.senderOf(datagram)));
    if (!peer?.agent.peer(this).out.open(datagram)) return;
    const path = 'peer' in from ? from : this.manager.udpPath(peer.agent.publicKey, from.socket, from.endpoint);
    this.manager.noteReceived(path, now);
  }

  private sendOn(path: Path, datagram: Uint8Array): void {
    if (path.kind === 'udp') this.transmit(path, datagram);
    else this.transmit(path.way, Uint8Array.from([...path.header, ...datagram]));
  }

  private transmit(way: Way, datagram: Uint8Array): void {
    if (way.kind === 'udp') this.sockets.get(way.socket)?.send(parseEndpoint(way.endpoint) as SocketAddress, datagram);
    else this.streams.get(way.server)?.send(encodeStreamFrame(datagram));
  }

  private drain(): void {
    for (;;) {
      const event = this.manager.pollEvent();
      if (event) this.handleEvent(event);
      const transmit = this.manager.pollTransmit();
      if (transmit) this.transmit(transmit.way, transmit.datagram.slice());
      if (!event && !transmit) return;
    }
  }

  private handleEvent(event: PathManagerEvent): void {
    if (event.type === 'path' || event.type === 'reachable') {
      this.handlePeerEvent(event, [...this.peers.values()].find(({ agent }) => agent.publicKey === event.peer)!);
    } else if (event.type === 'open-stream') {
      this.wantedStreams.add(event.server);
      this.connect(event.server);
    } else if (event.type === 'close-stream') {
      this.wantedStreams.delete(event.server);
      this.streams.get(event.server)?.close();
      this.streams.delete(event.server);
    } else if (event.type === 'open-socket') {
      this.manager.socketOpened(event.socket, this.openSocket(event.socket, 0).port, this.internet.now);
    } else if (event.type === 'close-socket') {
      this.sockets.get(event.socket)?.close();
      this.sockets.delete(event.socket);
    } else if (event.type === 'log') this.note(`${event.level} ${event.message}`);
  }

  private handlePeerEvent(event: PathManagerEvent & { type: 'path' | 'reachable' }, peer: SimPeer): void {
    if (event.type === 'reachable') {
      this.note(`${peer.agent.name} is reachable`);
      return;
    }
    peer.path = event.path;
    peer.also = event.also;
    peer.pathChanges++;
    const also = event.also ? ` and ${describe(event.also)}` : '';
    this.note(`${peer.agent.name}: ${describe(event.path)}${also}: ${event.reason}`);
  }

  /** One connection after the other to whatever addresses of the server this host has a family for. */
  private connect(server: ServerId): void {
    const listed = this.servers.find(({ id }) => id === server);
    const targets = (listed?.tls ?? []).map((text) => parseHostPort(text)!);
    const target = targets.find(({ host }) =>
      this.host.addresses.some((one) => one.includes(':') === host.includes(':')),
    );
    if (!this.wantedStreams.has(server) || this.streams.has(server)) return;
    if (!target) {
      this.connectLater(server);
      return;
    }
    const frames = new StreamFrames();
    const current = () => this.streams.get(server) === stream;
    const stream = this.host.connect({ address: target.host, port: target.port } as SocketAddress, {
      opened: () => {
        if (current()) this.manager.streamOpened(server, this.internet.now);
        this.driver.touch();
      },
      received: (chunk) => {
        if (current()) frames.take(chunk, (frame) => this.receive(frame.slice(), { kind: 'tls', server }));
        this.driver.touch();
      },
      closed: (reason) => {
        if (!current()) return;
        this.streams.delete(server);
        this.manager.streamClosed(server, reason, this.internet.now);
        this.driver.touch();
        this.connectLater(server);
      },
    });
    this.streams.set(server, stream);
  }

  private connectLater(server: ServerId): void {
    this.internet.after(RECONNECT_MS, () => this.connect(server));
  }

  private note(text: string): void {
    this.log.push(`${this.internet.now} ${this.name}: ${text}`);
  }
}

const pathPeer = (agent: SimAgent): PathPeer => ({
  publicKey: agent.publicKey,
  name: agent.name,
  relayId: agent.relayId,
  pathKey: agent.pathKey,
  endpoints: [],
});

const newPeer = (from: SimAgent, agent: SimAgent): SimPeer => ({
  agent,
  out: new Flow(
    Uint8Array.from(from.relayId, (byte, i) => byte ^ agent.relayId[i]!),
    from.relayId,
  ),
  path: undefined,
  also: undefined,
  pathChanges: 0,
});

export const describe = (path: Path): string =>
  path.kind === 'udp' ? `direct ${path.endpoint}` : `relay ${path.server} by ${path.transport}`;
