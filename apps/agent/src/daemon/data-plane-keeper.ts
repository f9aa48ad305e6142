import { type HostPort, type NodeId, parseEndpoint } from '@warren/base';
import type {
  DataPlane,
  DataPlaneKeys,
  DataPlaneOptions,
  DataPlanePeer,
  DataPlaneStats,
  PathsReport,
  SignallingOptions,
} from '@warren/dataplane';
import type { AcceptedPeer } from '../codec/domain.js';
import type { Log } from '../log.js';

export type StartDataPlane = (options: DataPlaneOptions) => Promise<DataPlane>;

/** The interface as it should be; everything but peers and addresses needs a new data plane when it changes. */
export interface InterfacePlan {
  readonly interfaceName: string;
  readonly listenPort: number;
  readonly mtu: number;
  /** With their own prefix length. */
  readonly addresses: readonly string[];
}

export interface KeeperOptions {
  readonly start: StartDataPlane;
  /** Those of the interface when it is made. */
  readonly keys: () => DataPlaneKeys;
  readonly signalling: SignallingOptions;
  readonly log: Log;
  /** A data plane is up and has its peers: it is told what it needs to find them. */
  readonly onStarted: (plane: DataPlane) => Promise<void>;
  /** Links, addresses or routes of this host changed. */
  readonly onNetworkChange: () => void;
  /** Peers may be reached another way than before; comes in swarms. */
  readonly onPathChange: () => void;
  /** The data plane ended by itself. */
  readonly onLost: (reason: Error | undefined) => void;
}

/**
 * Holds one data plane and brings it from what was applied last to what is wanted now, sending differences only.
 * Calls are made one after the other.
 */
export class DataPlaneKeeper {
  #plane: DataPlane | undefined;
  #plan: InterfacePlan | undefined;
  #applied: ReadonlyMap<NodeId, DataPlanePeer> = new Map();
  /**
   * Where peers were last, by public key; empty for those that a relay led to. Used when the data plane starts: they cannot
   * know that we restarted.
   */
  remembered: ReadonlyMap<string, string> = new Map();

  constructor(private readonly options: KeeperOptions) {}

  get plane(): DataPlane | undefined {
    return this.#plane;
  }

  /** Rejects when the interface cannot be made, e.g. `port-in-use`. */
  async apply(plan: InterfacePlan, peers: readonly AcceptedPeer[]): Promise<void> {
    const wanted = new Map<NodeId, DataPlanePeer>();
    for (const { id, dataPlane } of peers) if (dataPlane) wanted.set(id, dataPlane);
    if (this.#plane && this.#plan?.mtu !== plan.mtu) {
      this.options.log('info', `the MTU is now ${plan.mtu}: making the interface anew`);
      await this.close();
    }
    if (!this.#plane) await this.#start(plan, wanted);
    else await this.#change(this.#plane, plan, wanted);
    this.#plan = plan;
    this.#applied = wanted;
  }

  /** Without an interface nothing happens: it begins with the keys that it should have. */
  async setKeys(keys: DataPlaneKeys): Promise<void> {
    await this.#plane?.setKeys(keys);
  }

  async stats(): Promise<DataPlaneStats | undefined> {
    return this.#plane?.stats();
  }

  async paths(): Promise<PathsReport | undefined> {
    return this.#plane?.paths();
  }

  /** Asks silent agents whether they are there. @returns how many were asked. */
  async inquire(silentMs?: number): Promise<number> {
    return (await this.#plane?.inquire(silentMs)) ?? 0;
  }

  async close(): Promise<void> {
    const plane = this.#plane;
    this.#plane = undefined;
    this.#applied = new Map();
    await plane?.close();
  }

  async #start(plan: InterfacePlan, wanted: ReadonlyMap<NodeId, DataPlanePeer>): Promise<void> {
    const { start, signalling, log, onStarted, onNetworkChange, onPathChange, onLost } = this.options;
    const keys = this.options.keys();
    const peers = [...wanted.values()].map((peer) => this.#withRemembered(peer));
    const listeners = { onNetworkChange, onPathChange, log };
    const plane = await start({ ...plan, privateKey: keys.privateKey, peers, signalling, ...listeners });
    this.#plane = plane;
    void plane.closed.then((reason) => {
      if (this.#plane !== plane) return; // we closed it
      this.#plane = undefined;
      this.#applied = new Map();
      onLost(reason);
    });
    if (keys.other) await plane.setKeys(keys);
    await onStarted(plane);
    await greet(plane, peers, this.remembered);
    // Only what was true when we went down: later the data plane knows better.
    this.remembered = new Map();
  }

  #withRemembered(peer: DataPlanePeer): DataPlanePeer {
    const endpoint = rememberedOf(peer, this.remembered);
    // Paths to agents are found, not remembered: what was right before may be somebody else's now.
    if (peer.agent || peer.endpoint || !endpoint || !parseEndpoint(endpoint)) return peer;
    return { ...peer, endpoint: endpoint as HostPort };
  }

  async #change(plane: DataPlane, plan: InterfacePlan, wanted: ReadonlyMap<NodeId, DataPlanePeer>): Promise<void> {
    if (this.#plan?.addresses.join() !== plan.addresses.join()) await plane.setAddresses(plan.addresses);
    const set: DataPlanePeer[] = [];
    const added: DataPlanePeer[] = [];
    for (const [id, peer] of wanted) {
      const before = this.#applied.get(id);
      if (before === peer) continue; // entries that did not change are the same objects (PeerTable)
      const renamed = before && before.publicKey !== peer.publicKey;
      set.push(renamed ? { ...peer, formerKey: before.publicKey } : peer);
      if (!before) added.push(peer);
    }
    const keys = new Set([...wanted.values()].map(({ publicKey }) => publicKey));
    const gone = [...this.#applied].filter(([id, { publicKey }]) => !wanted.has(id) && !keys.has(publicKey));
    if (set.length === 0 && gone.length === 0) return;
    await plane.change({ set, remove: gone.map(([, { publicKey }]) => publicKey) });
    await greet(plane, added, new Map());
  }
}

/** Where a peer was, by either of its keys. */
function rememberedOf(
  { publicKey, previousKey }: DataPlanePeer,
  remembered: ReadonlyMap<string, string>,
): string | undefined {
  return remembered.get(publicKey) ?? (previousKey === undefined ? undefined : remembered.get(previousKey));
}

/**
 * Shakes hands with new peers that have an endpoint and a keepalive: those count on us to open the way, and the first
 * packet then need not wait; and with those that had a session with us before we restarted.
 */
async function greet(
  plane: DataPlane,
  peers: Iterable<DataPlanePeer>,
  known: ReadonlyMap<string, string>,
): Promise<void> {
  for (const peer of peers) {
    const { publicKey, endpoint, persistentKeepalive, agent } = peer;
    const hadSession = rememberedOf(peer, known) !== undefined && (endpoint || agent);
    if ((endpoint && persistentKeepalive) || hadSession) await plane.initiateHandshake(publicKey);
  }
}
