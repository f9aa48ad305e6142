import {
  concatBytes,
  type Endpoint,
  formatEndpoint,
  type Instant,
  type IpAddress,
  type PublicKey,
  publicKeyFromBytes,
  SecretKey,
  unixMillis,
} from '@warren/base';
import { boxPublicKey } from '@warren/crypto/boxes';
import { createPathManager } from '../path-manager.js';
import type { Path, PathManager, PathManagerEvent, PathPeer, PathTransmit, Way } from '../path-manager-api.js';
import { isDeliver } from '../relay/frames.js';
import type { FakeNat } from './fake-nat.js';

/** First byte of what stands for WireGuard's datagrams: sender's number and a sequence number follow. */
const DATA = 4;

export interface FakeWire {
  readonly now: Instant;
  transmit(host: FakeHost, transmit: PathTransmit): void;
  openStream(host: FakeHost, server: string): void;
}

/** An agent: a manager, its address, perhaps a NAT before it, and a stream of numbered datagrams in place of WireGuard. */
export class FakeHost {
  readonly manager: PathManager;
  readonly publicKey: PublicKey;
  readonly relayId: Uint8Array;
  readonly events: (PathManagerEvent & { at: Instant })[] = [];
  readonly received = new Set<number>();
  receivedTwice = 0;
  sent = 0;
  sentBytes = 0;
  /** Datagrams that the manager sent. */
  probes = 0;
  udpBlocked = false;
  readonly streams = new Set<string>();
  readonly sockets = new Map<number, number>();
  readonly paths = new Map<PublicKey, { path: Path; also: Path | undefined }>();
  readonly #pathKey: Uint8Array;
  #random: number;

  constructor(
    readonly number: number,
    public address: IpAddress,
    readonly nat: FakeNat | undefined,
    private readonly wire: FakeWire,
    options: { predictPorts?: boolean; seed?: number; isInside?: (address: IpAddress) => boolean } = {},
  ) {
    this.#random = number * 7_919 + (options.seed ?? 1);
    this.#pathKey = new Uint8Array(32).fill(number + 1);
    this.publicKey = publicKeyFromBytes(new Uint8Array(32).fill(number));
    this.relayId = Uint8Array.of(number, 2, 3, 4, 5, 6, 7, number);
    this.manager = createPathManager({
      relayId: this.relayId,
      pathKey: new SecretKey(this.#pathKey),
      random: (length) => Uint8Array.from({ length }, () => this.#byte()),
      wallClock: () => unixMillis(1_700_000_000_000 + wire.now),
      predictPorts: options.predictPorts ?? false,
      ...(options.isInside && { isInside: options.isInside }),
    });
    this.sockets.set(0, 51_820);
  }

  get ticket(): Uint8Array {
    return concatBytes(this.relayId, boxPublicKey(this.#pathKey));
  }

  asPeer(endpoints: readonly Endpoint[] = []): PathPeer {
    return {
      publicKey: this.publicKey,
      name: `host-${this.number}`,
      relayId: this.relayId,
      pathKey: boxPublicKey(this.#pathKey),
      endpoints,
    };
  }

  endpoint = (socket = 0): Endpoint => formatEndpoint(this.address, this.sockets.get(socket)!);

  sayAddress(): void {
    this.manager.setLocalCandidates([{ kind: 'host', endpoint: this.endpoint() }], this.wire.now);
    this.drain();
  }

  /** One numbered datagram to the peer, as WireGuard would send it. */
  send(peer: FakeHost): number {
    const sequence = this.sent++;
    this.manager.noteSent(peer.publicKey, this.wire.now);
    const datagram = Uint8Array.of(DATA, this.number, sequence >> 16, sequence >> 8, sequence);
    const ways = this.paths.get(peer.publicKey);
    for (const path of [ways?.path, ways?.also]) {
      if (!path) continue;
      if (path.kind === 'relay')
        this.wire.transmit(this, { way: path.way, datagram: concatBytes(path.header, datagram) });
      else this.wire.transmit(this, { way: { ...path, kind: 'udp' }, datagram });
    }
    this.drain();
    return sequence;
  }

  receive(bytes: Uint8Array, from: Way, peers: readonly FakeHost[]): void {
    const { manager } = this;
    const { now } = this.wire;
    if (isDeliver(bytes)) {
      const path = manager.relayPathOf(bytes, from);
      if (!path) return;
      const content = bytes.subarray(20);
      if (content[0] === DATA) this.#data(content, () => path, peers);
      else manager.handleDelivered(content, bytes.subarray(12, 20), from, now);
    } else if (bytes[0] === DATA && from.kind === 'udp') {
      this.#data(bytes, (peer) => manager.udpPath(peer, from.socket, from.endpoint), peers);
    } else manager.handleDatagram(bytes, from, now);
    this.drain();
  }

  drain(): void {
    const { manager } = this;
    for (let event = manager.pollEvent(); event; event = manager.pollEvent()) {
      this.events.push({ ...event, at: this.wire.now });
      if (event.type === 'path') this.paths.set(event.peer, event);
      else if (event.type === 'open-stream') this.wire.openStream(this, event.server);
      else if (event.type === 'close-stream') this.streams.delete(event.server);
      else if (event.type === 'open-socket') {
        this.sockets.set(event.socket, 30_000 + event.socket);
        manager.socketOpened(event.socket, 30_000 + event.socket, this.wire.now);
      } else if (event.type === 'close-socket') this.sockets.delete(event.socket);
    }
    for (let transmit = manager.pollTransmit(); transmit; transmit = manager.pollTransmit()) {
      this.probes++;
      this.wire.transmit(this, transmit);
    }
  }

  pathTo = (peer: FakeHost): Path | undefined => this.paths.get(peer.publicKey)?.path;

  #data(bytes: Uint8Array, path: (peer: PublicKey) => Path, peers: readonly FakeHost[]): void {
    const sender = peers.find(({ number }) => number === bytes[1]);
    if (!sender) return;
    const sequence = (bytes[2]! << 16) | (bytes[3]! << 8) | bytes[4]!;
    if (this.received.has(sequence)) this.receivedTwice++;
    this.received.add(sequence);
    this.manager.noteReceived(path(sender.publicKey), this.wire.now);
  }

  #byte(): number {
    this.#random = (this.#random * 1_103_515_245 + 12_345) % 2 ** 31;
    return (this.#random >>> 16) & 0xff;
  }
}
