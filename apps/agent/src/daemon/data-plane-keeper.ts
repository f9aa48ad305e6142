import { type HostPort, type PublicKey, parseEndpoint, type SecretKey } from '@warren/base';
import type {
  DataPlane,
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
  readonly privateKey: SecretKey;
  readonly signalling: SignallingOptions;
  readonly log: Log;
  /** A data plane is up and has its peers: it is told what it needs to find them. */
  readonly onStarted: (plane: DataPlane) => Promise<void>;
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
  #applied = new Map<PublicKey, DataPlanePeer>();
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
    const wanted = new Map<PublicKey, DataPlanePeer>();
    for (const { dataPlane } of peers) if (dataPlane) wanted.set(dataPlane.publicKey, dataPlane);
    if (this.#plane && this.#plan?.mtu !== plan.mtu) {
      this.options.log('info', `the MTU is now ${plan.mtu}: making the interface anew`);
      await this.close();
    }
    if (!this.#plane) await this.#start(plan, wanted);
    else await this.#change(this.#plane, plan, wanted);
    this.#plan = plan;
    this.#applied = wanted;
  }

  async stats(): Promise<DataPlaneStats | undefined> {
    return this.#plane?.stats();
  }

  async paths(): Promise<PathsReport | undefined> {
    return this.#plane?.paths();
  }

  /** Asks silent agents whether they are there. @returns how many were asked. */
  async inquire(): Promise<number> {
    return (await this.#plane?.inquire()) ?? 0;
  }

  async close(): Promise<void> {
    const plane = this.#plane;
    this.#plane = undefined;
    this.#applied = new Map();
    await plane?.close();
  }

  async #start(plan: InterfacePlan, wanted: ReadonlyMap<PublicKey, DataPlanePeer>): Promise<void> {
    const { start, privateKey, signalling, log, onStarted, onLost } = this.options;
    const peers = [...wanted.values()].map((peer) => this.#withRemembered(peer));
    const plane = await start({ ...plan, privateKey, peers, signalling, log });
    this.#plane = plane;
    void plane.closed.then((reason) => {
      if (this.#plane !== plane) return; // we closed it
      this.#plane = undefined;
      this.#applied = new Map();
      onLost(reason);
    });
    await onStarted(plane);
    await greet(plane, peers, this.remembered);
    // Only what was true when we went down: later the data plane knows better.
    this.remembered = new Map();
  }

  #withRemembered(peer: DataPlanePeer): DataPlanePeer {
    const endpoint = this.remembered.get(peer.publicKey);
    // Paths to agents are found, not remembered: what was right before may be somebody else's now.
    if (peer.agent || peer.endpoint || !endpoint || !parseEndpoint(endpoint)) return peer;
    return { ...peer, endpoint: endpoint as HostPort };
  }

  async #change(plane: DataPlane, plan: InterfacePlan, wanted: ReadonlyMap<PublicKey, DataPlanePeer>): Promise<void> {
    if (this.#plan?.addresses.join() !== plan.addresses.join()) await plane.setAddresses(plan.addresses);
    // Entries that did not change are the same objects (PeerTable).
    const set = [...wanted.values()].filter((peer) => this.#applied.get(peer.publicKey) !== peer);
    const remove = [...this.#applied.keys()].filter((key) => !wanted.has(key));
    if (set.length === 0 && remove.length === 0) return;
    await plane.change({ set, remove });
    await greet(
      plane,
      set.filter((peer) => !this.#applied.has(peer.publicKey)),
      new Map(),
    );
  }
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
  for (const { publicKey, endpoint, persistentKeepalive, agent } of peers) {
    const hadSession = known.has(publicKey) && (endpoint || agent);
    if ((endpoint && persistentKeepalive) || hadSession) await plane.initiateHandshake(publicKey);
  }
}
