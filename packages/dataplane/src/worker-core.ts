import { type Endpoint, type PublicKey, SecretKey, unixMillis, WarrenError } from '@warren/base';
import { PacketMemory, type UdpSockets } from '@warren/udp';
import { createDevice, type Device } from '@warren/wireguard';
import type { DataPlanePeerStats } from './data-plane-api.js';
import { DeviceSettingsKeeper, type SettableSockets } from './device-settings.js';
import type { PacketEngine } from './engine.js';
import { Interfaces } from './interfaces.js';
import { type LinkWatch, watchLink } from './link-watch.js';
import { now } from './machine-driver.js';
import { choosePacketCrypto, type PacketCrypto } from './native-crypto/packet-crypto.js';
import { PathTable } from './path-table.js';
import { PeerTable } from './peer-table.js';
import { createRandomPool } from './random-pool.js';
import type {
  LogLevel,
  Started,
  StartOptions,
  WorkerDeviceChange,
  WorkerPeer,
  WorkerRequest,
  WorkerResults,
  WorkerStats,
} from './worker-messages.js';

/** 2 MiB: two sockets with a buffer for each direction, the engine's packets and batches, the packet cipher's copies. */
const MEMORY_PAGES = 32;

/** What the core tells the main thread without being asked. */
export interface CoreListener {
  log(level: LogLevel, message: string): void;
  handshakeFailing(peer: PublicKey): void;
  peerHeard(peer: PublicKey, endpoint: Endpoint): void;
  linkReturned(): void;
  /** Descriptors are closed, keys overwritten; the core is of no further use. */
  ended(error: WarrenError): void;
}

/** All that one worker runs: TUN, sockets, machine, and the requests of the main thread. */
export class WorkerCore {
  #running: Running | undefined;

  constructor(private readonly listener: CoreListener) {}

  /** @throws WarrenError when the request cannot be done; nothing is half done then. */
  handle(request: WorkerRequest): WorkerResults[WorkerRequest['type']] {
    if (request.type === 'start') return this.#start(request.options);
    if (request.type === 'close') return this.close();
    const running = this.#running;
    if (!running) throw new WarrenError('data-plane-closed', 'the data plane has ended');
    switch (request.type) {
      case 'stats':
        return statsOf(running);
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
    running.link?.close();
    running.device.close();
    running.peers.erase();
    running.settings.erase();
    running.interfaces.close();
    // Packets, and whatever a cipher keeps of a key.
    running.memory.bytes.fill(0);
  }

  #start(options: StartOptions): Started {
    const memory = new PacketMemory(MEMORY_PAGES);
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
    const engine = interfaces.createEngine({
      device,
      paths,
      memory,
      onHandshakeFailing: (peer) => this.listener.handshakeFailing(peer),
      onHandshakeCompleted: (peer, role) => this.listener.log('debug', `handshake with ${peer} completed as ${role}`),
      onPeerHeard: (peer, endpoint) => this.listener.peerHeard(peer, endpoint),
      onTunGone: () => this.#tunGone(options.interfaceName),
    });
    engine.start();
    const peers = new PeerTable(device, paths);
    const { standalone } = options;
    const settings = new DeviceSettingsKeeper(
      { device, peers, paths, sockets: settableSockets(interfaces.sockets, engine), standalone, random },
      privateKey,
    );
    privateKey?.erase();
    const link = standalone ? undefined : this.#watchLink(options.interfaceName, memory, interfaces);
    return { device, engine, peers, paths, interfaces, settings, memory, link, crypto: crypto.provider.name };
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

interface Running {
  readonly device: Device;
  readonly engine: PacketEngine;
  readonly peers: PeerTable;
  readonly paths: PathTable;
  readonly interfaces: Interfaces;
  readonly settings: DeviceSettingsKeeper;
  readonly memory: PacketMemory;
  readonly link: LinkWatch | undefined;
  readonly crypto: string;
}

/** The message's copies of keys are wiped; the machine has its own. */
function configure({ settings, engine, interfaces }: Running, change: WorkerDeviceChange): WorkerResults['configure'] {
  try {
    settings.configure(change, now());
  } finally {
    change.privateKey?.fill(0);
    for (const peer of change.peers) peer.presharedKey?.fill(0);
  }
  engine.settle();
  return { listenPort: interfaces.sockets.port, descriptors: interfaces.descriptors() };
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

function statsOf({ device, engine, paths, interfaces, crypto }: Running): WorkerStats {
  const { sockets, path } = interfaces;
  const drops: Record<string, number> = Object.fromEntries(device.drops());
  const add = (reason: string, count: number): void => {
    drops[reason] = (drops[reason] ?? 0) + count;
  };
  for (const [reason, count] of engine.drops) add(reason, count);
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
    }),
  );
  return { crypto, path, peers, drops };
}
