import { type Prefix, type PublicKey, SecretKey } from '@warren/base';
import type {
  DataPlane,
  DataPlaneKeys,
  DataPlaneOptions,
  DataPlanePeer,
  DataPlaneStats,
  DeviceSettings,
  PathsReport,
  SignallingChange,
} from '@warren/dataplane';

/** A data plane that remembers what it was told. */
class FakeDataPlane implements DataPlane {
  readonly interfaceName: string;
  readonly listenPort: number;
  readonly mtu: number;
  readonly closed: Promise<Error | undefined>;
  addresses: readonly string[];
  unrouted: readonly Prefix[] = [];
  readonly peers = new Map<PublicKey, DataPlanePeer>();
  readonly greeted: PublicKey[] = [];
  readonly counters = new Map<PublicKey, { readonly rxBytes: number; readonly txBytes: number }>();
  handshakes = new Map<PublicKey, string>();
  /** Everything that it was told of signalling, and each change as it came. */
  signalling: SignallingChange = {};
  readonly changes: SignallingChange[] = [];
  /** What `setKeys` was told, each as it came. */
  readonly keys: DataPlaneKeys[] = [];
  report: PathsReport = { peers: [], servers: [] };
  /** What `inquire` was told, each as it came. */
  readonly inquiries: (number | undefined)[] = [];
  isClosed = false;
  #end!: (reason: Error | undefined) => void;

  constructor(readonly options: DataPlaneOptions) {
    this.interfaceName = options.interfaceName;
    this.listenPort = options.listenPort;
    this.mtu = options.mtu;
    this.addresses = options.addresses;
    for (const peer of options.peers ?? []) this.peers.set(peer.publicKey, peer);
    this.closed = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  async replacePeers(peers: readonly DataPlanePeer[]): Promise<void> {
    this.peers.clear();
    for (const peer of peers) this.peers.set(peer.publicKey, peer);
  }

  async change({ set, remove }: { set: readonly DataPlanePeer[]; remove: readonly PublicKey[] }): Promise<void> {
    for (const key of remove) this.peers.delete(key);
    for (const peer of set) {
      if (peer.formerKey) this.peers.delete(peer.formerKey);
      this.peers.set(peer.publicKey, peer);
    }
  }

  async setKeys({ privateKey, other, ...rest }: DataPlaneKeys): Promise<void> {
    const copy = (key: SecretKey): SecretKey => new SecretKey(key.expose());
    this.keys.push({ ...rest, privateKey: copy(privateKey), ...(other && { other: copy(other) }) });
  }

  async setAddresses(addresses: readonly string[]): Promise<void> {
    this.addresses = addresses;
  }

  async setUnrouted(prefixes: readonly Prefix[]): Promise<void> {
    this.unrouted = prefixes;
  }

  async initiateHandshake(peer: PublicKey): Promise<void> {
    this.greeted.push(peer);
  }

  async setSignalling(change: SignallingChange): Promise<void> {
    this.signalling = { ...this.signalling, ...change };
    this.changes.push(change);
  }

  async paths(): Promise<PathsReport> {
    return this.report;
  }

  async inquire(silentMs?: number): Promise<number> {
    this.inquiries.push(silentMs);
    return 0;
  }

  async stats(): Promise<DataPlaneStats> {
    const peers = [...this.peers.values()].map(({ publicKey, endpoint }) => ({
      publicKey,
      endpoint: endpoint as DataPlaneStats['peers'][number]['endpoint'],
      lastHandshake: this.handshakes.get(publicKey),
      rxBytes: 10,
      txBytes: 20,
      ...this.counters.get(publicKey),
    }));
    return { backend: 'userspace', crypto: 'fake', path: 'plain', peers, drops: {} };
  }

  async settings(): Promise<DeviceSettings> {
    throw new Error('nobody asks an agent for the settings of its interface but by its socket');
  }

  async configure(): Promise<void> {
    throw new Error('nobody sets up the interface of an agent but by its socket');
  }

  /** As when somebody deletes the interface. */
  die(): void {
    this.#end(new Error('the interface was deleted'));
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.#end(undefined);
  }
}

/** A starter that keeps what it started, newest last. */
export function fakeDataPlanes() {
  const planes: FakeDataPlane[] = [];
  return {
    planes,
    start: async (options: DataPlaneOptions): Promise<DataPlane> => {
      const plane = new FakeDataPlane(options);
      planes.push(plane);
      return plane;
    },
  };
}
