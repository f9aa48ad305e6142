import { type Endpoint, type Prefix, type PublicKey, WarrenError } from '@warren/base';
import type {
  DataPlane,
  DataPlaneChange,
  DataPlaneKeys,
  DataPlaneOptions,
  DataPlanePeer,
  DataPlaneStats,
  PacketPath,
  PathsReport,
  SignallingChange,
} from './data-plane-api.js';
import type { DeviceChange, DeviceSettings } from './device-settings-api.js';
import { decodeDeviceSettings, encodeDeviceChange } from './device-settings-message.js';
import { EndpointResolver } from './endpoint-resolver.js';
import { InterfaceConfig, parseInterfaceAddress } from './interface-config.js';
import { checkInterfaceName } from './interface-name.js';
import { LabelClock } from './label-clock.js';
import { checkPeer, encodeKeys, encodePeer } from './peer-message.js';
import { PrefixOwners } from './prefix-owners.js';
import { RestartRecord } from './restart-record.js';
import { checkSignalling, checkSignallingOptions, encodeSignalling } from './signalling-message.js';
import { SupervisedWorker } from './supervised-worker.js';
import type { Notice, WorkerChannel } from './worker-channel.js';
import type { Adopted, Descriptors, StartOptions } from './worker-messages.js';

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
  if (options.signalling) checkSignallingOptions(options.signalling);
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
  readonly #worker: SupervisedWorker;
  readonly #record: RestartRecord;
  readonly #config: InterfaceConfig;
  readonly #prefixes = new PrefixOwners();
  readonly #peers = new Set<PublicKey>();
  #unrouted: ReadonlySet<Prefix> = new Set();
  #resolver: EndpointResolver | undefined;
  #path: PacketPath = 'plain';
  readonly #labels = new LabelClock();
  /** Changes happen one after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: DataPlaneOptions) {
    this.interfaceName = options.interfaceName;
    this.mtu = options.mtu;
    this.#record = new RestartRecord(options.privateKey, options.signalling);
    this.#worker = new SupervisedWorker({
      onNotice: (notice) => this.#take(notice),
      log: (level, message) => this.#log(level, message),
      restore: (channel, left) => this.#restore(channel, left),
    });
    this.closed = this.#worker.ended.then((reason) => {
      this.#resolver?.close();
      this.#record.erase();
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
    const { interfaceName, addresses, peers = [], standalone = false } = this.options;
    const started = await this.#worker.request(() => this.#startRequest());
    this.#worker.guard(started.descriptors);
    this.listenPort = started.listenPort;
    this.#path = started.path;
    this.#resolver = new EndpointResolver({
      families: started.families,
      onResolved: (peer, endpoint) => this.#setEndpoint(peer, endpoint),
      log: (level, message) => this.#log(level, message),
    });
    // The machine knows the peers before the first packet can come from the interface.
    await this.#tellPeers('replace', peers, []);
    if (standalone) await this.#config.setMtu();
    else await this.#config.bringUp(addresses.map(parseInterfaceAddress), this.#routes());
    this.#worker.supervise();
    this.#log(
      'info',
      `${interfaceName} is up on UDP port ${this.listenPort}, crypto ${started.crypto}, packets ${started.path}`,
    );
  }

  async replacePeers(peers: readonly DataPlanePeer[]): Promise<void> {
    for (const peer of peers) checkPeer(peer);
    const stay = new Set(peers.flatMap(({ publicKey, formerKey }) => [publicKey, formerKey]));
    await this.#inTurn(async () => {
      await this.#tellPeers(
        'replace',
        peers,
        [...this.#peers].filter((peer) => !stay.has(peer)),
      );
      await this.#config.setRoutes(this.#routes());
    });
  }

  async change({ set, remove }: DataPlaneChange): Promise<void> {
    for (const peer of set) checkPeer(peer);
    await this.#inTurn(async () => {
      await this.#tellPeers('change', set, remove);
      await this.#config.setRoutes(this.#routes());
    });
  }

  async setKeys(keys: DataPlaneKeys): Promise<void> {
    await this.#inTurn(async () => {
      await this.#worker.request(() => setKeysRequest(keys));
      this.#record.setKeys(keys);
    });
  }

  async setAddresses(addresses: readonly string[]): Promise<void> {
    const parsed = addresses.map(parseInterfaceAddress);
    await this.#inTurn(() => this.#config.setAddresses(parsed));
  }

  async setUnrouted(prefixes: readonly Prefix[]): Promise<void> {
    await this.#inTurn(async () => {
      this.#unrouted = new Set(prefixes);
      this.#config.forgetForeign();
      await this.#config.setRoutes(this.#routes());
    });
  }

  async initiateHandshake(peer: PublicKey): Promise<void> {
    await this.#worker.request(() => ({ request: { type: 'initiate-handshake', peer } }));
  }

  async setSignalling(change: SignallingChange): Promise<void> {
    checkSignalling(change);
    if (!this.options.signalling) return;
    this.#record.signalling = { ...this.#record.signalling, ...change, askServers: false };
    await this.#worker.request(() => ({ request: { type: 'set-signalling', change } }));
  }

  paths(): Promise<PathsReport> {
    return this.#worker.request(() => ({ request: { type: 'paths' } }));
  }

  inquire(silentMs?: number): Promise<number> {
    const request = { type: 'inquire', ...(silentMs !== undefined && { silentMs }) } as const;
    return this.#worker.request(() => ({ request }));
  }

  async stats(): Promise<DataPlaneStats> {
    return { backend: 'userspace', ...(await this.#worker.request(() => ({ request: { type: 'stats' } }))) };
  }

  async settings(): Promise<DeviceSettings> {
    return decodeDeviceSettings(await this.#worker.request(() => ({ request: { type: 'settings' } })));
  }

  async configure(change: DeviceChange): Promise<void> {
    await this.#inTurn(async () => {
      const bound = await this.#worker.request(() => configureRequest(change));
      this.#worker.guard(bound.descriptors);
      this.listenPort = bound.listenPort;
      this.#record.configured(change);
    });
  }

  async close(): Promise<void> {
    await this.#worker.close();
    // A change that iproute2 is still at must not outlive the interface's name.
    await this.#turn;
  }

  #take(notice: Notice): void {
    if (notice.type === 'log') this.#log(notice.level, notice.message);
    else if (notice.type === 'handshake-failing') this.#resolver?.handshakeFailing(notice.peer);
    else if (notice.type === 'peer-heard') {
      this.#record.heard(notice.peer, notice.endpoint);
      this.#labels.note();
      this.options.onPathChange?.();
    } else if (notice.type === 'paths-changed') this.options.onPathChange?.();
    else if (notice.type === 'link-returned') this.#putBack();
    else if (notice.type === 'network-changed') this.options.onNetworkChange?.();
    else if (notice.type === 'descriptors') this.#worker.guard(notice.descriptors);
    else if (notice.type === 'tombstone') {
      this.options.signalling?.onTombstone?.(notice.tombstone, notice.signature);
    }
  }

  /** What the kernel forgot while the interface was down. */
  #putBack(): void {
    this.#inTurn(async () => {
      await this.#config.putBack();
      this.#log('info', `${this.interfaceName} is up again: its addresses and routes are back`);
    }).catch((error: Error) => this.#log('warn', `${this.interfaceName} is up again, but ${error.message}`));
  }

  #startRequest(adopt?: Adopted) {
    const { interfaceName, listenPort, mtu, standalone = false, packetPath } = this.options;
    const key = this.#record.privateKey;
    const privateKey = key && Uint8Array.from(key.expose());
    const transfer: ArrayBuffer[] = privateKey ? [privateKey.buffer] : [];
    const signalling = this.#record.signallingOptions && encodeSignalling(this.#record.signallingOptions, transfer);
    const options: StartOptions = {
      interfaceName,
      privateKey,
      listenPort,
      mtu,
      standalone,
      ...(packetPath && { packetPath }),
      ...(signalling && { signalling }),
      ...(adopt && { adopt }),
    };
    return { request: { type: 'start', options }, transfer } as const;
  }

  /** Tells a new worker all that the one before it knew, and shakes hands with everybody whom that one knew. */
  async #restore(channel: WorkerChannel, { tun, sockets }: Descriptors): Promise<void> {
    const record = this.#record;
    const { request, transfer: keys } = this.#startRequest({
      tun,
      path: this.#path,
      sockets,
      wallClock: this.#labels.atLeast(),
    });
    const started = await channel.request(request, keys);
    channel.guard(started.descriptors);
    if (this.options.signalling) await channel.request({ type: 'set-signalling', change: record.signalling });
    const both = record.twoKeys();
    if (both) {
      const { request: setKeys, transfer: copies } = setKeysRequest(both);
      await channel.request(setKeys, copies);
    }
    const transfer: ArrayBuffer[] = [];
    const set = record.peers(true).map((publicKey) => {
      const { peer, endpoint } = record.managedPeer(publicKey);
      return encodePeer(peer, endpoint, transfer);
    });
    await channel.request({ type: 'replace', set }, transfer);
    const operators = configureRequest(record.operatorsPeers());
    channel.guard((await channel.request(operators.request, operators.transfer)).descriptors);
    await Promise.all(record.known().map((peer) => channel.request({ type: 'initiate-handshake', peer })));
  }

  *#routes(): Generator<Prefix> {
    for (const prefix of this.#prefixes.all()) if (!this.#unrouted.has(prefix)) yield prefix;
  }

  async #tellPeers(
    type: 'change' | 'replace',
    set: readonly DataPlanePeer[],
    remove: readonly PublicKey[],
  ): Promise<void> {
    for (const peer of remove) this.#forget(peer);
    const endpoints = set.map((peer) => this.#remember(peer));
    await this.#worker.request(() => {
      const transfer: ArrayBuffer[] = [];
      const peers = set.map((peer, i) => encodePeer(peer, endpoints[i], transfer));
      return { request: type === 'change' ? { type, set: peers, remove } : { type, set: peers }, transfer };
    });
  }

  /** @returns its address, if that is known. */
  #remember(peer: DataPlanePeer): Endpoint | undefined {
    const { publicKey, formerKey } = peer;
    if (formerKey !== undefined && formerKey !== publicKey && this.#peers.has(formerKey)) {
      if (this.#peers.has(publicKey)) this.#forget(formerKey);
      else this.#rename(formerKey, publicKey);
    }
    this.#peers.add(peer.publicKey);
    this.#prefixes.assign(peer.publicKey, peer.allowedIps);
    const endpoint = this.#resolver?.set(peer.publicKey, peer.endpoint);
    this.#record.set(peer, endpoint);
    return endpoint;
  }

  #rename(from: PublicKey, to: PublicKey): void {
    this.#peers.delete(from);
    this.#peers.add(to);
    this.#prefixes.rename(from, to);
    this.#resolver?.rename(from, to);
    this.#record.rename(from, to);
  }

  #forget(peer: PublicKey): void {
    this.#peers.delete(peer);
    this.#prefixes.remove(peer);
    this.#resolver?.remove(peer);
    this.#record.remove(peer);
  }

  #setEndpoint(peer: PublicKey, endpoint: Endpoint): void {
    this.#record.resolved(peer, endpoint);
    this.#worker
      .request(() => ({ request: { type: 'set-endpoint', peer, endpoint } }))
      .catch((error: Error) => {
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

function setKeysRequest(keys: DataPlaneKeys) {
  const transfer: ArrayBuffer[] = [];
  return { request: { type: 'set-keys', keys: encodeKeys(keys, transfer) }, transfer } as const;
}

function configureRequest(change: DeviceChange) {
  const transfer: ArrayBuffer[] = [];
  return { request: { type: 'configure', change: encodeDeviceChange(change, transfer) }, transfer } as const;
}
