import {
  type Drop,
  type Instant,
  type IpAddress,
  instant,
  invariant,
  isDrop,
  type Prefix,
  type PublicKey,
  SecretKey,
  unixMillis,
} from '@warren/base';
import { type CryptoProvider, memoryAeadOf, nobleProvider } from '@warren/crypto';
import { deviceOf } from '../device.js';
import type { Device, DeviceEvent, Opened, PathId, PeerConfig, Transmit } from '../device-api.js';
import { DeviceState } from '../device-state.js';
import { TRANSPORT_HEADER_LENGTH } from '../handshake/messages.js';
import type { Peer } from '../peer.js';
import { ipPacket } from './packets.js';

/** Wall clock at virtual time zero: 2026-01-01T00:00:00Z. */
const EPOCH = 1_767_225_600_000;
const MTU = 1420;
const DATAGRAM = 4096;

/** Repeatable bytes (mulberry32); no cryptographic worth, which tests do not need. */
export function seededRandom(seed: number): (length: number) => Uint8Array {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) & 0xff;
  };
  return (length) => Uint8Array.from({ length }, next);
}

/** A datagram on the wire of the test world. */
export interface Flight {
  readonly from: Host;
  readonly to: Host;
  readonly transmit: Transmit;
  /** The sender's path as the receiver sees it. */
  readonly source: PathId;
}

/** One device with what a shell would give it, and a record of what it did. */
export class Host {
  readonly device: Device;
  /** The device's insides, for what cannot be seen from outside. */
  readonly state: DeviceState;
  readonly events: DeviceEvent[] = [];
  readonly delivered: Uint8Array[] = [];
  readonly drops: Drop[] = [];
  /** Used when the world works in memory: packets at 0, datagrams at `DATAGRAM`. */
  readonly memory = new Uint8Array(8192);
  /** The path id by which others reach, and see, this host; change it and the host has roamed. */
  path: PathId;
  readonly address: IpAddress;

  constructor(
    readonly world: World,
    readonly name: string,
    number: number,
    crypto: CryptoProvider,
  ) {
    this.path = number as PathId;
    this.address = `10.0.0.${number}` as IpAddress;
    const random = seededRandom(1000 + number);
    this.state = new DeviceState({
      crypto,
      privateKey: new SecretKey(random(32)),
      random,
      wallClock: () => unixMillis(EPOCH + world.now),
      pathBytes: (path) => Uint8Array.of(192, 0, 2, path & 0xff, (path >> 8) & 0xff, 0x51),
      mtu: MTU,
      memoryAead: memoryAeadOf(crypto, this.memory),
    });
    this.device = deviceOf(this.state);
  }

  get publicKey(): PublicKey {
    return this.device.publicKey;
  }

  /** Makes `other` a peer, by its address and path. */
  knows(other: Host, config: Partial<PeerConfig> = {}): void {
    this.device.setPeer(
      {
        publicKey: other.publicKey,
        allowedIps: [`${other.address}/32` as Prefix],
        path: other.path,
        ...config,
      },
      this.world.now,
    );
    this.world.collect(this);
  }

  /** Hands one IP packet for `other` to the device and the datagram, if one came out, to the wire. */
  send(other: Host, length = 100, seed = 0): Uint8Array {
    const packet = ipPacket(this.address, other.address, length, seed);
    if (this.world.inMemory) {
      this.sendRun(other, [packet]);
      return packet;
    }
    const out = new Uint8Array(packet.length + 15 + 32);
    const sealed = this.device.sealPacket(packet, out, this.world.now);
    if (isDrop(sealed)) this.drops.push(sealed);
    else if (sealed.length > 0) {
      const transmit = { peer: other.publicKey, path: sealed.path, datagram: out.slice(0, sealed.length) };
      this.world.launch(this, transmit);
    }
    this.world.collect(this);
    return packet;
  }

  /** Hands IP packets for `other` to the device as one run: each lies over the end of the one before, as segments do. */
  sendRun(other: Host, packets: readonly Uint8Array[]): void {
    const { device, memory, world } = this;
    memory.set(packets[0]!);
    const run = device.beginRun(0, packets[0]!.length, world.now);
    if (isDrop(run)) this.drops.push(run);
    else {
      for (const packet of packets) {
        memory.fill(0xbb, packet.length, packet.length + 20);
        memory.set(packet);
        const length = run.seal(0, packet.length, DATAGRAM);
        invariant(
          memory.subarray(packet.length, packet.length + 20).every((byte) => byte === 0xbb),
          'padding was left',
        );
        const datagram = memory.slice(DATAGRAM, DATAGRAM + length);
        if (length > 0) world.launch(this, { peer: other.publicKey, path: run.path, datagram });
      }
      run.end();
    }
    world.collect(this);
  }

  /** Hands a datagram to the device as if it came over `source`. */
  receive(datagram: Uint8Array, source: PathId): Opened | Drop {
    if (this.world.inMemory) return this.#receiveInMemory(datagram, source);
    const out = new Uint8Array(2048);
    const opened = this.device.openDatagram(datagram.slice(), source, out, this.world.now);
    if (isDrop(opened)) this.drops.push(opened);
    else if (opened.length > 0) this.delivered.push(out.slice(0, opened.length));
    const result = isDrop(opened) ? opened : { ...opened };
    this.world.collect(this);
    return result;
  }

  #receiveInMemory(datagram: Uint8Array, source: PathId): Opened | Drop {
    const { device, memory, world } = this;
    memory.set(datagram, DATAGRAM);
    const opened = device.openInMemory(DATAGRAM, datagram.length, source, world.now);
    const inner = DATAGRAM + TRANSPORT_HEADER_LENGTH;
    if (isDrop(opened)) this.drops.push(opened);
    else if (opened.length > 0) this.delivered.push(memory.slice(inner, inner + opened.length));
    const result = isDrop(opened) ? opened : { ...opened };
    world.collect(this);
    return result;
  }

  /** What this host keeps of `other`. */
  peer(other: Host): Peer {
    return this.state.peers.get(other.publicKey)!;
  }

  /** The path on which it would send to `other`. */
  pathTo(other: Host): PathId | undefined {
    return this.peer(other).path;
  }

  handshakes(): number {
    return this.events.filter((event) => event.type === 'handshake-completed').length;
  }

  dropReasons(): string[] {
    return this.drops.map(({ reason }) => reason);
  }
}

/** Hosts on one wire under a virtual clock. Datagrams arrive at once, in order, unless `filter` says otherwise. */
export class World {
  now: Instant = instant(1_000_000);
  readonly hosts: Host[] = [];
  /** Everything ever put on the wire, lost datagrams included. */
  readonly log: (Flight & { readonly at: Instant })[] = [];
  /** @returns false to lose the datagram. */
  filter: (flight: Flight) => boolean = () => true;
  readonly #wire: Flight[] = [];

  constructor(
    readonly crypto: CryptoProvider = nobleProvider,
    /** Packets are sealed and opened where they lie, as the fast path does. */
    readonly inMemory = false,
  ) {}

  addHost(name: string): Host {
    const host = new Host(this, name, this.hosts.length + 1, this.crypto);
    this.hosts.push(host);
    return host;
  }

  launch(from: Host, transmit: Transmit): void {
    const to = this.hosts.find((host) => host.path === transmit.path);
    if (!to) return;
    const flight = { from, to, transmit, source: from.path };
    this.log.push({ ...flight, at: this.now });
    if (this.filter(flight)) this.#wire.push(flight);
  }

  /** Takes what a device wants to send and tell. */
  collect(host: Host): void {
    for (let transmit = host.device.pollTransmit(); transmit; transmit = host.device.pollTransmit()) {
      this.launch(host, transmit);
    }
    for (let event = host.device.pollEvent(); event; event = host.device.pollEvent()) host.events.push(event);
  }

  /** Delivers until the wire is empty. */
  settle(): void {
    for (const host of this.hosts) this.collect(host);
    for (let flight = this.#wire.shift(); flight; flight = this.#wire.shift()) {
      flight.to.receive(flight.transmit.datagram, flight.source);
    }
  }

  /** Moves the clock on by `duration` ms, stopping at every deadline and settling there. */
  advance(duration: number): void {
    const end = instant(this.now + duration);
    this.settle();
    for (let at = this.#nextDeadline(); at <= end; at = this.#nextDeadline()) {
      this.now = instant(Math.max(this.now, at));
      for (const host of this.hosts) host.device.handleTimeout(this.now);
      this.settle();
    }
    this.now = end;
  }

  /** Flights of one message type since the log was last emptied. */
  sent(type: number, from?: Host): (Flight & { readonly at: Instant })[] {
    return this.log.filter((flight) => flight.transmit.datagram[0] === type && (!from || flight.from === from));
  }

  #nextDeadline(): number {
    return Math.min(...this.hosts.map((host) => host.device.pollTimeout()?.at ?? Number.POSITIVE_INFINITY));
  }
}

/** Two hosts that know each other, nothing sent yet. */
export function twoHosts(config: Partial<PeerConfig> = {}, inMemory = false): { world: World; alice: Host; bob: Host } {
  const world = new World(nobleProvider, inMemory);
  const alice = world.addHost('alice');
  const bob = world.addHost('bob');
  alice.knows(bob, config);
  bob.knows(alice, config);
  return { world, alice, bob };
}

/** Two hosts with a session that alice initiated, log and events empty. */
export function connectedHosts(
  config: Partial<PeerConfig> = {},
  inMemory = false,
): { world: World; alice: Host; bob: Host } {
  const hosts = twoHosts(config, inMemory);
  hosts.alice.device.initiateHandshake(hosts.bob.publicKey, hosts.world.now);
  hosts.world.settle();
  hosts.world.log.length = 0;
  hosts.alice.events.length = 0;
  hosts.bob.events.length = 0;
  return hosts;
}
