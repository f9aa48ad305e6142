import { randomBytes } from 'node:crypto';
import { type PublicKey, SecretKey, unixMillis, WarrenError } from '@warren/base';
import { nobleProvider } from '@warren/crypto';
import { openUdpSockets, PacketMemory, type UdpSockets } from '@warren/udp';
import { createDevice, type Device } from '@warren/wireguard';
import { chooseProvider } from './crypto-choice.js';
import type { DataPlanePeerStats } from './data-plane-api.js';
import { Engine, now } from './engine.js';
import { createNodeProvider } from './node-provider.js';
import { PathTable } from './path-table.js';
import { PeerTable } from './peer-table.js';
import { openTun, type Tun } from './tun.js';
import type {
  LogLevel,
  Started,
  StartOptions,
  WorkerPeer,
  WorkerRequest,
  WorkerResults,
  WorkerStats,
} from './worker-messages.js';

/** 1 MiB: two sockets with a buffer for each direction, and the engine's three packets. */
const MEMORY_PAGES = 16;

/** What the core tells the main thread without being asked. */
export interface CoreListener {
  log(level: LogLevel, message: string): void;
  handshakeFailing(peer: PublicKey): void;
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
    running.device.close();
    running.peers.erase();
    running.tun.close();
    running.sockets.close();
  }

  #start(options: StartOptions): Started {
    const memory = new PacketMemory(MEMORY_PAGES);
    const crypto = chooseProvider([createNodeProvider(nobleProvider), nobleProvider], (message) =>
      this.listener.log('warn', message),
    );
    if (!crypto) throw new WarrenError('no-crypto', 'no crypto provider computes right answers on this host');
    const sockets = openUdpSockets({ port: options.listenPort, memory });
    let tun: Tun | undefined;
    try {
      tun = openTun(options.interfaceName, memory);
      this.#running = this.#assemble(options, crypto, memory, sockets, tun);
    } catch (error) {
      tun?.close();
      sockets.close();
      throw error;
    } finally {
      options.privateKey.fill(0);
    }
    const families = ([4, 6] as const).filter((family) => (family === 4 ? sockets.v4 : sockets.v6) !== undefined);
    const descriptors = [tun.fd, sockets.v4?.fd, sockets.v6?.fd].filter((fd) => fd !== undefined);
    return { listenPort: sockets.port, crypto: crypto.name, families, descriptors };
  }

  #assemble(
    options: StartOptions,
    crypto: typeof nobleProvider,
    memory: PacketMemory,
    sockets: UdpSockets,
    tun: Tun,
  ): Running {
    const paths: PathTable = new PathTable(function* () {
      for (const { path } of device.peers()) if (path !== undefined) yield path;
    });
    const device = createDevice({
      crypto,
      privateKey: new SecretKey(options.privateKey),
      random: (length) => Uint8Array.from(randomBytes(length)),
      wallClock: () => unixMillis(Date.now()),
      pathBytes: (path) => paths.pathBytes(path),
      mtu: options.mtu,
    });
    const engine = new Engine({
      tun,
      sockets,
      device,
      paths,
      memory,
      onHandshakeFailing: (peer) => this.listener.handshakeFailing(peer),
      onHandshakeCompleted: (peer, role) => this.listener.log('debug', `handshake with ${peer} completed as ${role}`),
      onTunGone: () => this.#tunGone(options.interfaceName),
    });
    engine.start();
    return { device, engine, peers: new PeerTable(device, paths), paths, tun, sockets, crypto: crypto.name };
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
  readonly engine: Engine;
  readonly peers: PeerTable;
  readonly paths: PathTable;
  readonly tun: Tun;
  readonly sockets: UdpSockets;
  readonly crypto: string;
}

/** The message's copies of preshared keys; the peers have their own. */
function wipe(peers: readonly WorkerPeer[]): void {
  for (const peer of peers) peer.presharedKey?.fill(0);
}

function statsOf({ device, engine, paths, sockets, crypto }: Running): WorkerStats {
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
  return { crypto, path: 'plain', peers, drops };
}
