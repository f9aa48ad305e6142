import { type Endpoint, invariant, type PublicKey, SecretKey, unixMillis, WarrenError } from '@warren/base';
import type { PathManager, PathManagerOptions } from '@warren/paths';
import { bootTime, PacketMemory, type UdpSockets } from '@warren/udp';
import { createDevice, type Device } from '@warren/wireguard';
import type { DataPlanePeerStats, PathsReport } from './data-plane-api.js';
import { DeviceSettingsKeeper, type SettableSockets } from './device-settings.js';
import type { PacketEngine } from './engine-base.js';
import { Interfaces } from './interfaces.js';
import { type LinkWatch, watchLink } from './link-watch.js';
import { now } from './machine-driver.js';
import { choosePacketCrypto, type PacketCrypto } from './native-crypto/packet-crypto.js';
import { PathTable } from './path-table.js';
import { PeerTable } from './peer-table.js';
import { createRandomPool } from './random-pool.js';
import { type NetworkWatch, watchNetwork } from './signalling/network-watch.js';
import type { PathDriver } from './signalling/path-driver.js';
import type {
  Descriptors,
  LogLevel,
  Started,
  StartOptions,
  WorkerDeviceChange,
  WorkerKeys,
  WorkerPeer,
  WorkerRequest,
  WorkerResults,
  WorkerStats,
} from './worker-messages.js';

/** 2 MiB: two sockets with a buffer for each direction, the engine's packets and batches, the packet cipher's copies. */
const MEMORY_PAGES = 32;
/** Room for headers of relays, frames of streams, further sockets, and netlink. */
const SIGNALLING_PAGES = 6;

/** What the core tells the main thread without being asked. */
export interface CoreListener {
  log(level: LogLevel, message: string): void;
  handshakeFailing(peer: PublicKey): void;
  peerHeard(peer: PublicKey, endpoint: Endpoint | undefined): void;
  /** Some agents are reached another way than before. */
  pathsChanged(): void;
  tombstone(tombstone: Uint8Array, signature: Uint8Array): void;
  descriptors(descriptors: Descriptors): void;
  linkReturned(): void;
  /** Links, addresses or routes of this host changed. */
  networkChanged(): void;
  /** Descriptors are closed, keys overwritten; the core is of no further use. */
  ended(error: WarrenError): void;
}

/** All that one worker runs: TUN, sockets, machine, and the requests of the main thread. */
export class WorkerCore {
  #running: Running | undefined;

  #signalling: SignallingModules | undefined;

  constructor(private readonly listener: CoreListener) {}

  /** To be awaited before a `start` with signalling: libsodium compiles, and nobody else should wait for that. */
  async loadSignalling(): Promise<void> {
    const [driver, paths, boxes] = await Promise.all([
      import('./signalling/path-driver.js'),
      import('@warren/paths'),
      import('@warren/crypto/boxes'),
    ]);
    await boxes.boxesReady;
    this.#signalling = { PathDriver: driver.PathDriver, createManager: paths.createPathManager };
  }

  /** @throws WarrenError when the request cannot be done; nothing is half done then. */
  handle(request: WorkerRequest): WorkerResults[WorkerRequest['type']] {
    if (request.type === 'start') return this.#start(request.options);
    if (request.type === 'close') return this.close();
    const running = this.#running;
    if (!running) throw new WarrenError('data-plane-closed', 'the data plane has ended');
    switch (request.type) {
      case 'stats':
        return statsOf(running);
      case 'set-signalling':
        running.driver?.set(request.change);
        break;
      case 'paths':
        return running.driver?.report() ?? NO_PATHS;
      case 'inquire':
        return running.driver?.inquire(request.silentMs) ?? 0;
      case 'settings':
        return running.settings.settings();
      case 'configure':
        return configure(running, request.change);
      case 'change':
        running.peers.change(request.set, request.remove, now());
        wipe(request.set);
        break;
      case 'replace':
        running.peers.replace(request.set, now());
        wipe(request.set);
        break;
      case 'set-keys':
        setKeys(running, request.keys);
        break;
      case 'set-endpoint':
        running.peers.setEndpoint(request.peer, request.endpoint, now());
        break;
      case 'initiate-handshake':
        if (!running.peers.has(request.peer)) {
          throw new WarrenError('unknown-peer', `the interface has no peer ${request.peer}`);
        }
        running.device.initiateHandshake(request.peer, now());
        break;
    }
    running.engine.settle();
    return undefined;
  }

  /** Ends everything and overwrites keys. Idempotent. */
  close(): undefined {
    const running = this.#running;
    this.#running = undefined;
    if (!running) return;
    running.engine.close();
    running.network?.close();
    running.driver?.close();
    running.link?.close();
    running.device.close();
    running.peers.erase();
    running.settings.erase();
    running.interfaces.close();
    // Packets, and whatever a cipher keeps of a key.
    running.memory.bytes.fill(0);
  }

  #start(options: StartOptions): Started {
    const memory = new PacketMemory(MEMORY_PAGES + (options.signalling ? SIGNALLING_PAGES : 0));
    const crypto = choosePacketCrypto(memory, (level, message) => this.listener.log(level, message));
    if (!crypto) throw new WarrenError('no-crypto', 'no crypto provider computes right answers on this host');
    const interfaces = new Interfaces(options, memory);
    try {
      interfaces.open();
      this.#running = this.#assemble(options, crypto, memory, interfaces);
    } catch (error) {
      interfaces.close();
      throw error;
    } finally {
      options.privateKey?.fill(0);
      options.signalling?.pathKey.fill(0);
    }
    const { sockets, path } = interfaces;
    return {
      listenPort: sockets.port,
      crypto: crypto.provider.name,
      path,
      families: familiesOf(sockets),
      descriptors: interfaces.descriptors(),
    };
  }

  #assemble(options: StartOptions, crypto: PacketCrypto, memory: PacketMemory, interfaces: Interfaces): Running {
    const privateKey = options.privateKey && new SecretKey(options.privateKey);
    const random = createRandomPool();
    const paths: PathTable = new PathTable(function* () {
      for (const { path } of device.peers()) if (path !== undefined) yield path;
      if (driver) yield* driver.idsInUse();
    });
    const device = createDevice({
      crypto: crypto.provider,
      memoryAead: crypto.aead,
      privateKey: privateKey ?? new SecretKey(random(32)), // one that nobody knows the public key of
      random,
      // The machine itself never goes back; this is for the labels that a worker before it has used.
      wallClock: () => unixMillis(Math.max(Date.now(), options.adopt?.wallClock ?? 0)),
      pathBytes: (path) => paths.pathBytes(path),
      mtu: options.mtu,
      handshakesPerSecond: crypto.handshakesPerSecond,
    });
    const driver = this.#createDriver(
      options,
      { device, paths, memory, random, sockets: interfaces.sockets },
      interfaces,
    );
    const engine = interfaces.createEngine({
      device,
      paths,
      memory,
      frames: driver,
      onHandshakeFailing: (peer) => this.listener.handshakeFailing(peer),
      onHandshakeCompleted: (peer, role) => this.listener.log('debug', `handshake with ${peer} completed as ${role}`),
      onPeerHeard: (peer, endpoint) => this.listener.peerHeard(peer, endpoint),
      onTunGone: () => this.#tunGone(options.interfaceName),
    });
    engine.start();
    driver?.start(engine);
    const peers = new PeerTable(device, paths, driver && ((agents) => driver.setPeers(agents)));
    const { standalone } = options;
    const settings = new DeviceSettingsKeeper(
      { device, peers, paths, sockets: settableSockets(interfaces.sockets, engine), standalone, random },
      privateKey,
    );
    privateKey?.erase();
    const link = standalone ? undefined : this.#watchLink(options.interfaceName, memory, interfaces);
    const network = driver && this.#watchNetwork(options.interfaceName, memory, interfaces, driver);
    const { name } = crypto.provider;
    return { device, engine, driver, network, peers, paths, interfaces, settings, memory, link, crypto: name };
  }

  #createDriver(
    { interfaceName, signalling }: StartOptions,
    parts: Pick<Running, 'device' | 'paths' | 'memory'> & { random: (n: number) => Uint8Array; sockets: UdpSockets },
    interfaces: Interfaces,
  ): PathDriver | undefined {
    if (!signalling) return undefined;
    invariant(this.#signalling, 'signalling was not loaded');
    const { PathDriver, createManager } = this.#signalling;
    const driver: PathDriver = new PathDriver({
      ...parts,
      interfaceName,
      signalling,
      createManager,
      log: (level, message) => this.listener.log(level, message),
      onTombstone: (tombstone, signature) => this.listener.tombstone(tombstone, signature),
      onPaths: () => this.listener.pathsChanged(),
      onDescriptors: () => {
        interfaces.further = driver.descriptors();
        this.listener.descriptors(interfaces.descriptors());
      },
    });
    return driver;
  }

  #watchNetwork(name: string, memory: PacketMemory, interfaces: Interfaces, driver: PathDriver): NetworkWatch {
    const network = watchNetwork({
      interfaceName: name,
      memory,
      clocks: { boot: bootTime, monotonic: () => performance.now() },
      onChange: (what) => {
        driver.networkChanged(what === 'network' ? 'addresses, routes or links changed' : 'this host slept');
        this.listener.networkChanged();
      },
    });
    if (network.fd !== undefined) interfaces.others.push(network.fd);
    else this.listener.log('warn', 'cannot watch the network: a change of address is noticed late');
    return network;
  }

  /** Its absence costs only what is lost when somebody takes the interface down and up. */
  #watchLink(interfaceName: string, memory: PacketMemory, interfaces: Interfaces): LinkWatch | undefined {
    const link = watchLink(interfaceName, memory, () => this.listener.linkReturned());
    if (link) interfaces.others.push(link.fd);
    else this.listener.log('warn', `cannot watch the state of ${interfaceName}: routes stay lost after it was down`);
    return link;
  }

  #tunGone(interfaceName: string): void {
    if (!this.#running) return;
    this.close();
    this.listener.ended(
      new WarrenError('interface-gone', `the interface ${interfaceName} was deleted by another program`),
    );
  }
}

const NO_PATHS: PathsReport = { peers: [], servers: [] };

interface SignallingModules {
  readonly PathDriver: typeof PathDriver;
  readonly createManager: (options: PathManagerOptions) => PathManager;
}

interface Running {
  readonly device: Device;
  readonly engine: PacketEngine;
  readonly driver: PathDriver | undefined;
  readonly network: NetworkWatch | undefined;
  readonly peers: PeerTable;
  readonly paths: PathTable;
  readonly interfaces: Interfaces;
  readonly settings: DeviceSettingsKeeper;
  readonly memory: PacketMemory;
  readonly link: LinkWatch | undefined;
  readonly crypto: string;
}

/** The message's copies of keys are wiped; the machine has its own. */
function configure(
  { settings, engine, interfaces, driver }: Running,
  change: WorkerDeviceChange,
): WorkerResults['configure'] {
  const { port } = interfaces.sockets;
  try {
    settings.configure(change, now());
  } finally {
    change.privateKey?.fill(0);
    for (const peer of change.peers) peer.presharedKey?.fill(0);
  }
  if (interfaces.sockets.port !== port) driver?.networkChanged('the port is another one');
  engine.settle();
  return { listenPort: interfaces.sockets.port, descriptors: interfaces.descriptors() };
}

/** The message's copies of the keys are wiped; the machine has its own. */
function setKeys({ settings }: Running, keys: WorkerKeys): void {
  settings.setKeys(keys, now());
  keys.privateKey.fill(0);
  keys.other?.fill(0);
}

const familiesOf = (sockets: UdpSockets): (4 | 6)[] =>
  ([4, 6] as const).filter((family) => (family === 4 ? sockets.v4 : sockets.v6) !== undefined);

const settableSockets = (sockets: UdpSockets, engine: PacketEngine): SettableSockets => ({
  get port() {
    return sockets.port;
  },
  get fwmark() {
    return sockets.mark;
  },
  families: familiesOf(sockets),
  setMark: (mark) => sockets.setMark(mark),
  rebind(port) {
    if (port !== sockets.port) engine.rebind(() => sockets.rebind(port));
  },
});

/** The message's copies of preshared keys; the peers have their own. */
function wipe(peers: readonly WorkerPeer[]): void {
  for (const peer of peers) peer.presharedKey?.fill(0);
}

function statsOf({ device, engine, driver, paths, interfaces, crypto }: Running): WorkerStats {
  const { sockets, path } = interfaces;
  const drops: Record<string, number> = Object.fromEntries(device.drops());
  const add = (reason: string, count: number): void => {
    drops[reason] = (drops[reason] ?? 0) + count;
  };
  for (const [reason, count] of [...engine.drops, ...(driver?.drops ?? [])]) add(reason, count);
  for (const socket of [sockets.v4, sockets.v6]) {
    for (const [name, count] of socket?.errors ?? []) add(`udp-receive-${name}`, count);
  }
  const peers = Array.from(
    device.peers(),
    (peer): DataPlanePeerStats => ({
      publicKey: peer.publicKey,
      endpoint: peer.path === undefined ? undefined : paths.endpoint(peer.path),
      lastHandshake: peer.lastHandshake === undefined ? undefined : new Date(peer.lastHandshake).toISOString(),
      rxBytes: peer.rxBytes,
      txBytes: peer.txBytes,
      ...(peer.handshakeRtt !== undefined && { handshakeRttMs: peer.handshakeRtt }),
    }),
  );
  return { crypto, path, peers, drops };
}
