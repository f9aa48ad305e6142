import { type Endpoint, type PublicKey, WarrenError } from '@warren/base';
import type {
  DataPlane,
  DataPlaneChange,
  DataPlaneOptions,
  DataPlanePeer,
  DataPlaneStats,
  PacketPath,
} from './data-plane-api.js';
import type { DeviceChange, DeviceSettings } from './device-settings-api.js';
import { decodeDeviceSettings, encodeDeviceChange } from './device-settings-message.js';
import { EndpointResolver } from './endpoint-resolver.js';
import { InterfaceConfig, parseInterfaceAddress } from './interface-config.js';
import { checkInterfaceName } from './interface-name.js';
import { checkPeer, encodePeer } from './peer-message.js';
import { PrefixOwners } from './prefix-owners.js';
import { WorkerChannel } from './worker-channel.js';
import type { WorkerPeer } from './worker-messages.js';

/** Least MTU of IPv4 hosts (RFC 1122 §3.3.3), and what a datagram of 65,507 bytes can carry. */
const MIN_MTU = 576;
const MAX_MTU = 65_456;

/**
 * Puts up the interface and runs WireGuard on it until `close`. Copies the keys it is given; the caller may erase its own.
 * @throws WarrenError `bad-interface-name`, `bad-address`, `bad-mtu`, `bad-peer`, `not-root`, `no-tun`, `interface-taken`,
 * `port-in-use`, `bad-packet-path`, `no-offload`, `iproute2-missing`, `interface-setup-failed`, `unsupported-host`; nothing is left behind then.
 */
export async function startDataPlane(options: DataPlaneOptions): Promise<DataPlane> {
  checkInterfaceName(options.interfaceName);
  if (!Number.isInteger(options.mtu) || options.mtu < MIN_MTU || options.mtu > MAX_MTU) {
    throw new WarrenError(
      'bad-mtu',
      `an MTU of ${options.mtu} is not possible: choose ${MIN_MTU} to ${MAX_MTU}, e.g. 1420`,
    );
  }
  if (!Number.isInteger(options.listenPort) || options.listenPort < 0 || options.listenPort > 65_535) {
    throw new WarrenError('bad-port', `${options.listenPort} is no UDP port: choose 1 to 65535, or 0 for any`);
  }
  for (const address of options.addresses) parseInterfaceAddress(address);
  for (const peer of options.peers ?? []) checkPeer(peer);
  const packetPath = options.packetPath ?? packetPathOf(process.env.WARREN_DATAPLANE);
  const plane = new RunningDataPlane({ ...options, ...(packetPath && { packetPath }) });
  try {
    await plane.start();
    return plane;
  } catch (error) {
    await plane.close();
    throw error;
  }
}

/** @throws WarrenError `bad-packet-path` unless it is unset, empty or a path. */
function packetPathOf(environment: string | undefined): PacketPath | undefined {
  if (environment === undefined || environment === '') return undefined;
  if (environment === 'plain' || environment === 'offload') return environment;
  throw new WarrenError(
    'bad-packet-path',
    `WARREN_DATAPLANE is ${JSON.stringify(environment)}: set it to plain or offload, or leave it out`,
  );
}

class RunningDataPlane implements DataPlane {
  readonly interfaceName: string;
  readonly mtu: number;
  readonly closed: Promise<Error | undefined>;
  listenPort = 0;
  readonly #channel: WorkerChannel;
  readonly #config: InterfaceConfig;
  readonly #prefixes = new PrefixOwners();
  readonly #peers = new Set<PublicKey>();
  #resolver: EndpointResolver | undefined;
  /** Changes happen one after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: DataPlaneOptions) {
    this.interfaceName = options.interfaceName;
    this.mtu = options.mtu;
    this.#channel = new WorkerChannel((notice) => {
      if (notice.type === 'log') this.#log(notice.level, notice.message);
      else if (notice.type === 'handshake-failing') this.#resolver?.handshakeFailing(notice.peer);
    });
    this.closed = this.#channel.ended.then((reason) => {
      this.#resolver?.close();
      return reason;
    });
    this.#config = new InterfaceConfig({
      interfaceName: options.interfaceName,
      mtu: options.mtu,
      warn: (message) => this.#log('warn', message),
    });
  }

  /** To be called once, and `close` if it fails. */
  async start(): Promise<void> {
    const { interfaceName, listenPort, mtu, addresses, peers = [], standalone = false } = this.options;
    const { packetPath } = this.options;
    const privateKey = this.options.privateKey && Uint8Array.from(this.options.privateKey.expose());
    const options = { interfaceName, privateKey, listenPort, mtu, standalone, ...(packetPath && { packetPath }) };
    const started = await this.#channel.request({ type: 'start', options }, privateKey ? [privateKey.buffer] : []);
    this.#channel.guard(started.descriptors);
    this.listenPort = started.listenPort;
    this.#resolver = new EndpointResolver({
      families: started.families,
      onResolved: (peer, endpoint) => this.#setEndpoint(peer, endpoint),
      log: (level, message) => this.#log(level, message),
    });
    // The machine knows the peers before the first packet can come from the interface.
    await this.#tellPeers('replace', peers, []);
    if (standalone) await this.#config.setMtu();
    else await this.#config.bringUp(addresses.map(parseInterfaceAddress), this.#prefixes.all());
    this.#log(
      'info',
      `${interfaceName} is up on UDP port ${this.listenPort}, crypto ${started.crypto}, packets ${started.path}`,
    );
  }

  async replacePeers(peers: readonly DataPlanePeer[]): Promise<void> {
    for (const peer of peers) checkPeer(peer);
    const stay = new Set(peers.map((peer) => peer.publicKey));
    await this.#inTurn(async () => {
      await this.#tellPeers(
        'replace',
        peers,
        [...this.#peers].filter((peer) => !stay.has(peer)),
      );
      await this.#config.setRoutes(this.#prefixes.all());
    });
  }

  async change({ set, remove }: DataPlaneChange): Promise<void> {
    for (const peer of set) checkPeer(peer);
    await this.#inTurn(async () => {
      await this.#tellPeers('change', set, remove);
      await this.#config.setRoutes(this.#prefixes.all());
    });
  }

  async setAddresses(addresses: readonly string[]): Promise<void> {
    const parsed = addresses.map(parseInterfaceAddress);
    await this.#inTurn(() => this.#config.setAddresses(parsed));
  }

  async initiateHandshake(peer: PublicKey): Promise<void> {
    await this.#channel.request({ type: 'initiate-handshake', peer });
  }

  async stats(): Promise<DataPlaneStats> {
    return { backend: 'userspace', ...(await this.#channel.request({ type: 'stats' })) };
  }

  async settings(): Promise<DeviceSettings> {
    return decodeDeviceSettings(await this.#channel.request({ type: 'settings' }));
  }

  async configure(change: DeviceChange): Promise<void> {
    await this.#inTurn(async () => {
      const transfer: ArrayBuffer[] = [];
      const message = encodeDeviceChange(change, transfer);
      const bound = await this.#channel.request({ type: 'configure', change: message }, transfer);
      this.#channel.guard(bound.descriptors);
      this.listenPort = bound.listenPort;
    });
  }

  async close(): Promise<void> {
    await this.#channel.close();
    // A change that iproute2 is still at must not outlive the interface's name.
    await this.#turn;
  }

  async #tellPeers(
    type: 'change' | 'replace',
    set: readonly DataPlanePeer[],
    remove: readonly PublicKey[],
  ): Promise<void> {
    for (const peer of remove) this.#forget(peer);
    const transfer: ArrayBuffer[] = [];
    const peers = set.map((peer) => this.#encode(peer, transfer));
    if (type === 'change') await this.#channel.request({ type, set: peers, remove }, transfer);
    else await this.#channel.request({ type, set: peers }, transfer);
  }

  #encode(peer: DataPlanePeer, transfer: ArrayBuffer[]): WorkerPeer {
    this.#peers.add(peer.publicKey);
    this.#prefixes.assign(peer.publicKey, peer.allowedIps);
    return encodePeer(peer, this.#resolver?.set(peer.publicKey, peer.endpoint), transfer);
  }

  #forget(peer: PublicKey): void {
    this.#peers.delete(peer);
    this.#prefixes.remove(peer);
    this.#resolver?.remove(peer);
  }

  #setEndpoint(peer: PublicKey, endpoint: Endpoint): void {
    this.#channel.request({ type: 'set-endpoint', peer, endpoint }).catch((error: Error) => {
      this.#log('debug', `endpoint of ${peer} not set: ${error.message}`);
    });
  }

  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(action);
    this.#turn = result.catch(() => undefined); // the caller gets the error; the next change starts all the same
    return result;
  }

  #log(level: 'debug' | 'info' | 'warn' | 'error', message: string): void {
    this.options.log?.(level, message);
  }
}
