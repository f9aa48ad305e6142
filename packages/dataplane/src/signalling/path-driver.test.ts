import {
  type Endpoint,
  type Instant,
  type IpAddress,
  instant,
  type Prefix,
  type PublicKey,
  publicKeyFromBytes,
  SecretKey,
  unixMillis,
} from '@warren/base';
import { nobleProvider } from '@warren/crypto';
import type {
  Path,
  PathManager,
  PathManagerEvent,
  PathManagerOptions,
  PathPeer,
  PathTransmit,
  RelayPath,
  UdpPath,
  Way,
} from '@warren/paths';
import { encodeSocketAddress, PacketMemory, socketAddressEndpoint, type UdpSocket, type UdpSockets } from '@warren/udp';
import { createDevice, type Device, type PathId } from '@warren/wireguard';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PacketEngine } from '../engine-base.js';
import { PathTable } from '../path-table.js';
import { PathDriver } from './path-driver.js';

const PEER = publicKeyFromBytes(nobleProvider.publicKey(new Uint8Array(32).fill(2)));
const SERVER: Way = { kind: 'udp', socket: 0, endpoint: '192.0.2.9:3478' as Endpoint };
const SESSION = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
const RELAY_ID = Uint8Array.of(9, 9, 9, 9, 9, 9, 9, 9);
const AT = 1_000;
const agent: PathPeer = { publicKey: PEER, name: 'b', relayId: RELAY_ID, pathKey: new Uint8Array(32), endpoints: [] };
const relayPath: RelayPath = {
  kind: 'relay',
  peer: PEER,
  server: 'home',
  transport: 'udp',
  header: new Uint8Array(20),
  way: SERVER,
};
const udpPath = (port: number, socket = 0): UdpPath => ({
  kind: 'udp',
  peer: PEER,
  socket,
  endpoint: `198.51.100.1:${port}` as Endpoint,
});

/** A path manager that says what the test wants, and remembers what it was told. */
class FakeManager {
  readonly calls: [name: string, ...unknown[]][] = [];
  readonly transmits: PathTransmit[] = [];
  options: PathManagerOptions | undefined;
  readonly events: PathManagerEvent[] = [];
  readonly udpPaths = new Map<string, UdpPath>();
  deadline: Instant | undefined;

  asManager(): PathManager {
    const note =
      (name: string) =>
      (...args: unknown[]) => {
        this.calls.push([name, ...args]);
      };
    const named = new Proxy({} as Record<string, unknown>, {
      get: (_target, name: string) => (this as unknown as Record<string, unknown>)[name] ?? note(name),
    });
    return named as unknown as PathManager;
  }

  pollTransmit = () => this.transmits.shift();
  pollEvent = () => this.events.shift();
  pollTimeout = () => (this.deadline === undefined ? undefined : { at: this.deadline, why: 'test' });
  relayPathOf = (frame: Uint8Array): RelayPath | undefined => (frame[4] === SESSION[0] ? relayPath : undefined);
  udpPath = (peer: PublicKey, socket: number, endpoint: Endpoint): UdpPath => {
    const key = `${peer} ${socket} ${endpoint}`;
    const path = this.udpPaths.get(key) ?? { kind: 'udp', peer, socket, endpoint };
    this.udpPaths.set(key, path);
    return path;
  };
  report = () => undefined;
  servers = () => [];

  called(name: string): unknown[][] {
    return this.calls.filter(([called]) => called === name).map(([, ...args]) => args);
  }
}

function setUp() {
  const memory = new PacketMemory(8);
  const paths = new PathTable(() => []);
  const device: Device = createDevice({
    crypto: nobleProvider,
    privateKey: new SecretKey(new Uint8Array(32).fill(1)),
    random: (length) => new Uint8Array(length).fill(7),
    wallClock: () => unixMillis(0),
    pathBytes: (path) => paths.pathBytes(path),
    mtu: 1400,
  });
  device.setPeer({ publicKey: PEER, allowedIps: ['10.44.0.2/32' as Prefix], roams: false }, instant(AT));
  const sent: [to: Endpoint, datagram: Uint8Array][] = [];
  const v4 = {
    send(datagram: Uint8Array, to: Uint8Array): number {
      sent.push([socketAddressEndpoint(to), datagram.slice()]);
      return 0;
    },
  } as Partial<UdpSocket> as UdpSocket;
  const sockets = { v4, v6: undefined, port: 51_820, mark: 0 } as Partial<UdpSockets> as UdpSockets;
  const manager = new FakeManager();
  const [logged, tombstones, told, added]: [string[], Uint8Array[], number[][], number[]] = [[], [], [], []];
  const moves: number[] = [];
  const driver: PathDriver = new PathDriver({
    interfaceName: 'wg0',
    device,
    paths,
    sockets,
    memory,
    signalling: { relayId: RELAY_ID, pathKey: new Uint8Array(32).fill(3), predictPorts: false },
    random: (length) => new Uint8Array(length),
    createManager: (options) => {
      manager.options = options;
      return manager.asManager();
    },
    log: (_level, message) => logged.push(message),
    onTombstone: (tombstone) => tombstones.push(tombstone),
    onPaths: () => moves.push(AT),
    onDescriptors: () => told.push(driver.descriptors()),
  });
  const engine = {
    settle: () => driver.settle(),
    addSocket: (number) => added.push(number),
    removeSocket: (number) => added.splice(added.indexOf(number), 1),
  } as Partial<PacketEngine> as PacketEngine;
  driver.start(engine);
  driver.setPeers([agent]);
  const wake = () => driver.pathWanted(PEER);
  const path = (to: Path, also?: Path) => {
    manager.events.push({ type: 'path', peer: PEER, path: to, also, reason: 'test' });
    wake();
  };
  const put = (bytes: Uint8Array): number => {
    const offset = memory.allocate(bytes.length);
    memory.bytes.set(bytes, offset);
    return offset;
  };
  return { memory, paths, device, manager, driver, sent, logged, tombstones, told, added, moves, wake, path, put };
}

const frame = (type: number, ...parts: (number[] | Uint8Array)[]): Uint8Array =>
  Uint8Array.from([type, 0, 0, 0, ...parts.flatMap((part) => [...part])]);
const deliver = (content: number[], session = SESSION) => frame(0xa9, session, RELAY_ID, content);

describe('the path driver', () => {
  let world: ReturnType<typeof setUp>;
  beforeEach(() => {
    world = setUp();
  });
  afterEach(() => world.driver.close());

  it('tells the manager of our addresses and of the agents, and sends what it wants sent', () => {
    const { manager, sent, wake } = world;
    expect(manager.called('setPeers')[0]![0]).toEqual([agent]);
    expect(manager.called('setLocalCandidates')).toHaveLength(1);
    manager.transmits.push({ way: SERVER, datagram: Uint8Array.of(0xa0) });
    wake();
    expect(sent).toEqual([['192.0.2.9:3478', Uint8Array.of(0xa0)]]);
  });

  it('tells the manager which addresses lead into the tunnel itself', () => {
    const { options } = world.manager;
    const isInside = (address: string) => options?.isInside?.(address as IpAddress);
    expect(['10.44.0.2', '10.44.0.3', '198.51.100.1', 'fd00::1'].map(isInside)).toEqual([true, false, false, false]);
  });

  it('says once that peers are reached another way, however many moved at the same time', () => {
    const { manager, moves, wake } = world;
    const event = { type: 'path', peer: PEER, also: undefined, reason: 'test' } as const;
    manager.events.push({ ...event, path: udpPath(1) }, { ...event, path: udpPath(2) });
    wake();
    expect(moves).toHaveLength(1);
    wake();
    expect(moves).toHaveLength(1);
  });

  it('moves a peer to the path that the manager names, with a copy on the second one for as long as it says', () => {
    const { paths, device, path } = world;
    const [first, second] = [udpPath(1), udpPath(2)];
    path(relayPath, first);
    const relay = device.pathOf(PEER)!;
    expect(paths.route(relay)).toMatchObject({ path: relayPath });
    expect(paths.endpoint(paths.route(relay)!.also!)).toBe(first.endpoint);
    path(second);
    expect(paths.endpoint(device.pathOf(PEER)!)).toBe(second.endpoint);
    expect(paths.route(relay)!.also).toBeUndefined();
    path(relayPath);
    expect(device.pathOf(PEER)).toBe(relay);
  });

  it('knows the same address on another socket as another path', () => {
    const { paths, device, path } = world;
    path(udpPath(1));
    const own = device.pathOf(PEER)!;
    path(udpPath(1, 5));
    const further = device.pathOf(PEER)!;
    expect(further).not.toBe(own);
    expect(paths.endpoint(further)).toBe(paths.endpoint(own));
  });

  it('gives the content of a deliver to WireGuard, with the path of the relay', () => {
    const { driver, paths, put, manager } = world;
    const from = paths.intern(encodeSocketAddress('192.0.2.9' as IpAddress, 3478))!;
    const bytes = deliver([4, 0, 0, 0]);
    const id = driver.take(put(bytes), bytes.length, from);
    expect(paths.route(id!)?.path).toBe(relayPath);
    expect(driver.take(put(bytes), bytes.length, from)).toBe(id);
    expect(manager.called('handleDatagram')).toEqual([]);
  });

  it('gives sealed messages and all other frames to the manager, with where they came from, as copies', () => {
    const { driver, memory, put, paths, manager } = world;
    const from = paths.intern(encodeSocketAddress('192.0.2.9' as IpAddress, 3478))!;
    const [sealed, alive, direct, empty] = [
      deliver([0xb0, 1, 2]),
      frame(0xa6, [1]),
      frame(0xb0, [2]),
      deliver([]),
    ] as const;
    for (const bytes of [sealed, alive, direct, empty]) {
      const offset = put(bytes);
      expect(driver.take(offset, bytes.length, from)).toBeUndefined();
      memory.bytes.fill(0, offset, offset + bytes.length);
    }
    const [[message, source, way] = []] = manager.called('handleDelivered');
    expect([message, source, way]).toEqual([Uint8Array.of(0xb0, 1, 2), RELAY_ID, SERVER]);
    expect(manager.called('handleDatagram').map(([datagram]) => datagram)).toEqual([alive, direct, empty]);
  });

  it('drops and counts a deliver of a session that is none of ours', () => {
    const { driver, put } = world;
    const bytes = deliver([4, 0, 0, 0], new Uint8Array(8));
    expect(driver.takeFrom(put(bytes), bytes.length, { kind: 'tls', server: 'home' })).toBeUndefined();
    expect([...driver.drops]).toEqual([['relay-unknown', 1]]);
  });

  it('tells of what was sent and received at most once in ten milliseconds, and only of the path of that peer', () => {
    const { driver, device, path, paths, manager } = world;
    path(udpPath(1));
    const id = device.pathOf(PEER)!;
    const stranger = publicKeyFromBytes(new Uint8Array(32).fill(8));
    for (let at = 5_000; at < 5_100; at++) {
      driver.received(id, PEER, instant(at));
      driver.received(id, stranger, instant(at + 50_000));
    }
    expect(manager.called('noteReceived')).toHaveLength(10);
    const before = manager.called('noteSent').length;
    for (let i = 0; i < 100; i++) driver.noteSent(paths.route(id)!);
    expect(manager.called('noteSent').length - before).toBeLessThanOrEqual(5);
  });

  it('tells where a peer was heard that is not its path', () => {
    const { driver, paths, manager } = world;
    const id = paths.intern(encodeSocketAddress('203.0.113.5' as IpAddress, 77))!;
    driver.heardElsewhere(PEER, id);
    expect(manager.called('noteReceived')).toEqual([
      [manager.udpPath(PEER, 0, '203.0.113.5:77' as Endpoint), expect.anything()],
    ]);
  });

  it('tries a handshake again when a peer becomes reachable, but begins none that nobody asked for', () => {
    const { manager, device, path, wake } = world;
    const reachable = () => {
      manager.events.push({ type: 'reachable', peer: PEER });
      wake();
    };
    path(udpPath(1));
    reachable();
    expect(device.pollTransmit()).toBeUndefined();
    device.initiateHandshake(PEER, instant(AT));
    const initiation = device.pollTransmit()!.datagram;
    reachable();
    expect(device.pollTransmit()?.datagram).toEqual(initiation);
  });

  it('opens further sockets, tells the manager their ports, and closes them only after it has told of it', () => {
    const { manager, driver, added, told, wake } = world;
    manager.events.push({ type: 'open-socket', socket: 1 }, { type: 'open-socket', socket: 2 });
    wake();
    expect(added).toEqual([1, 2]);
    const opened = manager.called('socketOpened') as [number, number][];
    expect(opened.map(([number]) => number)).toEqual([1, 2]);
    expect(new Set(opened.map(([, port]) => port)).size).toBe(2);
    expect(told).toHaveLength(1);
    expect(told[0]).toHaveLength(2);
    manager.events.push({ type: 'close-socket', socket: 1 });
    wake();
    expect(added).toEqual([2]);
    expect(told[1]).toEqual([told[0]![1]]);
    expect([driver.socket(1), driver.socket(2) !== undefined]).toEqual([undefined, true]);
  });

  it('passes on tombstones and what the manager has to say', () => {
    const { manager, tombstones, logged, wake } = world;
    manager.events.push(
      { type: 'tombstone', tombstone: Uint8Array.of(1), signature: Uint8Array.of(2) },
      { type: 'log', level: 'info', message: 'a word' },
    );
    wake();
    expect(tombstones).toEqual([Uint8Array.of(1)]);
    expect(logged).toContain('a word');
  });

  it('says that streams are not configured, instead of leaving the manager waiting', async () => {
    const { manager, driver, wake } = world;
    driver.set({ servers: [{ id: 'home', name: 'home', tls: ['192.0.2.9:443' as never], key: new Uint8Array(32) }] });
    manager.events.push({ type: 'open-stream', server: 'home' });
    wake();
    await new Promise((resolve) => setImmediate(resolve));
    expect(manager.called('streamClosed')).toEqual([['home', 'TLS relays are not configured', expect.anything()]]);
  });

  it('forgets where it was reached when the network has changed, and tells the manager', () => {
    const { driver, paths, manager, device, path } = world;
    path(udpPath(1));
    const id = device.pathOf(PEER) as PathId;
    paths.setSource(id, Uint8Array.of(10, 0, 0, 1));
    driver.networkChanged('test');
    expect(paths.source(id)).toBeUndefined();
    expect(manager.called('networkChanged')).toHaveLength(1);
    expect(manager.called('setLocalCandidates')).toHaveLength(2);
  });

  it('asks the manager again when its time has come', async () => {
    const { manager, wake } = world;
    manager.deadline = instant(performance.now() + 5);
    wake();
    await expect.poll(() => manager.called('handleTimeout').length, { timeout: 5_000 }).toBeGreaterThan(0);
    manager.deadline = undefined;
  });
});
